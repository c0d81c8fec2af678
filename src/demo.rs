//! `countersign demo`: a registry, a Sigstore and the proxy in one process, and pulls through it that must be served or
//! refused.
//!
//! It shows the program as it is: the proxy starts from a configuration file as `serve` does and is asked over HTTP.
//! Nothing of it is ever part of `serve`.

use std::io::{self, Write};
use std::net::SocketAddr;

use tokio::signal::unix::{SignalKind, signal};

pub mod cases;

pub mod client;

pub mod cosign;

pub mod images;

pub mod proxy;

pub mod registry;

pub mod server;

pub mod signer;

pub mod signers;

pub mod sigstore;

pub mod table;

mod answer;

mod contents;

mod predicates;

mod range;

mod tar;

use cases::Case;
use client::Client;
use proxy::Scratch;
use registry::Registry;
use signers::Signers;
use table::{Addresses, Row};

/// What the demo is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Colour the table.
    pub colour: bool,
    /// End after the table instead of serving until Ctrl-C.
    pub once: bool,
    /// What to break, so that the table must show it.
    pub sabotage: Option<Sabotage>,
}

/// A way to break the demo on purpose: with either, it must find that not every pull came out as it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The policy file has no policies.
    EmptyPolicy,
    /// What the policy would allow is not signed.
    Unsigned,
}

/// Runs the demo, and returns whether every pull was answered as it must be.
///
/// # Errors
/// If a part does not start, a pull ends without an answer, or `out` cannot be written.
pub async fn run(options: Options, out: &mut impl Write) -> io::Result<bool> {
    let upstream = Registry::new(registry::Options::default());
    let name = upstream.options().name.clone();
    let signers = Signers::new()?;
    let cases = cases::prepare(&upstream, &signers, options.sabotage != Some(Sabotage::Unsigned))?;
    let serving = upstream.serve().await?;

    let policy = match options.sabotage {
        Some(Sabotage::EmptyPolicy) => proxy::EMPTY_POLICY.to_string(),
        Some(Sabotage::Unsigned) | None => signers.policy(&name) + &signers.exemptions(&name)?,
    };
    let scratch = Scratch::new()?;
    scratch.add(signers::TRUSTED_ROOT, &signers.sigstore.trusted_root_json())?;
    scratch.add(signers::VENDOR_KEY, &signers.key.public_pem())?;
    let config = scratch.write(&name, serving.address(), &policy)?;
    let audited = proxy::start_proxy(&scratch.write_audited(&config)?).await?;
    let proxy = proxy::start_proxy(&config).await?;
    let addresses = Addresses { proxy: proxy.address, admin: proxy.admin, registry: serving.address() };

    let shown = show(options, [proxy.address, audited.address], &cases, out).await;
    audited.shutdown().await;
    if shown.is_ok() && !options.once {
        write!(out, "{}", table::closing(addresses, &name, &policy))?;
        out.flush()?;
        stopped().await?;
    }
    proxy.shutdown().await;
    shown
}

/// Waits for Ctrl-C or SIGTERM, so that the temporary directory goes away with either.
async fn stopped() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// Pulls every row twice, through the proxy that enforces or the one that does not, and prints the table.
async fn show(
    options: Options,
    [enforcing, auditing]: [SocketAddr; 2],
    cases: &[Case],
    out: &mut impl Write,
) -> io::Result<bool> {
    let client = Client::new()?;
    // So that no row pays for the client's first connection.
    for proxy in [enforcing, auditing] {
        client.get(&format!("http://{proxy}/v2/")).await?;
    }
    let mut rows = Vec::with_capacity(cases.len());
    for case in cases {
        let proxy = if case.audited { auditing } else { enforcing };
        let url = format!("http://{proxy}{}", case.path);
        let cold = client.get(&url).await?;
        let warm = client.get(&url).await?;
        rows.push(Row::new(case, &cold, &warm));
    }
    write!(out, "{}", table::render(&rows, options.colour))?;
    Ok(rows.iter().all(Row::as_expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A proxy that enforces nothing is the registry itself.
    #[tokio::test]
    async fn a_proxy_that_enforces_nothing_is_noticed() {
        let upstream = Registry::new(registry::Options::default());
        let cases = cases::prepare(&upstream, &Signers::new().expect("keys"), true).expect("signs");
        let serving = upstream.serve().await.expect("it listens");
        let mut out = Vec::new();
        assert!(!show(Options::default(), [serving.address(); 2], &cases, &mut out).await.expect("answers"));
        let table = String::from_utf8(out).expect("text");
        assert_eq!(table.matches('✘').count(), cases.len() + 1, "{table}");
    }
}
