//! What the pulls of a proxy are made with that is not a number.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Clock;
use crate::oci::Registry;
use crate::pull::Witness;
use crate::record::Seal;
use crate::snapshot::Current;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::upstream::Upstream;

/// What pulls are made with, besides the numbers of a configuration.
pub struct Parts {
    /// The registries behind the proxy, by name.
    pub upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
    /// What outlives a request.
    pub store: Arc<dyn Store>,
    /// What the store's records are sealed with.
    pub seal: Arc<Seal>,
    /// Policies and trust.
    pub current: Arc<Current>,
    /// The time.
    pub clock: Arc<Clock>,
    /// Where everything is counted.
    pub metrics: Arc<Metrics>,
    /// Who keeps what was seen, where it is to be explained.
    pub witness: Option<Arc<Witness>>,
}
