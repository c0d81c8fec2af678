//! What a policy revokes.

use super::*;
use crate::policy::PublicKey;

fn revoked(text: &str) -> Revoked {
    let text = format!("revoked: {text}\n");
    parsed(&text).expect(&text).revoked
}

#[test]
fn keys_are_revoked_by_fingerprint_file_or_text() {
    let [a, b] = [KEY_A, KEY_B].map(|pem| PublicKey::from_pem(pem).expect("a key"));
    for text in [
        format!("{{ keys: [ '{}' ] }}", a.fingerprint()),
        "{ keys: [ a.pub ] }".to_string(),
        format!("{{ keys: [ {KEY_A:?} ] }}"),
    ] {
        let revoked = revoked(&text);
        assert!(revoked.key(&a) && !revoked.key(&b), "{text}");
    }
    for (item, expected) in [
        ("gone.pub", "key file `gone.pub`: it does not exist"),
        ("'sha256:12'", "not a digest"),
        ("'-----BEGIN PUBLIC KEY-----'", "its PEM block is broken"),
    ] {
        let errors = parsed(&format!("revoked: {{ keys: [ a.pub, {item} ] }}\n")).map(|_| ()).expect_err(item);
        let error = &errors.all()[0];
        assert!(error.message.starts_with("revoked.keys[1]: ") && error.message.contains(expected), "{error}");
        assert_eq!((error.line, error.column), (Some(1), Some(27)), "{error}");
    }
}

#[test]
fn identities_are_revoked_everywhere_or_for_one_issuer() {
    let everywhere = revoked("{ identities: [ 'https://gitlab.com/gone/**' ] }");
    assert!(everywhere.identity("any", "https://gitlab.com/gone/a//b@c"));
    let one = revoked("{ identities: [ { issuer: i, identity: 'x*' } ] }");
    assert!(one.identity("i", "xy") && !one.identity("j", "xy") && !one.identity("i", "y"));
    for (item, expected) in [
        ("''", "revoked.identities[0]: a pattern has"),
        ("{ issuer: i }", "revoked.identities[0]: `identity` is missing"),
        ("{ issuer: i, identity: '' }", "revoked.identities[0].identity: a pattern has"),
        ("{ isuer: i, identity: x }", "revoked.identities[0]: unknown key `isuer`; did you mean `issuer`?"),
        ("[ x ]", "an identity, or a mapping with `issuer` and `identity`"),
    ] {
        let errors = parsed(&format!("revoked: {{ identities: [ {item} ] }}\n")).map(|_| ()).expect_err(item);
        assert!(errors.all()[0].message.contains(expected), "{item}: {errors}");
        assert_eq!(errors.all()[0].line, Some(1), "{item}");
    }
}

#[test]
fn the_order_of_revocations_is_no_revision() {
    let revision = |list: &str| {
        let text = format!("revoked: {list}\n");
        let image = crate::oci::Image { registry: "r.io".parse().expect("r"), repository: "app".parse().expect("n") };
        parsed(&text).expect(&text).governing(&image.at(Digest::of(b"x")), Timestamp(0)).revision()
    };
    let base = revision("{ keys: [ a.pub, b.pub ], identities: [ x, { issuer: i, identity: y } ] }");
    assert_eq!(base, revision("{ keys: [ b.pub, a.pub, a.pub ], identities: [ { issuer: i, identity: y }, x, x ] }"));
    for other in [
        "{ keys: [ a.pub ], identities: [ x, { issuer: i, identity: y } ] }",
        "{ keys: [ a.pub, b.pub ], identities: [ x, { issuer: j, identity: y } ] }",
        "{ keys: [ a.pub, b.pub ], identities: [ x, y ] }",
        "{ keys: [ a.pub, b.pub ], identities: [ x ] }",
    ] {
        assert_ne!(base, revision(other), "{other}");
    }
}
