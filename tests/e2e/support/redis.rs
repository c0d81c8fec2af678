//! The store that replicas share: Debian's Redis, which writes down what it is told before it says so. It can be killed,
//! started again with all that it had or with nothing, held still, and filled.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::process::{Process, command, free_port};

pub(crate) struct Redis {
    pub(crate) address: SocketAddr,
    /// What it keeps outlives it.
    home: Process,
    running: Mutex<Option<Process>>,
}

impl Redis {
    /// Starts an empty one.
    pub(crate) fn start() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let home = Process::start("redis-data", |_| command("sleep", ["infinity"]));
        let redis = Self { address, home, running: Mutex::default() };
        redis.restart();
        redis
    }

    /// Ends it with SIGKILL; what it has acknowledged is on disk.
    pub(crate) fn kill(&self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Starts it, again with what it had.
    pub(crate) fn restart(&self) {
        self.start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    }

    /// Starts it, again with nothing, and nothing will be left of it either.
    pub(crate) fn restart_empty(&self) {
        self.start_with(&["--appendonly", "no"]);
    }

    fn start_with(&self, persistence: &[&str]) {
        self.kill();
        let port = self.address.port().to_string();
        let folder = self.home.folder().to_str().expect("the path is UTF-8");
        let process = Process::start("redis", |_| {
            let plain = ["--bind", "127.0.0.1", "--port", &port, "--dir", folder, "--save", ""];
            command("redis-server", plain.iter().chain(persistence))
        });
        let process = process.ready(|_| self.tell("PING").is_ok_and(|answer| answer == "+PONG"));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
    }

    /// Stops it where it stands: it goes on accepting connections and never answers.
    pub(crate) fn hold_still(&self) {
        self.signal("STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().expect("it runs").signal(name);
    }

    /// Tells it a command, as a person would at a terminal; the first line of the answer.
    pub(crate) fn tell(&self, words: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("{words}\r\n").as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// The same; it must say that it did.
    #[track_caller]
    pub(crate) fn obeys(&self, words: &str) {
        assert_eq!(self.tell(words).expect("it answers"), "+OK", "{words}");
    }
}
