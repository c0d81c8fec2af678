//! `countersign verify REF`: what the proxy would answer, and why: every piece of evidence, and what each authority
//! said of it.
//!
//! The pull itself is the proxy's own, down to the decision; this command only tells what it saw.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Output;
use super::colour::Paint;
use super::report::CONFIGURATION;
use super::serve::{block_on, complain};
use crate::app::{self, StartError};
use crate::config::{self, Config, ConfigErrors};
use crate::oci::Registry;
use crate::reason::{Class, Reason};
use crate::upstream::Credentials;

mod advice;

mod considered;

mod evidence;

mod explain;

mod json;

pub(super) mod reference;

pub(super) mod report;

mod requirement;

mod text;

mod tree;

mod view;

/// What the command may be told.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("source").args(["policy", "config"]).required(true).multiple(true))]
pub(super) struct Arguments {
    /// The image, such as `registry.company.com/app:1` or `registry.company.com/app@sha256:…`.
    #[arg(value_name = "REF")]
    reference: String,
    /// The policy to judge by: a file, or a directory of them. With `--config`, in the place of the configured one.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The configuration of `serve`: registries, credentials, limits and policy. Without it the registry in REF is
    /// asked over HTTPS, anonymously.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Without `--config`: the `config.json` that holds the credentials for the registry.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    docker_config: Option<PathBuf>,
    /// Without `--config`: ask the registry over plain HTTP, where anybody on the way can change the answers.
    #[arg(long, conflicts_with = "config")]
    insecure_plain_http: bool,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// What is told of the pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// All evidence, and what each authority said of it.
    Evidence,
    /// The tree of each policy.
    Trees,
}

/// Explains the pull and returns the exit code: 0 it would be served, 1 denied, 2 could not tell, 64 or 78.
pub(super) fn run(arguments: &Arguments, told: Told, out: &mut (impl io::Write + IsTerminal)) -> u8 {
    let report = match report(arguments) {
        Ok(report) => report,
        Err(code) => return code,
    };
    let written = match (told, arguments.output) {
        (Told::Evidence, Output::Json) => json::write(&report, out),
        (Told::Evidence, Output::Text) => text::write(&report, Paint::on(out), out),
        (Told::Trees, Output::Json) => explain::json(&report, out),
        (Told::Trees, Output::Text) => explain::text(&report, Paint::on(out), out),
    };
    match written {
        Ok(()) => code(report.reason),
        Err(error) => complain(&format!("cannot print the result: {error}"), UNKNOWN),
    }
}

/// Asks, and judges as a proxy would; what prevents it has been said, and gives the exit code.
fn report(arguments: &Arguments) -> Result<report::Report, u8> {
    let wrong = |errors: ConfigErrors| complain(&errors.to_string(), CONFIGURATION);
    let configured = arguments.config.as_ref().map(|path| Config::load(path, config::environment())).transpose();
    let configured = configured.map_err(wrong)?;
    let known = configured.as_ref().map(app::registries).unwrap_or_default();
    let pull = reference::parse(&arguments.reference, &known).map_err(|why| complain(&why, super::USAGE))?;
    let mut config = configured.map_or_else(|| for_one(&pull.image.registry, arguments), Ok).map_err(wrong)?;
    if let Some(policy) = &arguments.policy {
        config.policy_path.clone_from(policy);
    }
    let explained = block_on(async { Ok::<_, StartError>(app::explainer(&config).await?.explain(&pull).await) });
    let explained = explained.map_err(|error| complain(&format!("cannot run: {error}"), UNKNOWN))?;
    let explanation = explained.map_err(|error| match error {
        // A trusted root in a file that is wrong is the policy's mistake; one that cannot be had leaves it open.
        StartError::Policy(_) | StartError::Upstream { .. } => complain(&error.to_string(), CONFIGURATION),
        error => complain(&error.to_string(), UNKNOWN),
    })?;
    let configured: Vec<_> = config.upstreams.iter().map(|upstream| upstream.registry.clone()).collect();
    Ok(report::Report::of(&pull, &explanation, &configured))
}

/// The configuration of a proxy before `registry` alone: what a file without anything else would say.
fn for_one(registry: &Registry, arguments: &Arguments) -> Result<Config, ConfigErrors> {
    let mut upstream = json!({});
    if arguments.insecure_plain_http {
        upstream = json!({ "dial": format!("http://{registry}"), "tls": { "insecurePlainHttp": true } });
    }
    // The policy's path comes from the command line: it need not be UTF-8.
    let whole = json!({
        "upstreams": { registry.as_str(): upstream },
        "policy": { "path": "policy.yaml" },
        "store": { "kind": "memory" },
    });
    let mut config = Config::parse(&whole.to_string(), "the command line", Path::new(""), std::iter::empty())?;
    if let Some(path) = &arguments.docker_config {
        for upstream in &mut config.upstreams {
            upstream.credentials = Credentials::DockerConfig(path.clone());
        }
    }
    Ok(config)
}

/// 0 yes, 1 no, 2 could not tell: nothing was judged, say, because the registry does not have the image.
fn code(reason: Reason) -> u8 {
    match reason.class() {
        Class::Allow => 0,
        Class::Deny => 1,
        Class::Unavailable | Class::Request(_) => UNKNOWN,
    }
}

const UNKNOWN: u8 = 2;
