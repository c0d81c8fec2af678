//! `countersign verify REF`: what the proxy would answer, and why: every piece of evidence, and what each authority
//! said of it.
//!
//! The pull itself is the proxy's own, down to the decision; this command only tells what it saw.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Output;
use super::report::CONFIGURATION;
use super::serve::{block_on, complain};
use crate::app::{self, StartError};
use crate::config::{self, Config, ConfigErrors};
use crate::oci::Registry;
use crate::reason::{Class, Reason};
use crate::upstream::Credentials;

mod advice;

mod evidence;

mod json;

pub(super) mod reference;

mod report;

mod requirement;

mod text;

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

/// Explains the pull and returns the exit code: 0 it would be served, 1 denied, 2 could not tell, 64 or 78.
pub(super) fn run(arguments: &Arguments, out: &mut (impl io::Write + IsTerminal)) -> u8 {
    let configured = match arguments.config.as_ref().map(|path| Config::load(path, config::environment())).transpose() {
        Ok(configured) => configured,
        Err(errors) => return complain(&errors.to_string(), CONFIGURATION),
    };
    let known = configured.as_ref().map(app::registries).unwrap_or_default();
    let pull = match reference::parse(&arguments.reference, &known) {
        Ok(pull) => pull,
        Err(why) => return complain(&why, super::USAGE),
    };
    let mut config = match configured.map_or_else(|| for_one(&pull.image.registry, arguments), Ok) {
        Ok(config) => config,
        Err(errors) => return complain(&errors.to_string(), CONFIGURATION),
    };
    if let Some(policy) = &arguments.policy {
        config.policy_path.clone_from(policy);
    }
    let explained = block_on(async { Ok::<_, StartError>(app::explainer(&config).await?.explain(&pull).await) });
    let explanation = match explained {
        Ok(Ok(explanation)) => explanation,
        // A trusted root in a file that is wrong is the policy's mistake; one that cannot be had leaves it open.
        Ok(Err(error @ (StartError::Policy(_) | StartError::Upstream { .. }))) => {
            return complain(&error.to_string(), CONFIGURATION);
        }
        Ok(Err(error)) => return complain(&error.to_string(), UNKNOWN),
        Err(error) => return complain(&format!("cannot run: {error}"), UNKNOWN),
    };
    let configured: Vec<_> = config.upstreams.iter().map(|upstream| upstream.registry.clone()).collect();
    let report = report::Report::of(&pull, &explanation, &configured);
    let written = match arguments.output {
        Output::Json => json::write(&report, out),
        Output::Text => {
            let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            text::write(&report, colour, out)
        }
    };
    match written {
        Ok(()) => code(report.reason),
        Err(error) => complain(&format!("cannot print the result: {error}"), UNKNOWN),
    }
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
