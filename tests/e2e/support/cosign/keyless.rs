//! Signing as a pipeline does: a token instead of a key, and a certificate, a log entry and a time for the signature.

use std::path::Path;

use tempfile::tempdir;

use super::{Cosign, cosign, write_predicate};
use crate::support::image::Image;
use crate::support::predicates::{Predicate, sbom};
use crate::support::process::{Ran, command, run, tool};
use crate::support::sigstore::{Log, Pipeline, sigstore};

/// Which cosign writes what, and to which log.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// Cosign 2 under `.sig` and `.att` tags, Rekor v1.
    Legacy,
    /// Cosign 2, but bundles: Rekor v1 and a time stamp.
    EarlyBundle,
    /// Cosign 3: bundles, Rekor v2 and a time stamp.
    Bundle,
}

impl From<Cosign> for Form {
    fn from(cosign: Cosign) -> Self {
        match cosign {
            Cosign::Legacy => Self::Legacy,
            Cosign::Bundle => Self::Bundle,
        }
    }
}

impl Form {
    /// Signs the image as this pipeline.
    pub(crate) fn sign(self, pipeline: &Pipeline, image: &Image) {
        let token = sigstore().token(pipeline);
        self.run("sign", &["--identity-token", &token, &image.direct()]);
    }

    /// Signs the image with the key in this file, and still in the log.
    pub(crate) fn sign_with_key(self, key: &Path, image: &Image) {
        self.run("sign", &["--key", &text(key), &image.direct()]);
    }

    /// Attests a software bill of materials as this pipeline, which is no signature of the image.
    pub(crate) fn attest_sbom(self, pipeline: &Pipeline, image: &Image) {
        self.attest(pipeline, image, &sbom());
    }

    /// Attests this about the image as this pipeline.
    pub(crate) fn attest(self, pipeline: &Pipeline, image: &Image, (kind, predicate): &Predicate) {
        let folder = tempdir().expect("a temporary folder");
        let predicate = write_predicate(folder.path(), predicate);
        let token = sigstore().token(pipeline);
        let what = ["--type", kind, "--predicate", &predicate];
        self.run("attest", &[what.as_slice(), &["--identity-token", &token, &image.direct()]].concat());
    }

    /// What cosign itself says of the image, with these words for `cosign verify` or `cosign verify-attestation`. It
    /// may say what it wants of certificates and their issuer.
    pub(crate) fn verify(self, arguments: &[&str], image: &Image) -> Ran {
        let folder = tempdir().expect("a temporary folder");
        let root = sigstore().trusted_root();
        let mut verify = command(tool(self.program()), arguments);
        if let Self::EarlyBundle = self {
            verify.arg("--new-bundle-format");
        }
        verify.arg("--trusted-root").arg(root).arg(image.direct());
        run(verify.env("HOME", folder.path()))
    }

    fn run(self, word: &str, arguments: &[&str]) {
        let sigstore = sigstore();
        let folder = tempdir().expect("a temporary folder");
        let root = text(&sigstore.trusted_root());
        let (fulcio, rekor) = (format!("http://{}", sigstore.fulcio), format!("http://{}", sigstore.rekor1));
        let config = |log| text(&sigstore.signing_config(log));
        let (config1, config2) = (config(Log::Rekor1), config(Log::Rekor2));
        let mut all = vec![word, "--yes", "--trusted-root", &root];
        match self {
            Self::Legacy => all.extend(["--new-bundle-format=false", "--fulcio-url", &fulcio, "--rekor-url", &rekor]),
            Self::EarlyBundle => all.extend(["--new-bundle-format", "--signing-config", &config1]),
            Self::Bundle => all.extend(["--signing-config", &config2]),
        }
        all.extend(arguments);
        cosign(self.program(), folder.path(), &all);
    }

    fn program(self) -> &'static str {
        match self {
            Self::Legacy | Self::EarlyBundle => "bin/cosign2",
            Self::Bundle => "bin/cosign3",
        }
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("the path is UTF-8").to_owned()
}
