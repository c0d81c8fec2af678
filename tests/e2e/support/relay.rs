//! A relay that remembers what it was asked. In front of the registry it counts what a pull costs; under the image's
//! own host name it is the upstream that no node may reach; in front of the proxy it shows what a node really sends.

use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use super::image::Image;

/// One request, and how it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: String,
}

/// What is answered to a path that holds these words, without asking the registry.
#[derive(Clone, Copy)]
enum Instead {
    Nothing,
    /// 403.
    Refuse(&'static str),
    /// 307 to the same path at another address.
    Redirect(&'static str, SocketAddr),
}

pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    held: Arc<Held>,
}

/// The words of paths that wait.
#[derive(Default)]
struct Held {
    words: Mutex<Option<String>>,
    released: Condvar,
}

impl Held {
    fn pass(&self, first: &str) {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |words: &mut Option<String>| words.as_ref().is_some_and(|words| first.contains(words));
        drop(self.released.wait_while(words, waits).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Relay {
    /// Listens on a free port; answers with what `target` answers.
    pub(crate) fn to(target: SocketAddr) -> Self {
        Self::start(target, Instead::Nothing)
    }

    /// The same, but refuses every path that holds these words.
    pub(crate) fn refusing(target: SocketAddr, words: &'static str) -> Self {
        Self::start(target, Instead::Refuse(words))
    }

    /// The same, but redirects every path that holds these words to `storage`, with a secret.
    pub(crate) fn redirecting(target: SocketAddr, words: &'static str, storage: SocketAddr) -> Self {
        Self::start(target, Instead::Redirect(words, storage))
    }

    fn start(target: SocketAddr, instead: Instead) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let held = Arc::new(Held::default());
        let (memory, gate) = (Arc::clone(&seen), Arc::clone(&held));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (memory, gate) = (Arc::clone(&memory), Arc::clone(&gate));
                thread::spawn(move || relay(&client, target, instead, &memory, &gate));
            }
        });
        Self { address, seen, held }
    }

    /// Lets every request for anything in the image's repository wait, until [`Relay::release`].
    pub(crate) fn hold(&self, image: &Image) {
        let mut words = self.held.words.lock().unwrap_or_else(PoisonError::into_inner);
        *words = Some(format!("/{}/", image.repository));
    }

    /// Lets go on what waits.
    pub(crate) fn release(&self) {
        self.held.words.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.held.released.notify_all();
    }

    /// The requests so far for anything in the image's repository, oldest first.
    pub(crate) fn seen(&self, image: &Image) -> Vec<Seen> {
        let words = format!("/{}/", image.repository);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|request| request.path.contains(&words)).cloned().collect()
    }
}

impl Instead {
    fn answer(self, first: &str) -> Option<Vec<u8>> {
        let (head, words) = match self {
            Self::Nothing => return None,
            Self::Refuse(words) => ("403 Forbidden".to_owned(), words),
            Self::Redirect(words, storage) => {
                let path = first.split(' ').nth(1).unwrap_or_default();
                (format!("307 Temporary Redirect\r\nLocation: http://{storage}{path}?X-Signature=secret"), words)
            }
        };
        let answer = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        first.contains(words).then(|| answer.into_bytes())
    }
}

/// Carries one bodiless request; it is remembered before the client has its answer.
fn relay(
    mut client: &TcpStream,
    target: SocketAddr,
    instead: Instead,
    memory: &Mutex<Vec<Seen>>,
    held: &Held,
) -> Result<()> {
    let mut lines = BufReader::new(client).lines();
    let Some(Ok(first)) = lines.next() else {
        // A client that tries TLS first goes on in plain text when it is answered in plain text.
        return client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    };
    let mut asked = vec![first.clone(), "Connection: close".into()];
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if !line.to_ascii_lowercase().starts_with("connection:") {
            asked.push(line);
        }
    }
    held.pass(&first);
    let answer = instead.answer(&first).map_or_else(|| forward(target, &asked), Ok)?;
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
