//! Programs: started on a leash, so that none outlives the suite; run to their end, so that a test reads what they said.

use std::ffi::OsStr;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs, iter};

/// A program that runs beside the tests, with a folder of its own. It is killed, waited for and its folder removed
/// when this is dropped, and just so when the suite ends in any other way: a static is never dropped.
pub(crate) struct Process {
    folder: PathBuf,
    shell: Child,
    leash: Mutex<Option<ChildStdin>>,
}

/// Keeps the program as long as the suite holds the other end of standard input; each line there is a signal to send.
const LEASH: &str = r#"
folder=$1
shift
"$@" >"$folder/log" 2>&1 </dev/null &
exec 2>/dev/null
while read -r signal; do kill -s "$signal" $!; done
kill -s KILL $!
wait $!
rm -rf --one-file-system "$folder"
"#;

impl Process {
    /// Starts the command that `command` makes for a new folder.
    pub(crate) fn start(name: &str, command: impl FnOnce(&Path) -> Command) -> Self {
        let prefix = format!("countersign-e2e-{name}-");
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir().expect("a temporary folder").keep();
        let program = command(&folder);
        let mut shell = Command::new("sh");
        shell.args(["-c", LEASH, "leash"]).arg(&folder).arg(program.get_program()).args(program.get_args());
        shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut shell = shell.process_group(0).stdin(Stdio::piped()).spawn().expect("sh starts");
        let leash = Mutex::new(shell.stdin.take());
        Self { folder, shell, leash }
    }

    /// Waits until it is ready; if that does not come, shows what it said.
    #[track_caller]
    pub(crate) fn ready(self, is_ready: impl Fn(&Self) -> bool) -> Self {
        let came = poll(Duration::from_secs(30), || is_ready(&self));
        assert!(came, "not ready:\n{}", self.log());
        self
    }

    pub(crate) fn signal(&self, name: &str) {
        let mut leash = self.leash.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(leash.as_mut().expect("held until dropped"), "{name}").expect("the leash reads");
    }

    /// The program's process, as long as it runs.
    pub(crate) fn id(&self) -> u32 {
        let shell = self.shell.id();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).expect("the leash runs");
        children.split_whitespace().next().and_then(|id| id.parse().ok()).expect("the program runs")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.leash.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.shell.wait().ok();
    }
}

/// How a command ended and what it said.
pub(crate) struct Ran {
    succeeded: bool,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the command to its end, for at most a minute.
pub(crate) fn run(command: &Command) -> Ran {
    let mut limited = Command::new("timeout");
    limited.arg("60").arg(command.get_program()).args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    let output = limited.stdin(Stdio::null()).output().expect("timeout starts");
    Ran {
        succeeded: output.status.success(),
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    pub(crate) fn is_success(&self) -> bool {
        self.succeeded
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.code
    }

    pub(crate) fn stdout(&self) -> &str {
        &self.stdout
    }

    /// It must have succeeded; what it printed.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert!(self.succeeded, "failed:\n{}", self.said());
        self.stdout
    }

    /// It must have failed; all that it said.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert!(!self.succeeded, "succeeded, and should have been refused:\n{}", self.said());
        self.said()
    }

    /// All that it said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// A command with these arguments.
pub(crate) fn command<A: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// One of the tools that `tests/tools/install` keeps.
pub(crate) fn tool(name: &str) -> PathBuf {
    let cache = || env::var_os("XDG_CACHE_HOME").map_or_else(home_cache, PathBuf::from).join("countersign-tools");
    let folder = env::var_os("COUNTERSIGN_TOOLS").map_or_else(cache, PathBuf::from);
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing: run tests/tools/install", path.display());
    path
}

fn home_cache() -> PathBuf {
    PathBuf::from(env::var_os("HOME").expect("HOME is set")).join(".cache")
}

/// Whether the condition came true in time.
pub(crate) fn poll(within: Duration, condition: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !condition() {
        if began.elapsed() > within {
            return false;
        }
        sleep(Duration::from_millis(20));
    }
    true
}

/// A port of the loopback address that nobody has. It lies below those that the system hands out by itself, so that no
/// connection takes it before the program binds it.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 200) * 100;
    let offset = u16::try_from(first).expect("less than 20000");
    let mut candidates = iter::repeat_with(|| 10_000 + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    candidates.find(is_free).expect("the candidates do not end")
}
