//! What verification makes of evidence that was stored.

use super::*;

#[tokio::test]
async fn verification_says_the_same_of_what_was_stored() {
    let at = i64::try_from(NOW.0).expect("a time");
    let pipeline = || SIGSTORE.keyless(&Identity::gitlab("myorg/app"), at).expect("a key");
    let image = subject().digest;
    let signature = || Content::statement(&crate::demo::signer::signature_statement(image));
    let payload = Content::document(&crate::demo::signer::simple_signing_payload("r.io/app", image));
    let predicate = json!({ "bomFormat": "CycloneDX" });
    let sbom = crate::demo::signer::attestation_statement("app", image, "https://cyclonedx.org/bom", &predicate);
    let signed = |content| pipeline().sign(content).expect("signs");
    let stamped = |content| SIGSTORE.stamped(pipeline()).sign(content).expect("signs");
    let bundle = |content| candidate(Material::Bundle(stamped(content).bundle().to_string().into()));
    let other = Content::statement(&crate::demo::signer::signature_statement(Digest::of(b"another")));
    let candidates = vec![
        bundle(signature()),
        bundle(Content::statement(&sbom)),
        bundle(other),
        legacy(&signed(payload)),
        legacy(&signed(Content::statement(&sbom))),
        legacy(&signed(Content::statement(&sbom))).of_referrer().within("r.io/elsewhere"),
        candidate(Material::Bundle("{}".into())),
    ];
    let unusable = vec![Unusable::new("referrer y", Format::Bundle, Reason::EvidenceTooLarge, "9 GiB")];
    let fresh = EvidenceSet { candidates, unusable, read_at: NOW, ..complete(0) };
    let (fleet, about) = (Fleet::new(), about(ALL, &["a/elsewhere"]));
    fleet.reads(&about, fresh.clone()).await;
    let stored = fleet.stored(&about).await.expect("stored");

    let name = Name::new("root").expect("a name");
    let root = Root::parse(&SIGSTORE.trusted_root().to_string()).expect("a trusted root");
    let trust = Trust::of([(name.clone(), Arc::new(root))].into());
    let identity = Pattern::glob("https://gitlab.com/myorg/**").expect("a pattern");
    let keyless = Keyless { issuer: "https://gitlab.com".into(), identity, pins: vec![] };
    let by = [Arc::new(Authority::alone(Kind::Keyless(keyless), name))];
    let (limits, revoked) = (crate::test_support::patient(), crate::policy::Revoked::default());
    let against = Against { trust: &trust, revoked: &revoked, limits: &limits, now: NOW };
    let [before, after] = [&fresh, &*stored].map(|set| verify_all(set, &image, &by, against));
    assert_eq!((before.verified.len(), before.rejected.len()), (5, 3), "{before:?}");
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
}

/// A layer of a legacy tag, and all that stands beside it.
fn legacy(signed: &Pieces) -> Candidate {
    let annotations = signed.annotations();
    let of = |name: &str| annotations.get(name).cloned();
    let layer = signed.layer().into();
    let material = match signed.content {
        Content::Envelope { .. } => Material::Envelope(layer),
        Content::Message(_) => {
            Material::SimpleSigning { payload: layer, signature: of(pieces::SIGNATURE).expect("a signature") }
        }
    };
    candidate(material).with(Beside {
        certificate: of(pieces::CERTIFICATE),
        chain: of(pieces::CHAIN),
        bundle: of(pieces::BUNDLE),
        timestamp: of(pieces::TIMESTAMP),
    })
}
