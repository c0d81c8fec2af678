//! HTTP/1.1 by hand, for what a proper client does not send or does not show.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What came back, until the connection was closed.
pub(crate) struct Reply {
    /// `HTTP/1.1 403 Forbidden: …`.
    pub(crate) status_line: String,
    /// The other lines of the head, in lower case.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

/// Sends a request without a body that asks to close the connection; `more` are further header lines.
pub(crate) async fn ask(address: SocketAddr, method: &str, target: &str, host: &str, more: &str) -> Reply {
    let more = if more.is_empty() { String::new() } else { format!("{more}\r\n") };
    exchange(address, &format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n")).await
}

/// Sends these bytes and reads until the proxy closes the connection.
pub(crate) async fn exchange(address: SocketAddr, bytes: &str) -> Reply {
    let all = read(address, bytes).await;
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("the head of an answer");
    let head = String::from_utf8(all[..end].to_vec()).expect("text");
    let mut lines = head.split("\r\n").map(str::to_string);
    let status_line = lines.next().unwrap_or_default();
    Reply { status_line, head: lines.map(|line| line.to_lowercase()).collect(), body: all[end + 4..].to_vec() }
}

/// [`exchange`], whatever comes back.
pub(crate) async fn all(address: SocketAddr, bytes: &str) -> String {
    String::from_utf8_lossy(&read(address, bytes).await).into_owned()
}

async fn read(address: SocketAddr, bytes: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("the proxy listens");
    // It may close before it has read what it will not take.
    let _ = stream.write_all(bytes.as_bytes()).await;
    let mut all = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut all)).await;
    // A reset after the answer is an end like another.
    let _ = read.expect("the proxy closes the connection");
    all
}

/// Sends these bytes and leaves the connection open.
pub(crate) async fn send(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the proxy listens");
    stream.write_all(bytes.as_bytes()).await.expect("the proxy reads");
    stream
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        let status = self.status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.expect("a status line")
    }

    /// The value of a header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        self.head.iter().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default()
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
