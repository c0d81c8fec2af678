//! `countersign serve`: runs the proxy until SIGTERM or SIGINT; SIGHUP reads the policy again.

use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::report::CONFIGURATION;
use crate::app::{self, StartError};
use crate::config::{self, Config};
use crate::telemetry;

/// Serves what the configuration at `path` describes, and returns the exit code.
pub fn run(path: &Path, audit: bool) -> u8 {
    let mut config = match Config::load(path, config::environment()) {
        Ok(config) => config,
        Err(errors) => return complain(&errors.to_string(), CONFIGURATION),
    };
    config.audit |= audit;
    if let Err(error) = telemetry::log::install(config.log.json, &config.log.level) {
        return complain(&error.to_string(), CONFIGURATION);
    }
    match block_on(serve(config)) {
        Ok(Ok(())) => 0,
        Ok(Err(error @ (StartError::Policy(_) | StartError::Store(_) | StartError::StoreKey(_)))) => {
            complain(&error.to_string(), CONFIGURATION)
        }
        Ok(Err(error)) => complain(&error.to_string(), 1),
        Err(error) => complain(&format!("cannot start: {error}"), 1),
    }
}

async fn serve(config: Config) -> Result<(), StartError> {
    let listen = config.listen.address;
    let failed = |error| StartError::Listen { address: listen, error };
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let audit = config.audit;
    let running = app::start(config).await?;
    tracing::info!(address = %running.address, admin = %running.admin, audit, "serving");
    loop {
        tokio::select! {
            // Beside: a TUF repository that is new may take its time, and must not hold up the end.
            _ = hangup.recv() => drop(tokio::spawn(reload(running.reloader()))),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    tracing::info!("draining");
    running.shutdown().await;
    Ok(())
}

async fn reload(reloader: app::Reloader) {
    // It says in the log what came of it.
    let _ = reloader.reload().await;
}

/// Runs a future on a fresh runtime. What still blocks at its end, such as a read of a disk that hangs, does not keep the
/// program.
///
/// # Errors
/// If the runtime could not be built.
pub(super) fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let output = runtime.block_on(future);
    runtime.shutdown_timeout(BLOCKED);
    Ok(output)
}

/// Says what is wrong, and gives back `code`.
pub(super) fn complain(message: &str, code: u8) -> u8 {
    // Nothing can be said if even this cannot be printed.
    let _ = writeln!(io::stderr(), "countersign: {message}");
    code
}

/// How long what blocks is waited for at the end; what had to be written is written by then.
const BLOCKED: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_blocks_for_ever_does_not_keep_the_program_from_ending() {
        let (end, held) = mpsc::channel::<()>();
        let begins_to_block = async {
            let (begun, blocks) = tokio::sync::oneshot::channel();
            drop(tokio::task::spawn_blocking(move || (begun.send(()), held.recv())));
            blocks.await
        };
        assert_eq!(block_on(begins_to_block).expect("a runtime"), Ok(()));
        // Only now can it end.
        drop(end);
    }
}
