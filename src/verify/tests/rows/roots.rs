//! The trusted root itself: what it lacks is not believed.

use super::*;

#[test]
fn b18_a_log_key_without_a_beginning() {
    let root = SIGSTORE.trusted_root();
    let parsed = |root: &Value| Root::parse(&root.to_string()).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(parsed(&root), Ok(()));
    for pointer in [
        "/tlogs/0/publicKey/validFor",
        "/tlogs/1/publicKey/validFor",
        "/ctlogs/0/publicKey/validFor",
        "/certificateAuthorities/0/validFor",
        "/timestampAuthorities/0/validFor",
    ] {
        for bent in [json!({}), json!({ "end": "2030-01-01T00:00:00Z" }), json!({ "start": null })] {
            assert!(parsed(&edited(&root, pointer, bent.clone())).is_err(), "{pointer} = {bent}");
        }
    }
}

#[test]
fn o77_a_root_without_logs_or_authorities() {
    let stage = Stage::keyless();
    let good = stage.good(&SIGSTORE.with_rekor_v2(myorg()));
    for (pointer, reason) in [
        ("/tlogs", LogEntryInvalid),
        ("/ctlogs", SctInvalid),
        ("/certificateAuthorities", CertificateInvalid),
        ("/timestampAuthorities", TimestampMissing),
    ] {
        stage.with_root(pointer, json!([])).refuses([(pointer, bundle(&good), reason)]);
    }
    // A stamp that nobody can verify says nothing, and takes nothing from what the log says.
    let stamped = stage.good(&SIGSTORE.stamped(myorg()));
    stage.with_root("/timestampAuthorities", json!([])).accepts(&bundle(&stamped));
}

#[test]
fn a63_a_root_of_an_unknown_version() {
    let stage = Stage::keyless();
    stage.good(&myorg());
    for kind in ["application/vnd.dev.sigstore.trustedroot+json;version=0.9", "", "text/plain"] {
        assert!(stage.with_root("/mediaType", json!(kind)).root_error().contains("media type"), "{kind}");
    }
}
