//! TLS towards clients: the certificate in force, and what is agreed upon with each connection.
//!
//! The files may be replaced while the proxy runs: connections from then on see the new certificate, and sessions
//! that were agreed upon under the old one are not resumed. What is wrong changes nothing, and is told once. It refuses
//! to answer plain HTTP with anything but the scheme that it speaks.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::stall::Stall;
use crate::pem::{OwnCertificate, Pair, TlsFileError};
use crate::telemetry::CertificateMetrics;

/// The TLS of a listener.
#[derive(Debug)]
pub struct Tls {
    files: OwnCertificate,
    http2: bool,
    config: ArcSwap<ServerConfig>,
    /// What the configuration was made from at first.
    made_from: Pair,
    metrics: CertificateMetrics,
}

/// What a connection turned out to be.
pub(super) enum Greeted {
    /// HTTP without TLS, as far as its first byte tells; nothing has been read of it.
    Plain(TcpStream),
    /// HTTP/1.1 over TLS.
    Http1(TlsStream<Stall<TcpStream>>),
    /// HTTP/2 over TLS.
    Http2(TlsStream<Stall<TcpStream>>),
}

impl Tls {
    /// Reads the files. `http2`: it is spoken with clients that offer it.
    ///
    /// # Errors
    /// If one of them cannot be used.
    pub fn load(files: OwnCertificate, http2: bool, metrics: CertificateMetrics) -> Result<Self, TlsFileError> {
        let pair = files.read()?;
        let config = configuration(&pair, http2).map_err(|error| unusable(&files, &error))?;
        metrics.in_force(expiry(&pair));
        Ok(Self { files, http2, config: ArcSwap::from_pointee(config), made_from: pair, metrics })
    }

    /// Looks after the files for ever: every few seconds, whether they have changed.
    pub async fn keep(&self) {
        let (mut used, mut told) = (self.made_from.clone(), None);
        loop {
            sleep(TICK).await;
            let files = self.files.clone();
            if let Ok(read) = spawn_blocking(move || files.read()).await {
                self.turn(read, &mut used, &mut told);
            }
        }
    }

    /// Takes what was read now in the place of what is `used`; `told` is the last mistake in the log.
    pub(super) fn turn(&self, read: Result<Pair, TlsFileError>, used: &mut Pair, told: &mut Option<TlsFileError>) {
        let new = match read {
            Ok(same) if same == *used => {
                *told = None;
                self.metrics.wrong(false);
                return;
            }
            Ok(new) => configuration(&new, self.http2)
                .map_err(|error| unusable(&self.files, &error))
                .map(|config| (new, config)),
            Err(error) => Err(error),
        };
        match new {
            Ok((new, config)) => {
                self.config.store(config.into());
                self.metrics.in_force(expiry(&new));
                self.metrics.reloaded(true);
                tracing::info!(path = %self.files.certificate.display(), "certificate reloaded");
                (*used, *told) = (new, None);
            }
            Err(error) => {
                if told.as_ref() != Some(&error) {
                    self.metrics.reloaded(false);
                    tracing::error!(%error, "the certificate cannot be reloaded; the one in force stays");
                }
                *told = Some(error);
            }
        }
    }

    /// Agrees upon TLS with a new connection, within `patience`.
    pub(super) async fn greet(&self, stream: TcpStream, stall: Duration, patience: Duration) -> io::Result<Greeted> {
        let late = || Err(io::Error::new(io::ErrorKind::TimedOut, "no TLS came about in time"));
        let greeted = tokio::time::timeout(patience, self.agree(stream, stall)).await.unwrap_or_else(|_| late());
        if greeted.is_err() {
            self.metrics.handshake_failed();
        }
        greeted
    }

    async fn agree(&self, stream: TcpStream, stall: Duration) -> io::Result<Greeted> {
        let mut first = [0];
        // Methods begin with a letter, and no record of TLS with one.
        if stream.peek(&mut first).await? == 1 && first[0].is_ascii_alphabetic() {
            return Ok(Greeted::Plain(stream));
        }
        let agreed = TlsAcceptor::from(self.config.load_full()).accept(Stall::new(stream, stall)).await?;
        let http2 = agreed.get_ref().1.alpn_protocol() == Some(H2);
        Ok(if http2 { Greeted::Http2(agreed) } else { Greeted::Http1(agreed) })
    }
}

/// What the files say, as rustls wants it: TLS 1.2 and 1.3, no data before the handshake has ended (it could be sent
/// twice), and sessions in tickets that only this process can read, so that none of them takes memory.
fn configuration(pair: &Pair, http2: bool) -> Result<ServerConfig, rustls::Error> {
    let resolver = Arc::new(SingleCertAndKey::from(pair.certified.as_ref().clone()));
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = Ticketer::new()?;
    config.send_tls13_tickets = 1;
    config.alpn_protocols = if http2 { vec![H2.to_vec(), HTTP_1_1.to_vec()] } else { vec![HTTP_1_1.to_vec()] };
    Ok(config)
}

fn unusable(files: &OwnCertificate, error: &rustls::Error) -> TlsFileError {
    TlsFileError { path: files.certificate.clone(), why: format!("it cannot be used: {error}") }
}

/// When the certificate expires, in seconds since 1970; 0 if that cannot be read.
fn expiry(pair: &Pair) -> i64 {
    let leaf = pair.certified.end_entity_cert().ok().and_then(|leaf| Certificate::from_der(leaf).ok());
    let until = leaf.map(|leaf| leaf.tbs_certificate.validity.not_after.to_unix_duration().as_secs());
    until.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(0)
}

const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// How often the files are looked at.
const TICK: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
