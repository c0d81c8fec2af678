//! Something that listens where Redis should be, and answers what a test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The listener; it ends with this.
pub(crate) struct RedisDouble {
    pub(crate) port: u16,
    /// Bytes that were written to anybody.
    written: Arc<AtomicUsize>,
    /// Connections that were made.
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// What is sent for a command.
#[derive(Clone)]
pub(crate) enum Reply {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These, and nothing more on this connection, which stays open.
    Stalls(Vec<u8>),
    /// These, and the end of the connection.
    Ends(Vec<u8>),
    /// These, and then others without end.
    Endless(Vec<u8>, Vec<u8>),
}

/// What Redis would say to whoever says hello.
pub(crate) fn greeting(command: &[String]) -> Option<Reply> {
    match command.first().map(String::as_str) {
        Some("PING") => Some(Reply::Bytes(b"+PONG\r\n".to_vec())),
        Some("AUTH" | "SELECT" | "SET") => Some(Reply::Bytes(b"+OK\r\n".to_vec())),
        Some("PTTL") => Some(Reply::Bytes(b":60000\r\n".to_vec())),
        Some("INFO") => Some(Reply::Bytes(b"$16\r\nevicted_keys:0\r\n\r\n".to_vec())),
        _ => None,
    }
}

impl RedisDouble {
    /// One that answers every command with what `reply` makes of it.
    pub(crate) async fn start(reply: impl Fn(&[String]) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let [written, connections] = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
        let reply = Arc::new(reply);
        let (counted, accepted) = (Arc::clone(&written), connections.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::Relaxed);
                let (reply, counted) = (reply.clone(), counted.clone());
                tokio::spawn(async move {
                    // Whoever goes away has heard enough.
                    let _ = talk(stream, &*reply, &counted).await;
                });
            }
        });
        Self { port, written, connections, task }
    }

    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for RedisDouble {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn talk(
    stream: TcpStream,
    reply: &(dyn Fn(&[String]) -> Reply + Send + Sync),
    written: &AtomicUsize,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let command = command(&mut stream).await?;
        let (bytes, then) = match reply(&command) {
            Reply::Bytes(bytes) => (bytes, None),
            Reply::Stalls(bytes) => (bytes, Some(Vec::new())),
            Reply::Ends(bytes) => {
                stream.write_all(&bytes).await?;
                return Ok(());
            }
            Reply::Endless(bytes, again) => (bytes, Some(again)),
        };
        stream.write_all(&bytes).await?;
        written.fetch_add(bytes.len(), Ordering::Relaxed);
        let Some(again) = then else { continue };
        if again.is_empty() {
            // Read on, so that the other end is not the one to stall.
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
            return Ok(());
        }
        loop {
            stream.write_all(&again).await?;
            written.fetch_add(again.len(), Ordering::Relaxed);
        }
    }
}

/// A command, as clients send it.
async fn command(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<String>> {
    let count = number(stream).await?;
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        let mut word = vec![0; number(stream).await? + 2];
        stream.read_exact(&mut word).await?;
        word.truncate(word.len() - 2);
        words.push(String::from_utf8_lossy(&word).into_owned());
    }
    Ok(words)
}

async fn number(stream: &mut BufReader<TcpStream>) -> std::io::Result<usize> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().get(1..).and_then(|digits| digits.parse().ok()).expect("a frame of the protocol"))
}
