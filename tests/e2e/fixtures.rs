//! Writes `tests/fixtures/sigstore`, the real evidence that other tests replay offline. Ignored: the fixtures are kept,
//! and made anew by hand only, with
//! `cargo test --test e2e fixtures -- --ignored`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::cosign::keyless::Form;
use crate::support::cosign::{Cosign, generate_key_pair};
use crate::support::http::ask;
use crate::support::image::Image;
use crate::support::lab::Cell;
use crate::support::registry::Kind;
use crate::support::sigstore::{FOREIGN_ISSUER, Pipeline, sigstore};

#[test]
#[ignore = "writes tests/fixtures/sigstore"]
fn write_fixtures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sigstore");
    fs::create_dir_all(&folder).expect("the folder is writable");
    let cell =
        Cell { containerd: crate::support::containerd::Version::V2, registry: Kind::Referrers, cosign: Cosign::Bundle };
    let image = cell.lab().push("fixture");
    let began = now();

    fs::copy(sigstore().trusted_root(), folder.join("trusted_root.json")).expect("the folder is writable");
    generate_key_pair(sigstore().folder(), "key");
    fs::copy(sigstore().folder().join("key.pub"), folder.join("key.pub")).expect("the folder is writable");
    let manifest = ask(image.registry(), "GET", &image.manifest_path()).expect("the registry answers").body;
    fs::write(folder.join("image.json"), manifest).expect("the folder is writable");

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
        kept("key", &|image| form.sign_with_key("key", image));
        for (case, pipeline) in &foreign {
            kept(case, &|image| form.sign(pipeline, image));
        }
    }
    let facts = json!({ "image": image.digest, "began": began, "ended": now() });
    fs::write(folder.join("facts.json"), format!("{facts:#}\n")).expect("the folder is writable");
}

/// Signs a copy of the image in a repository of its own and keeps what that left there: a bundle; or the manifest under
/// the tag and the payload that its only layer is.
fn keep(folder: &Path, name: &str, form: Form, image: &Image, sign: &dyn Fn(&Image)) {
    let image = image.copied();
    sign(&image);
    let get = |path: &str| {
        let answer = ask(image.registry(), "GET", path).expect("the registry answers");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    };
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("a manifest is JSON");
    let layer = |manifest: &Value| {
        let layers = manifest["layers"].as_array().expect("a manifest has layers");
        assert_eq!(layers.len(), 1, "{manifest}");
        get(&image.blob_path(layers[0]["digest"].as_str().expect("a descriptor has a digest")))
    };
    let put = |end: &str, bytes: &[u8]| {
        fs::write(PathBuf::from(folder).join(format!("{name}.{end}")), bytes).expect("the folder is writable");
    };
    if let Form::Legacy = form {
        let kind = if name.ends_with("sbom") { "att" } else { "sig" };
        let tag = format!("{}.{kind}", image.digest.replace(':', "-"));
        let manifest = get(&format!("/v2/{}/manifests/{tag}", image.repository));
        put(&format!("{kind}.json"), &manifest);
        put("payload", &layer(&json(&manifest)));
        return;
    }
    let list = json(&get(&format!("/v2/{}/referrers/{}", image.repository, image.digest)));
    let referrers = list["manifests"].as_array().expect("an index lists manifests");
    assert_eq!(referrers.len(), 1, "{list}");
    let digest = referrers[0]["digest"].as_str().expect("a descriptor has a digest");
    let manifest = get(&format!("/v2/{}/manifests/{digest}", image.repository));
    put("bundle.json", &layer(&json(&manifest)));
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_secs()
}
