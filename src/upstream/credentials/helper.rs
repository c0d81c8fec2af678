//! Docker's credential helpers: programs that are asked for the credentials of one server.
//!
//! Every answer is bounded in time and size; no shell is involved. The name comes from a file, so it may name nothing
//! but a program in an absolute directory of `PATH`.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::Secret;

/// A helper's name, without `docker-credential-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::upstream) struct Helper(String);

/// What a helper knows of a server.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::upstream) enum Answer {
    /// A user's name and password.
    Password(String, Secret),
    /// A token for the token server.
    Identity(Secret),
    /// Nothing.
    NotFound,
}

/// How asking a helper failed. What it wrote to its standard output is repeated only where it cannot be credentials.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// It ended badly.
    #[error("`{program}` failed ({status}): {said}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The first line of what it said, without control characters.
        said: String,
    },
    /// Its answer is not what helpers answer.
    #[error("`{program}` did not answer with `Username` and `Secret` in JSON")]
    Malformed {
        /// The program.
        program: String,
    },
    /// There is no such program.
    #[error("`{program}` is not in an absolute directory of PATH")]
    NotInPath {
        /// The program.
        program: String,
    },
    /// It could not be started, or spoken to.
    #[error("`{program}` cannot be run: {source}")]
    NotRun {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// It was still running after that time, and was ended.
    #[error("`{program}` did not answer within {} s", within.as_secs())]
    Timeout {
        /// The program.
        program: String,
        /// The time that it had.
        within: Duration,
    },
    /// Its answer is longer than any.
    #[error("`{program}` answered with more than {MAX_ANSWER} bytes")]
    TooLong {
        /// The program.
        program: String,
    },
}

impl Helper {
    /// The helper called `name`, if that can be part of a program's name and nothing else.
    pub(in crate::upstream) fn new(name: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let good = !name.is_empty() && name.len() <= 100 && name.bytes().all(plain);
        good.then(|| Self(name.to_string()))
    }

    /// The program's name.
    pub(in crate::upstream) fn program(&self) -> String {
        format!("docker-credential-{}", self.0)
    }

    /// Where the program is; relative directories of `search`, such as the empty one, do not count.
    pub(super) fn find(&self, search: &OsStr) -> Option<PathBuf> {
        let folders = std::env::split_paths(search).filter(|folder| folder.is_absolute());
        folders.map(|folder| folder.join(self.program())).find(|path| is_executable(path))
    }

    /// Asks for the credentials of `server`; what runs longer than `within` is ended.
    pub(super) async fn get(&self, search: &OsStr, server: &str, within: Duration) -> Result<Answer, HelperError> {
        let program = || self.program();
        let path = self.find(search).ok_or_else(|| HelperError::NotInPath { program: program() })?;
        let mut child = command(&path).spawn().map_err(|source| HelperError::NotRun { program: program(), source })?;
        let said = timeout(within, converse(&mut child, server)).await;
        let said = match said {
            Ok(Ok(Some(said))) => said,
            other => {
                // It may have ended by itself meanwhile.
                let _ = child.kill().await;
                return Err(match other {
                    Ok(Err(source)) => HelperError::NotRun { program: program(), source },
                    Ok(_) => HelperError::TooLong { program: program() },
                    Err(_) => HelperError::Timeout { program: program(), within },
                });
            }
        };
        if !said.status.success() {
            return said.failure(program());
        }
        parse(&said.answer).ok_or_else(|| HelperError::Malformed { program: program() })
    }
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// `get`, in our environment without our own settings: those may hold secrets that are none of its business.
fn command(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"COUNTERSIGN__") {
            command.env_remove(name);
        }
    }
    command
}

/// All that a helper said.
struct Said {
    status: ExitStatus,
    answer: Vec<u8>,
    complaint: Vec<u8>,
}

/// Tells the helper the server, and listens until it has ended; nothing if it does not stop talking.
async fn converse(child: &mut Child, server: &str) -> io::Result<Option<Said>> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(mut stderr)) = (stdin, stdout, stderr) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let tell = async {
        // One that does not want to know may answer all the same.
        let _ = stdin.write_all(server.as_bytes()).await;
        drop(stdin);
        io::Result::Ok(())
    };
    let complaint = async {
        let complaint = at_most(&mut stderr, MAX_COMPLAINT).await?;
        // It goes on until nobody wants to say more: a full pipe would stop it.
        tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await?;
        Ok(complaint)
    };
    let answer = async {
        let answer = at_most(stdout, MAX_ANSWER + 1).await?;
        if answer.len() as u64 > MAX_ANSWER { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(answer) }
    };
    match tokio::try_join!(tell, answer, complaint) {
        Ok(((), answer, complaint)) => Ok(Some(Said { status: child.wait().await?, answer, complaint })),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(None),
        Err(error) => Err(error),
    }
}

async fn at_most(from: impl AsyncRead + Unpin, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

impl Said {
    /// Nothing found, which helpers say this way, or what went wrong.
    fn failure(&self, program: String) -> Result<Answer, HelperError> {
        let answer = String::from_utf8_lossy(&self.answer);
        if answer.trim() == NOT_FOUND {
            return Ok(Answer::NotFound);
        }
        let complaint = String::from_utf8_lossy(&self.complaint);
        let lines = [first_line(&complaint), first_line(&answer).filter(|line| !line.contains('{'))];
        let said = lines.into_iter().flatten().next().unwrap_or_else(|| "it did not say why".to_string());
        Err(HelperError::Failed { program, status: self.status, said })
    }
}

/// The first line that says something, without control characters and not too long.
fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_LINE).collect())
}

fn parse(answer: &[u8]) -> Option<Answer> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Raw {
        username: String,
        secret: Secret,
    }
    let raw: Raw = serde_json::from_slice(answer).ok()?;
    match (raw.username.as_str(), raw.secret.expose()) {
        ("", "") => Some(Answer::NotFound),
        ("", _) | (_, "") => None,
        (IDENTITY, _) => Some(Answer::Identity(raw.secret)),
        _ => Some(Answer::Password(raw.username, raw.secret)),
    }
}

/// What helpers print where they have nothing.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The user name that stands for no user: the secret is an identity token.
const IDENTITY: &str = "<token>";
const MAX_ANSWER: u64 = 64 << 10;
const MAX_COMPLAINT: u64 = 4 << 10;
/// Characters.
const MAX_LINE: usize = 200;

#[cfg(test)]
pub(in crate::upstream) mod tests;
