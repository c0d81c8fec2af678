//! Every format in which cosign stores what it signs, one piece of evidence each.

use std::error::Error;

use countersign::demo::images::Stored;
use countersign::demo::signer::{attestation_statement, signature_statement, simple_signing_payload};
use countersign::demo::sigstore::{Authority, Content, Identity, Key, Recipe, Sigstore, Template};
use serde_json::{Value, json};

use crate::evidence::{Case, case};

/// Makes them all.
pub(crate) async fn cases() -> Result<Vec<Case>, Box<dyn Error>> {
    let sigstore = Sigstore::new()?;
    // A little ago: no verifier believes a log that is ahead of its own clock.
    let now = jiff::Timestamp::now().as_second() - 10;
    let key = Recipe { logs: Vec::new(), ..sigstore.keyed(&Key::p256()?, now) };
    let key_authority =
        format!("{{ key: {{ inline: {:?}, insecureSkipTransparencyLog: true }} }}", key.key.public_pem());
    let by_key = (key_authority.as_str(), SIGNATURE);
    let pipeline = || sigstore.keyless(&Identity::gitlab("myorg/app"), now);
    let public = like_the_public_one()?;
    let sbom = sbom();
    Ok(vec![
        case("key, bundle", &sigstore, by_key, false, |image| key.sign(statement(image))).await?,
        case("key, legacy", &sigstore, by_key, true, |image| key.sign(payload(image))).await?,
        case("keyless, legacy, Rekor v1", &sigstore, PIPELINE, true, |image| pipeline()?.sign(payload(image))).await?,
        case("keyless, bundle, Rekor v1", &sigstore, PIPELINE, false, |image| pipeline()?.sign(statement(image)))
            .await?,
        case("keyless, bundle, Rekor v2 and time stamp", &sigstore, PIPELINE, false, |image| {
            sigstore.with_rekor_v2(pipeline()?).sign(statement(image))
        })
        .await?,
        case("keyless, bundle, Rekor v1, P-384 authority", &public, PIPELINE, false, |image| {
            public.keyless(&Identity::gitlab("myorg/app"), now)?.sign(statement(image))
        })
        .await?,
        case("keyless, attestation (SBOM), Rekor v1", &sigstore, (PIPELINE.0, ATTESTATION), false, |image| {
            let statement = attestation_statement("registry.demo/team/app", image.digest, CYCLONEDX, &sbom);
            pipeline()?.sign(Content::statement(&statement))
        })
        .await?,
    ])
}

fn statement(image: &Stored) -> Content {
    Content::statement(&signature_statement(image.digest))
}

fn payload(image: &Stored) -> Content {
    Content::document(&simple_signing_payload("registry.demo/team/app", image.digest))
}

/// A Sigstore whose authority signs with P-384, as that of the public instance does.
fn like_the_public_one() -> Result<Sigstore, Box<dyn Error>> {
    let mut sigstore = Sigstore::new()?;
    let (root, key) = (Authority::root("root")?, Key::of(&rcgen::PKCS_ECDSA_P384_SHA384)?);
    let template = Template::authority("authority", BEGIN, END, Vec::new());
    let mut chain = vec![root.issue(&template, &key, &[])?];
    chain.extend(root.chain);
    sigstore.authority = Authority { name: template.subject, key, chain };
    Ok(sigstore)
}

/// What a scanner writes about an image of 400 packages: about 270 KiB.
fn sbom() -> Value {
    let component = |number: usize| {
        let purl = format!("pkg:deb/debian/package-{number}@1.{number}.0-2?arch=amd64&distro=debian-13");
        json!({
            "bom-ref": format!("{purl}&package-id={number:016x}"),
            "type": "library",
            "publisher": "Maintainers <maintainers@debian.test>",
            "name": format!("package-{number}"),
            "version": format!("1.{number}.0-2"),
            "licenses": [{ "license": { "id": "GPL-2.0-or-later" } }, { "license": { "name": "public-domain" } }],
            "cpe": format!("cpe:2.3:a:package-{number}:package-{number}:1.{number}.0-2:*:*:*:*:*:*:*"),
            "purl": purl,
            "properties": [
                { "name": "scanner:package:foundBy", "value": "dpkg-db-cataloger" },
                { "name": "scanner:location:0:path", "value": format!("/usr/share/doc/package-{number}/copyright") },
                { "name": "scanner:metadata:installedSize", "value": number.to_string() },
            ],
        })
    };
    let components: Vec<_> = (0..400).map(component).collect();
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components })
}

const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const SIGNATURE: &str = "signature: { by: signer }";
const ATTESTATION: &str = "attestation: { by: signer, type: cyclonedx }";
const PIPELINE: (&str, &str) = (
    "{ keyless: { trustRoot: bench, issuer: \"https://gitlab.com\", identity: \"https://gitlab.com/myorg/**\", \
     sourceRepository: \"https://gitlab.com/myorg/**\" } }",
    SIGNATURE,
);
/// 2020-01-01 and 2045-01-01.
const BEGIN: i64 = 1_577_836_800;
const END: i64 = 2_366_841_600;
