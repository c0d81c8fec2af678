//! A relay before the registry on which things go wrong, one way or another, request by request. What it says itself is
//! the registry's answer; how it says it is not HTTP at its best.

use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

use super::dice::Dice;
use super::http::{self, Answer};

/// How an answer goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Fault {
    /// It comes late, but within the proxy's patience.
    Late,
    /// It comes in small pieces.
    Dripping,
    /// It never comes.
    Silent,
    /// The connection is closed in its place.
    Gone,
    /// 502 from a balancer.
    BadGateway,
    /// Something that is no HTTP comes.
    GarbageHead,
    /// The connection is reset in its middle.
    Reset,
    /// The connection is closed in its middle.
    Truncated,
    /// The sending half of the connection is closed in its middle.
    HalfClosed,
    /// Nothing more comes from its middle on.
    Stalled,
    /// A few bytes of it are others.
    Garbage,
    /// Its length is said to be less than it is.
    ShortLength,
    /// Its length is said to be more than it is, and another answer follows.
    LongLength,
    /// It has a length and is chunked as well.
    BothLengths,
    /// A chunk says that it is shorter than it is.
    ShortChunk,
    /// A chunk says that it is longer than it is.
    LongChunk,
    /// The chunk that ends it is missing.
    NoLastChunk,
}

/// All of them; those from [`Fault::Reset`] on are about bodies.
pub(crate) const FAULTS: [Fault; 17] = [
    Fault::Late,
    Fault::Dripping,
    Fault::Silent,
    Fault::Gone,
    Fault::BadGateway,
    Fault::GarbageHead,
    Fault::Reset,
    Fault::Truncated,
    Fault::HalfClosed,
    Fault::Stalled,
    Fault::Garbage,
    Fault::ShortLength,
    Fault::LongLength,
    Fault::BothLengths,
    Fault::ShortChunk,
    Fault::LongChunk,
    Fault::NoLastChunk,
];

/// The relay, until the end of the suite.
pub(crate) struct Unreliable {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    target: SocketAddr,
    began: Instant,
    healed: AtomicBool,
    played: [AtomicU64; FAULTS.len()],
}

impl Unreliable {
    /// Listens on a free port, before `target`.
    pub(crate) fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let played = [const { AtomicU64::new(0) }; FAULTS.len()];
        let state = Arc::new(State { target, began: Instant::now(), healed: AtomicBool::new(false), played });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for proxy in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || state.serve(&proxy));
            }
        });
        Self { address, state }
    }

    /// From now on nothing goes wrong.
    pub(crate) fn heal(&self) {
        self.state.healed.store(true, Ordering::SeqCst);
    }

    /// How often this went wrong.
    pub(crate) fn played(&self, fault: Fault) -> u64 {
        self.state.played[fault as usize].load(Ordering::SeqCst)
    }
}

impl State {
    /// Answers requests until one goes so wrong that the connection ends.
    fn serve(&self, proxy: &TcpStream) -> Result<()> {
        proxy.set_nodelay(true)?;
        let mut reader = BufReader::new(proxy);
        let mut dice = Dice::new();
        loop {
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                match line.trim_end() {
                    "" => break,
                    line => head.push(line.to_owned()),
                }
            }
            let answer = self.ask(&head)?;
            let bodiless = head[0].starts_with("HEAD") || answer.body.is_empty();
            let ranged = head.iter().any(|line| line.to_ascii_lowercase().starts_with("range:"));
            let fault = self.fault(&mut dice, bodiless, ranged);
            if let Some(fault) = fault {
                self.played[fault as usize].fetch_add(1, Ordering::SeqCst);
            }
            if !(Play { proxy, answer, bodiless, dice: &mut dice }).play(fault)? {
                return Ok(());
            }
        }
    }

    fn ask(&self, head: &[String]) -> Result<Answer> {
        let mut registry = TcpStream::connect(self.target)?;
        registry.write_all(format!("{}\r\nConnection: close\r\n\r\n", head.join("\r\n")).as_bytes())?;
        let mut answer = Vec::new();
        registry.read_to_end(&mut answer)?;
        Ok(http::parse(&answer))
    }

    /// What goes wrong this time: something with every fifth request, and now and then with all of them.
    fn fault(&self, dice: &mut Dice, bodiless: bool, ranged: bool) -> Option<Fault> {
        if self.healed.load(Ordering::SeqCst) {
            return None;
        }
        if self.began.elapsed().as_millis() % 7000 > 6000 {
            return Some(Fault::Silent);
        }
        if !dice.percent(20) {
            return None;
        }
        let about_heads = Fault::Reset as usize;
        let possible = &FAULTS[..if bodiless { about_heads } else { FAULTS.len() }];
        // Nothing tells a wrong part of a blob from a right one but the digest of the whole, which the client knows.
        let possible = possible.iter().filter(|fault| !(ranged && **fault == Fault::Garbage));
        // What was rare so far, so that all of them come.
        possible.copied().min_by_key(|fault| self.played[*fault as usize].load(Ordering::SeqCst))
    }
}

/// One answer on its way.
struct Play<'a> {
    proxy: &'a TcpStream,
    answer: Answer,
    bodiless: bool,
    dice: &'a mut Dice,
}

impl Play<'_> {
    /// Sends it, with this fault; whether the connection goes on.
    fn play(&mut self, fault: Option<Fault>) -> Result<bool> {
        let length = self.answer.body.len();
        let middle = self.dice.below(length.max(1));
        let wrong = 1 + self.dice.below(length.clamp(1, 1000));
        match fault {
            None => self.whole()?,
            Some(Fault::Late) => {
                sleep(Duration::from_millis(self.dice.below(150) as u64));
                self.whole()?;
            }
            Some(Fault::Dripping) => {
                let bytes = [self.head(&self.length(length)), self.answer.body.clone()].concat();
                for piece in bytes.chunks(bytes.len() / 20 + 1) {
                    self.send(piece)?;
                    sleep(Duration::from_millis(5));
                }
            }
            Some(Fault::Silent) => self.wait(),
            Some(Fault::Gone) => return Ok(false),
            Some(Fault::BadGateway) => {
                self.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: ")?;
                self.send(if self.bodiless { b"0\r\n\r\n" } else { b"6\r\n\r\n<html>" })?;
            }
            Some(Fault::GarbageHead) => {
                let garbage = self.dice.bytes(middle.min(5000) + 16);
                self.send(&garbage)?;
            }
            Some(Fault::Reset) => {
                self.until(middle)?;
                set_socket_linger(self.proxy, Some(Duration::ZERO))?;
            }
            Some(Fault::Truncated) => self.until(middle)?,
            Some(Fault::HalfClosed) => {
                self.until(middle)?;
                self.proxy.shutdown(Shutdown::Write)?;
                self.wait();
            }
            Some(Fault::Stalled) => {
                self.until(middle)?;
                self.wait();
            }
            Some(Fault::Garbage) => {
                let end = length.min(middle + 8);
                let garbage = self.dice.bytes(end - middle);
                self.answer.body[middle..end].copy_from_slice(&garbage);
                self.whole()?;
            }
            Some(Fault::ShortLength) => self.framed(&self.length(length - wrong.min(length)))?,
            Some(Fault::LongLength) => {
                self.framed(&self.length(length + wrong))?;
                self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")?;
            }
            Some(Fault::BothLengths) => self.chunked(&self.length(length), length, "0\r\n\r\n")?,
            Some(Fault::ShortChunk) => self.chunked("", length - wrong.min(length), "0\r\n\r\n")?,
            Some(Fault::LongChunk) => self.chunked("", length + wrong, "0\r\n\r\n")?,
            Some(Fault::NoLastChunk) => self.chunked("", length, "")?,
        }
        // What comes next on a connection that went wrong would be taken for more of this.
        Ok(matches!(fault, None | Some(Fault::Late | Fault::Dripping | Fault::BadGateway | Fault::ShortLength)))
    }

    fn whole(&mut self) -> Result<()> {
        self.framed(&self.length(self.answer.body.len()))
    }

    /// The head with the true length, and the body as far as `end`.
    fn until(&mut self, end: usize) -> Result<()> {
        self.send(&self.head(&self.length(self.answer.body.len())))?;
        self.send(&self.answer.body[..end])
    }

    fn framed(&mut self, framing: &str) -> Result<()> {
        self.send(&[self.head(framing), self.answer.body.clone()].concat())
    }

    /// The body in one chunk that says to be of this `size`, and these `last` bytes.
    fn chunked(&mut self, framing: &str, size: usize, last: &str) -> Result<()> {
        let head = self.head(&format!("{framing}Transfer-Encoding: chunked\r\n"));
        self.send(&[&head, format!("{size:x}\r\n").as_bytes(), &self.answer.body, b"\r\n", last.as_bytes()].concat())
    }

    /// The line that says the length of the body; of one that is not sent, what the registry said.
    fn length(&self, length: usize) -> String {
        let said = self.answer.header("content-length").filter(|_| self.bodiless);
        format!("Content-Length: {}\r\n", said.map_or_else(|| length.to_string(), str::to_owned))
    }

    fn head(&self, framing: &str) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.answer.status, self.answer.reason);
        for (name, value) in self.answer.headers() {
            let framed = ["connection", "content-length", "transfer-encoding"];
            if !framed.contains(&name.to_ascii_lowercase().as_str()) {
                head += &[name, ": ", value, "\r\n"].concat();
            }
        }
        (head + framing + "\r\n").into_bytes()
    }

    fn send(&self, bytes: &[u8]) -> Result<()> {
        let mut proxy = self.proxy;
        proxy.write_all(bytes)
    }

    /// Waits until the proxy gives up.
    fn wait(&self) {
        let mut proxy = self.proxy;
        // However it ends, and if it does not: longer than the proxy's patience.
        proxy.set_read_timeout(Some(Duration::from_secs(3))).ok();
        let _ = proxy.read(&mut [0; 16]);
    }
}
