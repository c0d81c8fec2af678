//! Makes the real evidence that other tests replay offline, so that it can always be made anew: into a folder that goes,
//! or with `COUNTERSIGN_WRITE_FIXTURES=1 cargo test --test e2e fixtures` into `tests/fixtures/sigstore`, where it is kept.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use tempfile::tempdir;

use crate::support::cosign::keyless::Form;
use crate::support::cosign::{Cosign, generate_key_pair};
use crate::support::evidence::{Evidence, tag};
use crate::support::image::Image;
use crate::support::lab::Cell;
use crate::support::registry::Kind;
use crate::support::sigstore::{FOREIGN_ISSUER, Pipeline, sigstore};

#[test]
fn the_kept_evidence_can_be_made_anew() {
    let kept_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sigstore");
    let passing = tempdir().expect("a temporary folder");
    let folder = if rewriting() { kept_in.clone() } else { passing.path().to_path_buf() };
    let cell =
        Cell { containerd: crate::support::containerd::Version::V2, registry: Kind::Referrers, cosign: Cosign::Bundle };
    let image = cell.lab().push("fixture");
    let began = now();

    fs::copy(sigstore().trusted_root(), folder.join("trusted_root.json")).expect("the folder is writable");
    generate_key_pair(sigstore().folder(), "key");
    fs::copy(sigstore().folder().join("key.pub"), folder.join("key.pub")).expect("the folder is writable");
    fs::write(folder.join("image.json"), image.get(&image.manifest_path())).expect("the folder is writable");

    let myorg = || Pipeline::of("myorg/app");
    let foreign = [
        ("evil", Pipeline::of("myorg-evil/app")),
        ("issuer", myorg().issued_by(FOREIGN_ISSUER)),
        ("project", Pipeline::of("notmyorg/app").including("myorg/app")),
    ];
    for (name, form) in [("cosign2", Form::Legacy), ("cosign2-bundle", Form::EarlyBundle), ("cosign3", Form::Bundle)] {
        let kept = |case: &str, sign: &dyn Fn(&Image)| keep(&folder, &format!("{name}-{case}"), form, &image, sign);
        kept("myorg", &|image| form.sign(&myorg(), image));
        kept("sbom", &|image| form.attest_sbom(&myorg(), image));
        kept("key", &|image| form.sign_with_key(&sigstore().folder().join("key.key"), image));
        for (case, pipeline) in &foreign {
            kept(case, &|image| form.sign(pipeline, image));
        }
    }
    let facts = json!({ "image": image.digest, "began": began, "ended": now() });
    fs::write(folder.join("facts.json"), format!("{facts:#}\n")).expect("the folder is writable");
    assert_eq!(names(&folder), names(&kept_in));
}

/// Whether what is kept in the repository is to be replaced.
pub(crate) fn rewriting() -> bool {
    env::var_os("COUNTERSIGN_WRITE_FIXTURES").is_some()
}

/// The files in `folder`, without what explains them.
fn names(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).expect("the folder is readable").map(|file| file.expect("a file").file_name());
    files.map(|name| name.into_string().expect("UTF-8")).filter(|name| name != "README.md").collect()
}

/// Signs a copy of the image in a repository of its own and keeps what that left there: a bundle; or the manifest under
/// the tag and the payload that its only layer is.
fn keep(folder: &Path, name: &str, form: Form, image: &Image, sign: &dyn Fn(&Image)) {
    let image = image.copied();
    sign(&image);
    let put = |end: &str, bytes: &[u8]| {
        fs::write(folder.join(format!("{name}.{end}")), bytes).expect("the folder is writable");
    };
    match form {
        Form::Legacy => {
            let kind = if name.ends_with("sbom") { "att" } else { "sig" };
            put(&format!("{kind}.json"), &image.get(&image.path(&format!("manifests/{}", tag(&image, kind)))));
            let Evidence::Tag { payload, .. } = Evidence::tag_of(&image, kind) else { unreachable!() };
            put("payload", &payload);
        }
        Form::EarlyBundle | Form::Bundle => {
            let Evidence::Bundle(bytes) = Evidence::referrer_of(&image) else { unreachable!() };
            put("bundle.json", &bytes);
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_secs()
}
