//! The composition root: from a configuration to a running proxy. The only file that names every module.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::admin;
use crate::client::Clients;
use crate::clock::Clock;
use crate::config::Config;
use crate::listener::{self, ClientAddress, Tls};
use crate::middleware;
use crate::oci::Registry;
use crate::pem::TlsFileError;
use crate::policy;
use crate::proxy::{Proxy, Ready};
use crate::pull::Puller;
use crate::route::Registries;
use crate::snapshot::Current;
use crate::store::embedded::OpenError;
use crate::store::keys::KeyError;
use crate::telemetry::Metrics;
use crate::trust;
use crate::yaml::FileErrors;

mod puller;

mod reload;

mod store;

use puller::puller;
pub use puller::{Parts, assemble, explainer, resolve, warmer};
pub use reload::Reloader;
use store::Remembered;
pub use store::{Memory, NotStored};

/// A proxy that is serving.
#[derive(Debug)]
pub struct Running {
    /// Where clients connect.
    pub address: SocketAddr,
    /// Where metrics and health are.
    pub admin: SocketAddr,
    reloader: Reloader,
    /// Keeps trusted roots and certificates up to date.
    keeper: JoinHandle<()>,
    readiness: Arc<admin::Readiness>,
    remembered: Remembered,
    /// The pulls, then the operator's listener: it says that pulls drain until they have.
    listeners: [(watch::Sender<bool>, JoinHandle<()>); 2],
}

/// Why a proxy could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address could not be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The certificate for clients, or its key.
    #[error("the certificate for clients (`listen.tls`): {0}")]
    Certificate(#[from] TlsFileError),
    /// The policy file is wrong.
    #[error("{0}")]
    Policy(#[from] policy::file::PolicyErrors),
    /// A trusted root could not be had.
    #[error("{0}")]
    TrustRoots(FileErrors),
    /// The system has no randomness to give.
    #[error("no randomness for the store's key")]
    Randomness,
    /// The store cannot be opened.
    #[error("{0}")]
    Store(#[from] OpenError),
    /// The store's keys cannot be had.
    #[error("{0}")]
    StoreKey(#[from] KeyError),
    /// Records that are kept need a key that is kept.
    #[error("`store.keys` is missing")]
    NoKeys,
    /// The client of an upstream could not be made.
    #[error("upstream `{registry}`: {why}")]
    Upstream {
        /// Which one.
        registry: Registry,
        /// Why.
        why: String,
    },
}

impl StartError {
    /// Whether another process has the store.
    pub fn is_store_held(&self) -> bool {
        matches!(self, Self::Store(OpenError::Held { .. }))
    }
}

/// Starts the proxy that `config` describes.
///
/// # Errors
/// If the policy is wrong, an address is taken, or an upstream's client cannot be made.
pub async fn start(config: Config) -> Result<Running, StartError> {
    start_on(config, None).await
}

/// Starts the proxy that `config` describes, on a store that is `given` instead of the one in `config`.
///
/// # Errors
/// As [`start`].
pub async fn start_on(config: Config, given: Option<Memory>) -> Result<Running, StartError> {
    let metrics = Arc::new(Metrics::new());
    let clock = Arc::new(Clock::default());
    let reloader = reloader(&config, &clock, &metrics).await?;
    let shown = config.listen.tls.clone();
    let tls = shown.map(|shown| Tls::load(shown.own, shown.http2, metrics.certificate())).transpose()?.map(Arc::new);
    let (tcp, address) = bind(config.listen.address).await?;
    let (admin_tcp, admin_address) = bind(config.admin).await?;
    let proxy = Arc::new(proxy(&config, reloader.current(), clock, &metrics, given)?);
    let upstreams = proxy.puller.upstreams.clone();
    let remembered = Remembered::of(&proxy.puller);
    let options = listener::Options {
        tls: tls.clone(),
        max_connections: config.listen.max_connections,
        header_timeout: config.listen.header_timeout,
        drain: config.listen.drain,
    };
    let ready = proxy.clone();
    let at_once = move |request: &http::Request<ClientAddress>| ready.at_once(request);
    let answer = move |request: http::Request<ClientAddress>| {
        let proxy = proxy.clone();
        // Boxed here, where it is made: it is large, and every layer would move it.
        Box::pin(async move { proxy.answer(&request.into_parts().0).await })
    };
    let handler = middleware::stack(at_once, answer, metrics.clone());
    let readiness = Arc::new(admin::Readiness::ready());
    let (stop, stopped) = watch::channel(false);
    let pulls = tokio::spawn(listener::serve(tcp, handler, options, metrics.clone(), stopped));
    let (admin_stop, stopped) = watch::channel(false);
    let operator = tokio::spawn(admin::serve(admin_tcp, metrics.clone(), readiness.clone(), stopped));
    let kept = reloader.clone();
    let keeper = tokio::spawn(async move {
        let shown = join_all(tls.iter().map(|tls| tls.keep()));
        tokio::join!(kept.keep(), join_all(upstreams.values().map(|upstream| upstream.keep())), shown);
    });
    let listeners = [(stop, pulls), (admin_stop, operator)];
    Ok(Running { address, admin: admin_address, reloader, keeper, readiness, remembered, listeners })
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen = |error| StartError::Listen { address, error };
    let tcp = TcpListener::bind(address).await.map_err(listen)?;
    let bound = tcp.local_addr().map_err(listen)?;
    Ok((tcp, bound))
}

/// Reads everything that can change while the proxy runs.
async fn reloader(config: &Config, clock: &Arc<Clock>, metrics: &Arc<Metrics>) -> Result<Reloader, StartError> {
    let trust = trust::Upkeep { settings: config.trust.clone(), clock: clock.clone(), metrics: metrics.trust() };
    let registries = config.upstreams.iter().map(|upstream| upstream.registry.clone()).collect();
    Reloader::start(config.policy_path.clone(), config.audit, registries, metrics.clone(), trust).await
}

fn proxy(
    config: &Config,
    current: Arc<Current>,
    clock: Arc<Clock>,
    metrics: &Arc<Metrics>,
    given: Option<Memory>,
) -> Result<Proxy, StartError> {
    let puller = puller(config, current, clock, metrics, None, given)?;
    let clients = Clients::anonymous(config.clients.iter().flat_map(|client| client.may.clone()).collect());
    let public_url = config.listen.public_url.as_ref().map_or("", |url| url.as_str());
    let public_origin = public_url.trim_end_matches('/').to_string();
    let (registries, metrics) = (registries(config), metrics.clone());
    let catalogs =
        config.upstreams.iter().filter(|upstream| upstream.catalog).map(|one| one.registry.clone()).collect();
    Ok(Proxy { registries, catalogs, clients, public_origin, puller, metrics, ready: Ready::default() })
}

/// Returns when what `puller` has learned is in its store.
///
/// # Errors
/// If some of it is not.
pub async fn written(puller: &Puller) -> Result<(), NotStored> {
    Remembered::of(puller).written().await
}

/// The registries of `config`, by name and alias.
pub fn registries(config: &Config) -> Registries {
    Registries::new(config.upstreams.iter().map(|upstream| (upstream.registry.clone(), upstream.aliases.clone())))
}

impl Running {
    /// What SIGHUP does.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Stops accepting, lets what is in flight finish, and returns when it has.
    pub async fn shutdown(self) {
        self.readiness.draining();
        self.keeper.abort();
        for (stop, task) in self.listeners {
            // Nobody listening any more means that it has stopped already.
            let _ = stop.send(true);
            if let Err(error) = task.await {
                tracing::error!(%error, "a listener ended badly");
            }
        }
        // What is not has been said; it is verified again.
        let _ = self.remembered.written().await;
    }
}
