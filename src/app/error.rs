//! Why a proxy could not start.

use std::net::SocketAddr;

use crate::oci::Registry;
use crate::pem::TlsFileError;
use crate::policy;
use crate::store::embedded::OpenError;
use crate::store::keys::KeyError;
use crate::yaml::FileErrors;

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
