//! Sentinels: they know which of several servers is the master now.

use redis::{Pipeline, Value};

use super::dial::{Manner, reach};
use super::login::Login;
use super::settings::Host;

/// The master of that `name`, as the first sentinel says that answers.
///
/// # Errors
/// Why none says it.
pub(super) async fn master(
    sentinels: &[Host],
    manner: Manner<'_>,
    login: Option<&Login<'_>>,
    name: &str,
) -> Result<Host, String> {
    let manner = Manner { most: LONGEST_ANSWER, ..manner };
    let mut why = "no sentinel".to_string();
    for sentinel in sentinels {
        let mut answer = reach(sentinel, manner, &question(None, name)).await;
        // Most let everybody ask. Those that do not are told who we are.
        if login.is_some() && answer.as_ref().is_err_and(|why| why.contains("NOAUTH")) {
            answer = reach(sentinel, manner, &question(login, name)).await;
        }
        match answer.map(|(_, replies)| replies.last().and_then(host)) {
            Ok(Some(master)) => return Ok(master),
            Ok(None) => why = format!("the sentinel `{sentinel}` knows no master `{name}`"),
            Err(error) => why = format!("sentinel {error}"),
        }
    }
    Err(why)
}

fn question(login: Option<&Login<'_>>, name: &str) -> Pipeline {
    let mut question = Pipeline::new();
    if let Some(login) = login {
        question.add_command(login.command());
    }
    question.cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    question
}

/// A host out of `[name or address, port]`.
fn host(reply: &Value) -> Option<Host> {
    let Value::Array(parts) = reply else { return None };
    let [Value::BulkString(name), Value::BulkString(port)] = parts.as_slice() else { return None };
    let name = String::from_utf8(name.clone()).ok()?;
    let port = std::str::from_utf8(port).ok()?.parse().ok()?;
    Some(Host { name, port })
}

const LONGEST_ANSWER: usize = 4096;
