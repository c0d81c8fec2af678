//! Asking in this process, with the configured store, for all proxies that share it.

use crate::cli::report::CONFIGURATION;
use crate::cli::serve::complain;
use crate::config::Config;

/// What keeps this process from leaving anything warm under `config`; it has been said, and gives the exit code.
pub(super) fn refused(_: &Config) -> u8 {
    let why = "`store.kind` is `memory`, which is gone when this command ends; \
               configure another, or name running proxies with `--proxy URL`";
    complain(why, CONFIGURATION)
}
