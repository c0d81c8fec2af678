//! Making a connection: whom to ask, TLS, who we are, and whether it is what we look for.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline, RedisConnectionInfo, Value};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::bounded::Bounded;
use super::login::Login;
use super::settings::{Host, Settings};
use super::{sentinel, tls};

/// How a server is reached, whichever it is.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    /// What TLS is spoken with, if it is.
    pub(super) tls: Option<&'a Arc<ClientConfig>>,
    /// Bytes that a reply may have.
    pub(super) most: usize,
    /// How long a step may take.
    pub(super) patience: Duration,
}

/// A connection that was made, and answers.
pub(super) struct Dialled {
    /// What commands are sent on.
    pub(super) connection: MultiplexedConnection,
    /// What moves its bytes; it ends when the connection does, and ends the connection when it is dropped.
    pub(super) driver: BoxFuture<'static, ()>,
    /// Why reading from it came to a bad end, once it has.
    pub(super) broke: Arc<OnceLock<String>>,
}

/// Dials the server that `settings` name; `most` bytes may a reply of its have.
///
/// # Errors
/// Why none was reached, in words.
pub(super) async fn dial(settings: &Settings, most: usize) -> Result<Dialled, String> {
    let login = Login::read(settings)?;
    let dialled = find(settings, login.as_ref(), most).await;
    dialled.map_err(|why| login.map_or(why.clone(), |login| login.hide(&why)))
}

async fn find(settings: &Settings, login: Option<&Login<'_>>, most: usize) -> Result<Dialled, String> {
    let tls = if settings.servers.tls { Some(tls::client(settings.ca.as_deref())?) } else { None };
    let manner = Manner { tls: tls.as_ref(), most, patience: settings.timeout.max(PATIENCE) };
    let mut hello = Pipeline::new();
    if let Some(login) = login {
        hello.add_command(login.command());
    }
    if settings.servers.database != 0 {
        hello.cmd("SELECT").arg(settings.servers.database);
    }
    let Some(name) = &settings.sentinel else {
        hello.cmd("PING");
        let host = settings.servers.hosts.first().ok_or("no host")?;
        return Ok(reach(host, manner, &hello).await?.0);
    };
    let host = sentinel::master(&settings.servers.hosts, manner, login, name).await?;
    hello.cmd("ROLE");
    let (dialled, replies) = reach(&host, manner, &hello).await?;
    // Sentinels may be behind, and what was the master a moment ago may not know yet that it is none.
    match replies.last() {
        Some(Value::Array(role)) if role.first() == Some(&Value::BulkString(b"master".into())) => Ok(dialled),
        _ => Err(format!("`{host}` is not the master that the sentinels take it for")),
    }
}

/// Connects to one of the addresses of `host` and says `hello`, to which no error may be the answer.
pub(super) async fn reach(host: &Host, manner: Manner<'_>, hello: &Pipeline) -> Result<(Dialled, Vec<Value>), String> {
    let patience = manner.patience;
    let wrong = |why: String| format!("`{host}`: {why}");
    let addresses = timeout(patience, lookup_host((host.name.as_str(), host.port))).await;
    let addresses = addresses.map_err(|_| wrong("its name is not resolved in time".into()))?;
    let mut why = "it has no address".to_string();
    for address in addresses.map_err(|error| wrong(error.to_string()))?.take(ADDRESSES) {
        let said = timeout(patience, greet(host, address, manner, hello)).await;
        match said.unwrap_or_else(|_| Err(format!("no connection within {patience:?}"))) {
            Ok(dialled) => return Ok(dialled),
            Err(error) => why = error,
        }
    }
    Err(wrong(why))
}

async fn greet(
    host: &Host,
    address: SocketAddr,
    manner: Manner<'_>,
    hello: &Pipeline,
) -> Result<(Dialled, Vec<Value>), String> {
    let tcp = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    tcp.set_nodelay(true).map_err(|error| error.to_string())?;
    let dialled = match manner.tls {
        None => speak(tcp, manner.most).await?,
        Some(config) => {
            let name = ServerName::try_from(host.name.clone()).map_err(|error| error.to_string())?;
            let stream = TlsConnector::from(config.clone()).connect(name, tcp).await;
            speak(stream.map_err(|error| format!("TLS: {error}"))?, manner.most).await?
        }
    };
    let Dialled { mut connection, mut driver, broke } = dialled;
    let replies = tokio::select! {
        replies = connection.send_packed_commands(hello, 0, hello.len()) => replies.map_err(|error| error.to_string())?,
        () = &mut driver => return Err(broke.get().map_or("it closes the connection", String::as_str).to_string()),
    };
    match replies.iter().find_map(refusal) {
        Some(why) => Err(why),
        None => Ok((Dialled { connection, driver, broke }, replies)),
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, most: usize) -> Result<Dialled, String> {
    // Nothing is said here that we do not say ourselves.
    let silent = RedisConnectionInfo::default().set_skip_set_lib_name();
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let broke = Arc::default();
    let stream = Bounded::new(stream, most, Arc::clone(&broke));
    let made = MultiplexedConnection::new_with_config(&silent, stream, config).await;
    let (connection, driver) = made.map_err(|error| error.to_string())?;
    Ok(Dialled { connection, driver: driver.boxed(), broke })
}

/// What an error that the server answers says.
pub(super) fn refusal(reply: &Value) -> Option<String> {
    let Value::ServerError(error) = reply else { return None };
    let said = [error.code(), error.details().unwrap_or_default()].join(" ");
    Some(said.chars().take(LONGEST_REFUSAL).collect())
}

/// What a server is whose refusal to write says this.
pub(super) fn takes_nothing(refusal: &str) -> String {
    format!("it takes nothing new: {refusal}")
}

/// How long a step of making a connection may take at least, whatever an operation may; no pull waits for it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Addresses of one name that are tried.
const ADDRESSES: usize = 8;
/// Letters of what a server says that are told on.
const LONGEST_REFUSAL: usize = 300;

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::super::Servers;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_step_may_take_as_long_as_an_operation_and_a_second_at_least() {
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = silent.local_addr().expect("it is bound");
        for (timeout, patience) in [(200, 1000), (3000, 3000)].map(|(one, other)| (ms(one), ms(other))) {
            let servers = Servers::parse(&format!("redis://{address}"), false).expect("a URL");
            let (sentinel, username, password_file, ca) = (None, None, None, None);
            let settings = Settings { servers, sentinel, username, password_file, ca, timeout, evidence: timeout };
            let began = Instant::now();
            let why = dial(&settings, 100).await.err().expect("nobody answers");
            assert_eq!(why, format!("`{address}`: no connection within {patience:?}"));
            assert!(began.elapsed() >= patience, "{:?}", began.elapsed());
        }
    }

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }
}
