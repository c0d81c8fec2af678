//! An HTTP/1.1 client that believes an answer to be complete only if it says so itself.

use std::io::{Error, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer as far as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// Of an answer that broke off, nothing.
    pub(crate) body: Option<Vec<u8>>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        header.map_or("", |(_, value)| value.as_str())
    }
}

/// Asks; `more` are further header lines, each with its line break.
///
/// # Errors
/// There is no answer, not even a status.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, more: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAccept: */*\r\n{more}\r\n");
    stream.write_all(head.as_bytes())?;
    let mut bytes = Vec::new();
    // A reset after the head is an answer that broke off.
    let read = stream.read_to_end(&mut bytes);
    let no_answer = || Error::other(format!("no answer: {read:?}, {:?}", String::from_utf8_lossy(&bytes)));
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(no_answer)?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(no_answer)?;
    let headers = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    let mut answer = Answer { status, headers, body: None };
    let rest = &bytes[end + 4..];
    answer.body = match (method, answer.header("transfer-encoding"), answer.header("content-length").parse::<usize>()) {
        ("HEAD", ..) => Some(Vec::new()),
        (_, "chunked", Err(_)) => unchunk(rest),
        (_, "", Ok(length)) => (rest.len() == length).then(|| rest.to_vec()),
        _ => return Err(Error::other(format!("nothing says how long it is: {head}"))),
    };
    Ok(answer)
}

/// The body, if it came to its last chunk.
fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        let chunk = rest.get(end + 2..)?.get(..size + 2)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..size]);
        rest = &rest[end + 2 + size + 2..];
    }
}
