//! Asking in this process, with the configured store, for all proxies that share it.

use super::UNKNOWN;
use crate::app::{self, StartError};
use crate::cli::report::CONFIGURATION;
use crate::cli::serve::complain;
use crate::config::{Config, Kind};
use crate::pull::Puller;
use crate::route::Registries;

/// What pulls as the proxy that `config` describes, and the registries that have names of their own there; what prevents
/// it has been said, and gives the exit code.
pub(super) async fn puller(config: &Config) -> Result<(Puller, Registries), u8> {
    if matches!(config.store.kind, Kind::Memory) {
        let why = "`store.kind` is `memory`, which is gone when this command ends; \
                   configure another, or name running proxies with `--proxy URL`";
        return Err(complain(why, CONFIGURATION));
    }
    let puller = app::warmer(config).await.map_err(|error| match error {
        error if error.is_store_held() => {
            complain(&format!("{error}; or ask that one: name it with `--proxy URL`"), UNKNOWN)
        }
        // What can only be had from elsewhere may be had the next time.
        StartError::TrustRoots(_) | StartError::Randomness => complain(&error.to_string(), UNKNOWN),
        error => complain(&error.to_string(), CONFIGURATION),
    })?;
    Ok((puller, app::registries(config)))
}
