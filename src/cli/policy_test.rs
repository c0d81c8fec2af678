//! `countersign policy test DIR`: whether a policy says of made-up images what its authors mean it to say.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use super::Output;
use super::colour::Paint;
use super::report::CONFIGURATION;
use super::serve::complain;
use super::verify::reference;
use crate::clock::Clock;
use crate::rehearsal::{self, Setting};
use crate::route::Registries;

mod junit;

mod report;

mod text;

use report::Report;

/// What the command may be told.
#[derive(Debug, clap::Args)]
#[command(after_help = "See `--help` for the format of test files.", after_long_help = FORMAT)]
pub(super) struct Arguments {
    /// A directory whose `*.yaml` are test files, or one such file.
    #[arg(value_name = "DIR")]
    path: PathBuf,
    /// The policy to test, a file or a directory, in the place of the one that each test file names.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    // Backticks would show in the help.
    #[arg(long, value_name = "FILE", help = "Write the result here as well, as JUnit XML")]
    junit: Option<PathBuf>,
}

const FORMAT: &str = "\
A test file:
  policy: ../policy.yaml                # relative to this file
  now: 2026-11-01T12:00:00Z             # the present; default: when the test runs
  signers:                              # names for `by`
    ci: { gitlab: myorg/app }           # a pipeline, as Fulcio certifies it; also `github:`; override with
                                        # `identity`, `issuer`, `sourceRepository`, `sourceRef`, …
    alice: { identity: alice@company.com, issuer: https://accounts.google.com }
    release: { key: release-key }       # whoever holds the private key of this authority of the policy
    nobody: { stranger: some key }      # a key that no authority has
  cases:
    - name: a stale scan
      image: registry.company.com/app:1.2    # a tag for `refuseTags`; or a digest, else one is made up
      annotations: { team: payments }        # of the manifest
      evidence:
        - signature: { by: ci }
        - attestation: { by: release, type: vuln, predicateFile: scan.json, signedAt: -8d }
      expect: { verdict: deny, reason: too_old, policy: company-images, detail: at most 7 days }

Evidence is one of
  signature: { by: … }                  with `signedAt` (an instant, or relative to the present), `format: bundle | legacy`,
                                        `logged: false`, `about: sha256:…` (made for another digest), `annotations` (signed)
  attestation: { by: …, type: … }       the same, and `predicate: { … }` or `predicateFile: F`
  file: F                               a real Sigstore bundle, judged by the policy's real keys and trusted roots
  legacy: { payload: F, signature: F }  a real layer of a tag sha256-….sig, or `envelope: F` of one of .att; `certificate`,
                                        `chain`, `bundle`, `timestamp` as its annotations have them
  unread: TEXT                          a source that could not be read
  incomplete: true                      more evidence than the limits allow to read

A case may also have `now`, `audit: true` (as `serve --audit`), and for an index `children`: a list of { platform, evidence,
digest, annotations }. `expect` has `verdict` (allow | deny | unknown), `reason`, `cause`, `policy`, `detail` (a part of it) and
`wouldDeny` (the audited policies that would deny); `expect: allow` is short for the verdict alone.

Virtual signers really sign, with a Sigstore in memory. In a case with them it stands for every trust root, and every key of the
policy has a stand-in. Real evidence needs the image's digest, and for a trust root that is a TUF repository, which is not
asked, `trustRoots: { NAME: trusted_root.json }`.

Exit codes: 0 all passed, 1 some failed, 78 a file is wrong.";

/// Runs the tests and returns the exit code: 0 all passed, 1 some failed, 78 a file is wrong, 2 they could not be run.
pub(super) fn run(arguments: &Arguments, out: &mut (impl io::Write + IsTerminal)) -> u8 {
    run_in(arguments, Paint::on(out), out)
}

fn run_in(arguments: &Arguments, paint: Paint, out: &mut dyn io::Write) -> u8 {
    let image = |text: &str| reference::parse(text, &Registries::new([]));
    let setting = Setting { policy: arguments.policy.as_deref(), now: Clock::default().now(), image };
    let suites = match rehearsal::load(&arguments.path, &setting) {
        Ok(suites) => suites,
        Err(errors) => return complain(&errors.to_string(), CONFIGURATION),
    };
    let report = match Report::of(&suites) {
        Ok(report) => report,
        Err(error) => return complain(&format!("cannot run: {error}"), UNKNOWN),
    };
    if let Some(path) = &arguments.junit
        && let Err(error) = fs::write(path, junit::document(&report))
    {
        return complain(&format!("cannot write {}: {error}", path.display()), UNKNOWN);
    }
    let written = match arguments.output {
        Output::Json => report.write(out),
        Output::Text => text::write(&report, paint, out),
    };
    match written {
        Ok(()) => u8::from(report.failed > 0),
        Err(error) => complain(&format!("cannot print the result: {error}"), UNKNOWN),
    }
}

const UNKNOWN: u8 = 2;

#[cfg(test)]
mod tests;
