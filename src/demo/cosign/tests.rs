use super::*;
use crate::demo::images::image;
use crate::demo::registry::Options;
use crate::demo::sigstore::Identity;
use crate::policy::PublicKey;

struct World {
    registry: Registry,
    signer: Signer,
    key: PublicKey,
    image: Stored,
}

fn world(referrers: bool) -> World {
    let registry = Registry::new(Options { referrers, ..Options::default() });
    let signer = Signer::generate().expect("a key");
    let key = PublicKey::from_pem(&signer.public_key_pem()).expect("a key");
    let image = image(&registry, "team/app", Some("1"), "hello").manifest;
    World { registry, signer, key, image }
}

fn get(registry: &Registry, path: &str) -> Option<Value> {
    let answer = registry.handle(&http::Method::GET, &path.parse().expect("a path"), &http::HeaderMap::new());
    let ok = answer.status() == 200;
    let body = futures_util::FutureExt::now_or_never(http_body_util::BodyExt::collect(answer.into_body()));
    let bytes = body.expect("it is in memory").expect("it cannot fail").to_bytes();
    ok.then(|| serde_json::from_slice(&bytes).expect("JSON"))
}

#[test]
fn a_bundle_is_found_through_the_referrers_api() {
    let World { registry, signer, image, .. } = world(true);
    let stored = signer.sign_bundle(&registry, &image).expect("signs");
    let index = get(&registry, &format!("/v2/team/app/referrers/{}", image.digest)).expect("the API");
    assert_eq!(index["manifests"].as_array().map(Vec::len), Some(1));
    assert_eq!(index["manifests"][0]["digest"], stored.digest.to_string());
    assert_eq!(index["manifests"][0]["artifactType"], BUNDLE_V03);
    assert!(registry.manifest("team/app", &tag(&image.digest, None)).is_none());

    let (_, bytes) = registry.manifest("team/app", &stored.digest.to_string()).expect("a manifest");
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    let members = ["schemaVersion", "mediaType\":\"application/vnd.oci.image.manifest", "config", "layers", "subject"];
    let places: Vec<_> = members.iter().map(|member| text.find(member).expect(member)).collect();
    assert!(places.is_sorted(), "cosign's order: {text}");
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(manifest["config"]["digest"], empty);
    assert_eq!(manifest["config"]["artifactType"], BUNDLE_V03);
    assert_eq!(manifest["subject"]["digest"], image.digest.to_string());
    assert_eq!(manifest["annotations"]["dev.sigstore.bundle.predicateType"], SIGN);
}

#[test]
fn without_the_api_every_bundle_is_in_the_fallback_index() {
    let World { registry, signer, image, .. } = world(false);
    let sbom = signer.attest_bundle(&registry, &image, "https://cyclonedx.org/bom", &json!({})).expect("attests");
    let signature = signer.sign_bundle(&registry, &image).expect("signs");
    assert!(get(&registry, &format!("/v2/team/app/referrers/{}", image.digest)).is_none());
    let index = get(&registry, &format!("/v2/team/app/manifests/{}", tag(&image.digest, None))).expect("the index");
    let digests: Vec<_> = index["manifests"].as_array().expect("a list").iter().map(|one| &one["digest"]).collect();
    assert_eq!(digests, [&json!(sbom.digest), &json!(signature.digest)]);
    assert_eq!(index["manifests"][1]["annotations"]["dev.sigstore.bundle.content"], "dsse-envelope");
}

#[test]
fn legacy_signatures_are_appended_and_verify() {
    let World { registry, signer, key, image } = world(true);
    let foreign = Signer::generate().expect("a key");
    foreign.sign_legacy(&registry, &image).expect("signs");
    signer.sign_legacy(&registry, &image).expect("signs");
    let tag = tag(&image.digest, Some("sig"));
    let manifest = get(&registry, &format!("/v2/team/app/manifests/{tag}")).expect("the tag");
    let layers = manifest["layers"].as_array().expect("layers");
    let verified = layers.iter().map(|layer| {
        let digest = layer["digest"].as_str().expect("a digest");
        let payload = get(&registry, &format!("/v2/team/app/blobs/{digest}")).expect("the payload");
        assert_eq!(payload["critical"]["image"]["docker-manifest-digest"], image.digest.to_string());
        assert_eq!(payload["critical"]["identity"]["docker-reference"], "registry.demo/team/app");
        let signature = STANDARD.decode(layer["annotations"][SIGNATURE].as_str().expect("text")).expect("base64");
        key.verifies(payload.to_string().as_bytes(), &signature)
    });
    assert_eq!(verified.collect::<Vec<bool>>(), [false, true]);
}

#[test]
fn a_legacy_attestation_is_an_envelope_with_an_empty_annotation() {
    let World { registry, signer, key, image } = world(true);
    signer.attest_legacy(&registry, &image, "https://spdx.dev/Document", &json!({ "a": 1 })).expect("attests");
    let tag = tag(&image.digest, Some("att"));
    let manifest = get(&registry, &format!("/v2/team/app/manifests/{tag}")).expect("the tag");
    let layer = &manifest["layers"][0];
    assert_eq!(layer["annotations"][SIGNATURE], "");
    assert_eq!(layer["annotations"]["predicateType"], "https://spdx.dev/Document");
    let digest = layer["digest"].as_str().expect("a digest");
    let envelope = get(&registry, &format!("/v2/team/app/blobs/{digest}")).expect("the envelope");
    let decode = |value: &Value| STANDARD.decode(value.as_str().expect("text")).expect("base64");
    let payload = decode(&envelope["payload"]);
    assert!(key.verifies(&signer::pae(signer::IN_TOTO, &payload), &decode(&envelope["signatures"][0]["sig"])));
}

#[test]
fn evidence_can_be_attached_to_another_image() {
    let World { registry, signer, image, .. } = world(true);
    let other = crate::demo::images::image(&registry, "team/other", Some("1"), "other").manifest;
    let bundle = signer.bundle(&signer::signature_statement(image.digest)).expect("a bundle").to_string();
    attach_bundle(&registry, &other, bundle.into_bytes(), SIGN);
    let index = get(&registry, &format!("/v2/team/other/referrers/{}", other.digest)).expect("the API");
    assert_eq!(index["manifests"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_keyless_signature_is_stored_with_all_that_speaks_for_it() {
    let World { registry, image, .. } = world(true);
    let sigstore = &*crate::test_support::SIGSTORE;
    let recipe = sigstore.keyless(&Identity::gitlab("myorg/app"), 1_784_894_400).expect("a key");
    let recipe = sigstore.stamped(recipe);
    let payload = Content::document(&signer::simple_signing_payload("r.io/team/app", image.digest));
    let statement = Content::statement(&signer::signature_statement(image.digest));
    for (content, suffix, annotations) in [(payload, "sig", 5), (statement.clone(), "att", 6)] {
        let pieces = recipe.sign(content).expect("signs");
        pieces.store_legacy(&registry, &image);
        let tag = tag(&image.digest, Some(suffix));
        let manifest = get(&registry, &format!("/v2/team/app/manifests/{tag}")).expect("the tag");
        let layer = &manifest["layers"][0];
        assert_eq!(layer["digest"], Digest::of(&pieces.layer()).to_string());
        assert_eq!(layer["annotations"].as_object().map(serde_json::Map::len), Some(annotations), "{layer:#}");
        for (name, text) in pieces.annotations() {
            assert_eq!(layer["annotations"][&name], text);
        }
    }
    let pieces = recipe.sign(statement).expect("signs");
    pieces.store_bundle(&registry, &image);
    let index = get(&registry, &format!("/v2/team/app/referrers/{}", image.digest)).expect("the API");
    assert_eq!(index["manifests"][0]["annotations"]["dev.sigstore.bundle.predicateType"], SIGN);
}
