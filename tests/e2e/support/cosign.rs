//! Signing with real cosign: version 2 as it stores signatures under `.sig` tags, version 3 as bundles. Key pairs, no
//! log and no network; and as a pipeline, without a key.

pub(crate) mod keyless;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use super::content::{INDEX, MANIFEST};
use super::http::ask;
use super::image::{Image, crane};
use super::predicates::{Predicate, sbom};
use super::process::{Ran, command, run, tool};

/// Which cosign.
#[derive(Clone, Copy)]
pub(crate) enum Cosign {
    /// 2.6.5: `.sig` and `.att` tags.
    Legacy,
    /// 3.1.3: bundles, as referrers.
    Bundle,
}

/// Makes a key pair: `NAME.key` and `NAME.pub`.
pub(crate) fn generate_key_pair(keys: &Path, name: &str) {
    let prefix = keys.join(name);
    let prefix = prefix.to_str().expect("the path is UTF-8");
    cosign("bin/cosign3", keys, &["generate-key-pair", "--output-key-prefix", prefix]);
}

/// Makes a key pair of the kind that these words tell `openssl genpkey`, as `cosign import-key-pair` takes it over.
pub(crate) fn import_key_pair(keys: &Path, name: &str, kind: &[&str]) {
    let path = |name: &str| keys.join(name).to_str().expect("the path is UTF-8").to_owned();
    let private = path(&format!("{name}.pem"));
    run(&command("openssl", ["genpkey", "-out", &private].iter().chain(kind))).succeeded();
    cosign("bin/cosign3", keys, &["import-key-pair", "--key", &private, "--output-key-prefix", &path(name)]);
}

impl Cosign {
    pub(crate) fn sign(self, keys: &Path, key: &str, image: &Image) {
        self.run(keys, key, &["sign", &image.direct()]);
    }

    /// Signs as with `COSIGN_REPOSITORY`: the signature goes into the repository `signatures`, not beside the image.
    pub(crate) fn sign_into(self, keys: &Path, key: &str, image: &Image, signatures: &str) {
        self.run_with(keys, key, &["sign", &image.direct()], &[("COSIGN_REPOSITORY", signatures)]);
    }

    /// Attests a software bill of materials, which is no signature of the image.
    pub(crate) fn attest_sbom(self, keys: &Path, key: &str, image: &Image) {
        self.attest(keys, key, image, &sbom());
    }

    /// Attests this about the image.
    pub(crate) fn attest(self, keys: &Path, key: &str, image: &Image, (kind, predicate): &Predicate) {
        let folder = tempdir().expect("a temporary folder");
        let predicate = write_predicate(folder.path(), predicate);
        self.run(keys, key, &["attest", "--type", kind, "--predicate", &predicate, &image.direct()]);
    }

    fn run(self, keys: &Path, key: &str, arguments: &[&str]) {
        self.run_with(keys, key, arguments, &[]);
    }

    fn run_with(self, keys: &Path, key: &str, arguments: &[&str], variables: &[(&str, &str)]) {
        let path = |name: String| keys.join(name).to_str().expect("the path is UTF-8").to_owned();
        let key = path(format!("{key}.key"));
        let mut arguments = arguments.to_vec();
        arguments.extend(["--yes", "--key", &key]);
        match self {
            Self::Legacy => {
                arguments.extend(["--new-bundle-format=false", "--tlog-upload=false"]);
                cosign_with("bin/cosign2", keys, &arguments, variables);
            }
            Self::Bundle => {
                // Without a trusted root, with which cosign would not accept the Ed25519ph signatures that it makes.
                arguments.extend(["--use-signing-config=false", "--tlog-upload=false"]);
                cosign_with("bin/cosign3", keys, &arguments, variables);
            }
        }
    }

    /// Runs words that only read.
    pub(crate) fn read(self, arguments: &[&str]) -> Ran {
        let home = tempdir().expect("a temporary folder");
        let program = match self {
            Self::Legacy => "bin/cosign2",
            Self::Bundle => "bin/cosign3",
        };
        run(command(tool(program), arguments).env("HOME", home.path()))
    }

    /// Puts the evidence of one image beside another of the same repository, as anyone who may push can.
    pub(crate) fn copy(self, from: &Image, to: &Image) {
        match self {
            Self::Legacy => {
                let tag = |image: &Image| format!("{}:{}.sig", image.name(), image.digest.replace(':', "-"));
                crane(["copy", &tag(from), &tag(to)]);
            }
            Self::Bundle => attach_referrers(from, to),
        }
    }
}

/// Writes a predicate into the folder; its path.
fn write_predicate(folder: &Path, predicate: &Value) -> String {
    let path = folder.join("predicate.json");
    fs::write(&path, predicate.to_string()).expect("the folder is writable");
    path.to_str().expect("the path is UTF-8").to_owned()
}

/// Signs with cosign 2 as `--registry-referrers-mode=oci-1-1` has it: in the legacy format, as a referrer.
pub(crate) fn sign_as_referrer(keys: &Path, key: &str, image: &Image) {
    let key = keys.join(format!("{key}.key"));
    let key = key.to_str().expect("the path is UTF-8");
    let mode = "--registry-referrers-mode=oci-1-1";
    let plain = ["--yes", "--new-bundle-format=false", "--tlog-upload=false"];
    let image = image.direct();
    let arguments = [&["sign", &image, "--key", key, mode][..], &plain].concat();
    cosign_with("bin/cosign2", keys, &arguments, &[("COSIGN_EXPERIMENTAL", "1")]);
}

/// Attaches a software bill of materials under the tag `.sbom`.
pub(crate) fn attach_sbom(keys: &Path, image: &Image) {
    let folder = tempdir().expect("a temporary folder");
    let (_, bill) = sbom();
    let bill = write_predicate(folder.path(), &bill);
    cosign("bin/cosign2", keys, &["attach", "sbom", "--type", "cyclonedx", "--sbom", &bill, &image.direct()]);
}

/// Signs what is under the image's tag `.sbom`.
pub(crate) fn sign_sbom(keys: &Path, key: &str, image: &Image) {
    let key = keys.join(format!("{key}.key"));
    let key = key.to_str().expect("the path is UTF-8");
    let plain = ["--yes", "--new-bundle-format=false", "--tlog-upload=false"];
    let image = image.direct();
    cosign("bin/cosign2", keys, &[&["sign", "--attachment", "sbom", "--key", key, &image][..], &plain].concat());
}

fn cosign(program: &str, home: &Path, arguments: &[&str]) {
    cosign_with(program, home, arguments, &[]);
}

fn cosign_with(program: &str, home: &Path, arguments: &[&str], variables: &[(&str, &str)]) {
    let mut cosign = command(tool(program), arguments);
    cosign.envs(variables.iter().copied());
    run(cosign.env("HOME", home).env("COSIGN_PASSWORD", "")).succeeded();
}

/// Rewrites the subject of each referrer; where the registry has no referrers API, lists them under the fallback tag.
fn attach_referrers(from: &Image, to: &Image) {
    let fallback = |image: &Image| image.digest.replace(':', "-");
    let size = to.get(&to.manifest_path()).len();
    let subject = json!({ "mediaType": MANIFEST, "digest": to.digest, "size": size });
    let api = ask(from.registry(), "GET", &from.path(&format!("referrers/{}", from.digest)));
    let api = api.expect("the registry answers");
    let has_api = api.status == 200;
    let mut list =
        if has_api { api.json() } else { from.get_json(&from.path(&format!("manifests/{}", fallback(from)))) };
    for descriptor in list["manifests"].as_array_mut().expect("an index lists manifests") {
        let digest = descriptor["digest"].as_str().expect("a descriptor has a digest");
        let mut manifest = from.get_json(&from.path(&format!("manifests/{digest}")));
        manifest["subject"] = subject.clone();
        let bytes = manifest.to_string();
        descriptor["digest"] = to.put_manifest("copied", MANIFEST, bytes.as_bytes()).into();
        descriptor["size"] = bytes.len().into();
    }
    if !has_api {
        to.put_manifest(&fallback(to), INDEX, list.to_string().as_bytes());
    }
}
