//! How trusted roots are kept up to date.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::telemetry::TrustMetrics;

/// What the configuration says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The directory where the last good of every TUF repository is kept; without one a restart needs the network.
    pub cache: Option<PathBuf>,
    /// How often TUF repositories are asked.
    pub refresh: Duration,
    /// How long metadata may have expired and go on to decide.
    pub max_stale: Duration,
}

/// What keeping them needs besides.
#[derive(Debug, Clone)]
pub struct Upkeep {
    /// What the configuration says of it.
    pub settings: Settings,
    /// The time.
    pub clock: Arc<Clock>,
    /// Where ages and refreshes are shown.
    pub metrics: TrustMetrics,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cache: None, refresh: Duration::from_hours(6), max_stale: Duration::ZERO }
    }
}
