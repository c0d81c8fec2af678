//! What the cases are made of: one image, good and foreign evidence about it by real cosign, a key of our own, and a
//! proxy that is asked all questions.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use crate::support::containerd::Version;
use crate::support::content::MANIFEST;
use crate::support::cosign::Cosign;
use crate::support::cosign::keyless::Form;
use crate::support::evidence::Evidence;
use crate::support::image::Image;
use crate::support::lab::Cell;
use crate::support::process::{command, run, tool};
use crate::support::proxy::Proxy;
use crate::support::registry::Kind;
use crate::support::sigstore::{Pipeline, sigstore};

use super::question::{Question, policy};

/// The name of the key's files.
pub(super) const KEY: &str = "differ";

/// The forms, and how cases call them.
pub(super) const FORMS: [(&str, Form); 3] =
    [("legacy", Form::Legacy), ("bundle of cosign 2", Form::EarlyBundle), ("bundle", Form::Bundle)];

pub(super) struct Material {
    pub(super) proxy: Proxy,
    pub(super) folder: TempDir,
    pub(super) image: Image,
    key: EcdsaKeyPair,
}

impl Material {
    pub(super) fn make() -> Self {
        let lab = Cell { containerd: Version::V2, registry: Kind::Referrers, cosign: Cosign::Bundle }.lab();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key = make_key(&folder);
        let files = [sigstore().trusted_root(), folder.path().join(format!("{KEY}.pub"))];
        let proxy = Proxy::start(&lab.registry, &files, &policy());
        let image = lab.push("differ");
        // The first entry of a log has no index in JSON, and a proof with no hashes: no case shall depend on being it.
        for form in [Form::Legacy, Form::Bundle] {
            form.sign(&Pipeline::of("myorg/first"), &image.copied());
        }
        Self { proxy, folder, image, key }
    }

    /// The image, in a repository that only this call knows.
    pub(super) fn place(&self, question: Question) -> Image {
        static PLACES: AtomicU32 = AtomicU32::new(0);
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let place = self.image.in_repository(format!("lab/{}-{number}", question.repository()));
        place.put_manifest("v1", MANIFEST, &self.image.get(&self.image.manifest_path()));
        place
    }

    /// What this pipeline's signature leaves.
    pub(super) fn signed(&self, form: Form, pipeline: &Pipeline) -> Evidence {
        let image = self.image.copied();
        form.sign(pipeline, &image);
        left(form, &image, "sig")
    }

    /// What this pipeline's software bill of materials leaves.
    pub(super) fn attested(&self, form: Form, pipeline: &Pipeline) -> Evidence {
        let image = self.image.copied();
        form.attest_sbom(pipeline, &image);
        left(form, &image, "att")
    }

    /// What a signature by the key leaves, in the log.
    pub(super) fn signed_with_key(&self, form: Form) -> Evidence {
        let image = self.image.copied();
        form.sign_with_key(&self.folder.path().join(format!("{KEY}.key")), &image);
        left(form, &image, "sig")
    }

    /// What a signature of another image leaves.
    pub(super) fn signed_elsewhere(&self, form: Form, pipeline: &Pipeline) -> Evidence {
        let image = Image::push(self.image.registry(), "differ-other");
        form.sign(pipeline, &image);
        left(form, &image, "sig")
    }

    /// The bare signature by the key, in base64.
    pub(super) fn sign(&self, message: &[u8]) -> String {
        let signature = self.key.sign(&SystemRandom::new(), message).expect("the key signs");
        STANDARD.encode(signature)
    }
}

fn left(form: Form, image: &Image, kind: &'static str) -> Evidence {
    match form {
        Form::Legacy => Evidence::tag_of(image, kind),
        Form::EarlyBundle | Form::Bundle => Evidence::referrer_of(image),
    }
}

/// A key that we can sign with, and cosign, too.
fn make_key(folder: &TempDir) -> EcdsaKeyPair {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
    let pkcs8 = pkcs8.expect("a key is made");
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).expect("it was just made");
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().expect("a key has a form");
    let pem =
        |label: &str, der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("the folder is writable");
        path
    };
    let private = write("private.pem", pem("PRIVATE KEY", pkcs8.as_ref()));
    write(&format!("{KEY}.pub"), pem("PUBLIC KEY", public.as_ref()));
    let mut import = command(tool("bin/cosign3"), ["import-key-pair", "--key"]);
    import.arg(private).arg("--output-key-prefix").arg(folder.path().join("imported"));
    run(import.env("COSIGN_PASSWORD", "").env("HOME", folder.path())).succeeded();
    fs::rename(folder.path().join("imported.key"), folder.path().join(format!("{KEY}.key"))).expect("it was imported");
    key
}
