//! A relay that remembers what it was asked. In front of the registry it counts what a pull costs; under the image's
//! own host name it is the upstream that no node may reach; in front of the proxy it shows what a node really sends.

use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::image::Image;

/// One request, and how it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: String,
}

pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Relay {
    /// Listens on a free port; answers with what `target` answers.
    pub(crate) fn to(target: SocketAddr) -> Self {
        Self::start(target, None)
    }

    /// The same, but refuses every path that holds these words.
    pub(crate) fn refusing(target: SocketAddr, words: &'static str) -> Self {
        Self::start(target, Some(words))
    }

    fn start(target: SocketAddr, refused: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let memory = Arc::clone(&seen);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let memory = Arc::clone(&memory);
                thread::spawn(move || relay(&client, target, refused, &memory));
            }
        });
        Self { address, seen }
    }

    /// The requests so far for anything in the image's repository, oldest first.
    pub(crate) fn seen(&self, image: &Image) -> Vec<Seen> {
        let words = format!("/{}/", image.repository);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|request| request.path.contains(&words)).cloned().collect()
    }
}

/// Carries one bodiless request; it is remembered before the client has its answer.
fn relay(mut client: &TcpStream, target: SocketAddr, refused: Option<&str>, memory: &Mutex<Vec<Seen>>) -> Result<()> {
    let mut lines = BufReader::new(client).lines();
    let Some(Ok(first)) = lines.next() else {
        // A client that tries TLS first goes on in plain text when it is answered in plain text.
        return client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    };
    let mut head = vec![first.clone(), "Connection: close".into()];
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if !line.to_ascii_lowercase().starts_with("connection:") {
            head.push(line);
        }
    }
    let answer = if refused.is_some_and(|words| first.contains(words)) {
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
    } else {
        forward(target, &head)?
    };
    let status = String::from_utf8_lossy(answer.split(|&byte| byte == b' ').nth(1).unwrap_or_default()).into_owned();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    memory.lock().unwrap_or_else(PoisonError::into_inner).push(Seen { method, path, status });
    client.write_all(&answer)
}

fn forward(target: SocketAddr, head: &[String]) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut upstream = TcpStream::connect(target)?;
    upstream.write_all(format!("{}\r\n\r\n", head.join("\r\n")).as_bytes())?;
    upstream.read_to_end(&mut answer)?;
    Ok(answer)
}
