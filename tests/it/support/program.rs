//! The program in a process of its own, which can be killed, and held apart in a mount namespace.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign::demo::client::{Answer, Client};
use http::{HeaderMap, Method};

/// A proxy that serves.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
    admin: String,
    log: PathBuf,
}

/// A program that ended instead.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Program {
    /// Runs `countersign serve` until it serves, or ends.
    pub(crate) async fn serve(config: &Path) -> Result<Self, Ended> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(["serve", "--config"]).arg(config);
        Self::run(command, config).await
    }

    /// The same, after `mounts` were made, which nobody else sees.
    pub(crate) async fn serve_among(mounts: &str, config: &Path) -> Result<Self, Ended> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-ec"]).arg(format!("{mounts}\nexec \"$0\" serve --config \"$1\""));
        command.arg(env!("CARGO_BIN_EXE_countersign")).arg(config);
        Self::run(command, config).await
    }

    async fn run(mut command: Command, config: &Path) -> Result<Self, Ended> {
        let log = config.with_extension("log");
        let file = File::create(&log).expect("a file");
        command.env_remove("RUST_LOG").stdin(Stdio::null());
        command.stdout(file.try_clone().expect("a file")).stderr(file);
        let mut child = command.spawn().expect("it runs");
        let began = Instant::now();
        loop {
            let said = fs::read_to_string(&log).expect("a file");
            if let Some((address, admin)) = said.lines().find_map(addresses) {
                return Ok(Self { child, address, admin, log });
            }
            if let Some(status) = child.try_wait().expect("it is ours") {
                return Err(Ended { code: status.code(), said: fs::read_to_string(&log).expect("a file") });
            }
            assert!(began.elapsed() < Duration::from_mins(1), "it neither serves nor ends:\n{said}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a file")
    }

    /// The status of the answer to `GET` of a path.
    pub(crate) async fn status(&self, client: &Client, path: &str) -> u16 {
        let url = format!("http://{}{path}", self.address);
        client.send(&Method::GET, &url, HeaderMap::new()).await.map_or(0, |answer| answer.status)
    }

    /// The answer to `GET` of a path.
    pub(crate) async fn get(&self, client: &Client, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.address);
        client.send(&Method::GET, &url, HeaderMap::new()).await.expect("it answers")
    }

    /// What the operator's listener answers.
    pub(crate) async fn admin(&self, client: &Client, path: &str) -> String {
        let url = format!("http://{}{path}", self.admin);
        let answer = client.send(&Method::GET, &url, HeaderMap::new()).await.expect("it answers");
        String::from_utf8(answer.body.to_vec()).expect("text")
    }

    /// The sum of a metric's series that have this label.
    pub(crate) async fn metric(&self, client: &Client, name: &str, label: &str) -> u64 {
        let text = self.admin(client, "/metrics").await;
        let series =
            text.lines().filter(|line| line.starts_with(&format!("countersign_{name}")) && line.contains(label));
        series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
    }

    /// Waits until the metric is `value`.
    pub(crate) async fn until(&self, client: &Client, name: &str, label: &str, value: u64) {
        let began = Instant::now();
        while self.metric(client, name, label).await != value {
            assert!(began.elapsed() < Duration::from_mins(1), "{name}{label} is never {value}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        assert!(told.expect("it runs").success());
        assert!(self.child.wait().expect("it ends").success(), "{}", self.log());
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where it serves, from the line of its log that says so.
fn addresses(line: &str) -> Option<(String, String)> {
    let value = |key: &str| Some(line.split_once(&format!("\"{key}\":\""))?.1.split_once('"')?.0.to_string());
    line.contains("\"serving\"").then(|| Some((value("address")?, value("admin")?)))?
}
