//! Files of TLS that are replaced while the proxy runs: new connections are made with the new ones.

use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::Upstream;
use super::tls::Material;
use crate::pem::TlsFileError;

impl Upstream {
    /// Looks after what was read from files for ever: every few seconds, whether it has changed. What is wrong changes
    /// nothing, and is told once.
    pub async fn keep(&self) {
        if !self.settings.tls.has_files() {
            return;
        }
        let (mut used, mut told) = (self.made_from.clone(), None);
        loop {
            sleep(TICK).await;
            let tls = self.settings.tls.clone();
            if let Ok(read) = spawn_blocking(move || tls.read()).await {
                self.turn(read, &mut used, &mut told);
            }
        }
    }

    /// Takes what was read now in the place of what is `used`; `told` is the last mistake in the log.
    pub(super) fn turn(&self, read: Result<Material, TlsFileError>, used: &mut Material, told: &mut Option<String>) {
        let registry = self.settings.registry.as_str();
        let wrong = match read {
            Ok(same) if same == *used => None,
            Ok(other) => match self.settings.clients(&other).and_then(|clients| {
                self.redirector.renew(&self.settings, &other)?;
                Ok(clients)
            }) {
                Ok(clients) => {
                    self.connection.clients.store(clients.into());
                    *used = other;
                    tracing::info!(registry, "certificates reloaded");
                    None
                }
                Err(error) => Some(error.to_string()),
            },
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = wrong.as_ref().filter(|_| wrong != *told) {
            tracing::error!(registry, %error, "certificates cannot be reloaded; those in force stay");
        }
        *told = wrong;
    }
}

const TICK: Duration = Duration::from_secs(5);
