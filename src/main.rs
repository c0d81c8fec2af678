//! The `countersign` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything can make a TLS connection: one provider for the whole program.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return ExitCode::FAILURE;
    }
    countersign::cli::run()
}
