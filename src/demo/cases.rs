//! The rows of the demo: the images it makes, how each is pulled, and the answer that each must get.

use std::io;

use super::images::{self, Image, Stored};
use super::registry::Registry;
use super::signer::signature_statement;
use super::signers::Signers;
use super::sigstore::Content;
use crate::oci::Digest;
use crate::reason::{Class, Reason};

mod allowed;

mod refused;

mod released;

/// One pull and the answer that it must get.
#[derive(Debug, Clone)]
pub struct Case {
    /// What is pulled, as a person would write it.
    pub name: String,
    /// What the row shows.
    pub shows: &'static str,
    /// The path of the request, from `/v2/`.
    pub path: String,
    /// What the content hashes to, if it is served.
    pub digest: Digest,
    /// The reason that the answer must give; it decides the status.
    pub reason: Reason,
    /// Why the nearest candidate does not count.
    pub cause: Option<Reason>,
    /// Whether it is pulled through a proxy that serves everything and only says what it would refuse.
    pub audited: bool,
}

impl Case {
    fn manifest(image: &Stored, tag: &str, shows: &'static str, reason: Reason) -> Self {
        let path = format!("/v2/{}/manifests/{tag}", image.repository);
        let name = format!("{}:{tag}", image.repository);
        Self { name, shows, path, digest: image.digest, reason, cause: None, audited: false }
    }

    fn child(image: &Stored, shows: &'static str, reason: Reason) -> Self {
        let path = format!("/v2/{}/manifests/{}", image.repository, image.digest);
        Self {
            name: short(&image.repository, image.digest),
            shows,
            path,
            digest: image.digest,
            reason,
            cause: None,
            audited: false,
        }
    }

    fn layer(image: &Image, shows: &'static str, reason: Reason) -> Self {
        let repository = &image.manifest.repository;
        let path = format!("/v2/{repository}/blobs/{}", image.layer);
        Self {
            name: short(repository, image.layer),
            shows,
            path,
            digest: image.layer,
            reason,
            cause: None,
            audited: false,
        }
    }

    fn because(self, cause: Reason) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// The status that belongs to the reason.
    pub fn status(&self) -> u16 {
        if self.reason.class() == Class::Allow { 200 } else { 403 }
    }
}

/// Fills `registry` and returns the rows, in the order in which they are pulled. If not `signing`, what the policy
/// would allow stays unsigned.
///
/// # Errors
/// If signing fails.
pub fn prepare(registry: &Registry, signers: &Signers, signing: bool) -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    allowed::signed(registry, signers, signing, &mut cases)?;
    refused::unsigned(registry, &mut cases);
    refused::foreign(registry, signers, &mut cases)?;
    refused::misused(registry, signers, &mut cases)?;
    released::released(registry, signers, signing, &mut cases)?;
    released::exempt(registry, &mut cases);
    Ok(cases)
}

fn push(registry: &Registry, repository: &str) -> Image {
    images::image(registry, repository, Some(TAG), &format!("hello from {repository}\n"))
}

fn signature(image: &Stored) -> Content {
    Content::statement(&signature_statement(image.digest))
}

/// `repository@sha256:` and the first digits, for a table.
fn short(repository: &str, digest: Digest) -> String {
    format!("{repository}@sha256:{}…", &digest.hex()[..8])
}

const TAG: &str = "1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::registry::Options;
    use http::{HeaderMap, Method};

    #[test]
    fn the_registry_itself_serves_every_row() {
        let registry = Registry::new(Options::default());
        for case in prepare(&registry, &Signers::new().expect("keys"), true).expect("signs") {
            let answer = registry.handle(&Method::GET, &case.path.parse().expect("a path"), &HeaderMap::new());
            assert_eq!(answer.status(), 200, "{}", case.name);
            assert_eq!(answer.headers()["docker-content-digest"], case.digest.to_string());
        }
    }

    #[test]
    fn without_signing_nothing_can_be_allowed_and_rows_say_otherwise() {
        let registry = Registry::new(Options::default());
        let cases = prepare(&registry, &Signers::new().expect("keys"), false).expect("signs");
        let allowed = |case: &&Case| case.path.contains("/manifests/") && case.status() == 200 && !case.audited;
        for case in cases.iter().filter(allowed) {
            let repository = case.path.trim_start_matches("/v2/").split("/manifests/").next().expect("a name");
            let tag = super::super::cosign::tag(&case.digest, Some("sig"));
            assert!(registry.manifest(repository, &tag).is_none(), "{}", case.name);
            let referrers = format!("/v2/{repository}/referrers/{}", case.digest).parse().expect("a path");
            let answer = registry.handle(&Method::GET, &referrers, &HeaderMap::new());
            let size = http_body::Body::size_hint(answer.body()).exact();
            assert!(size < Some(200), "{}: {size:?} bytes of referrers", case.name);
        }
        assert!(cases.iter().any(|case| case.status() == 200), "so that leaving signing out shows");
    }
}
