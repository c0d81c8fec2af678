use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use super::*;

#[test]
fn files_that_cannot_be_used_are_told_with_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &str| std::fs::write(path(name), text).expect("a file");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["localhost".into()]).expect("a name");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    write("good.crt", &certificate);
    write("good.key", &key.serialize_pem());
    write("other.key", &KeyPair::generate().expect("a key").serialize_pem());
    write("empty", "");
    write("half.crt", &certificate[..certificate.len() / 2]);
    write("none.crt", &(certificate.clone() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
    write("long", &"x".repeat((1 << 20) + 1));
    let problems = |ca: Option<&str>, own: Option<[&str; 2]>| {
        let own = own.map(|[certificate, key]| OwnCertificate { certificate: path(certificate), key: path(key) });
        let tls = Tls { ca: ca.map(path), own, insecure_skip_verify: false };
        assert_eq!(tls.read().is_ok(), tls.problems().is_empty());
        tls.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(problems(Some("good.crt"), Some(["good.crt", "good.key"])), "");
    for (ca, own, expected) in [
        (Some("gone"), None, "gone`: it does not exist"),
        (Some("empty"), None, "empty`: it is not a PEM file of certificates"),
        (Some("half.crt"), None, "half.crt`: it is not a PEM file of certificates"),
        (Some("good.key"), None, "good.key`: it is not a PEM file of certificates"),
        (Some("none.crt"), None, "none.crt`: its certificate number 2 cannot be an authority"),
        (Some("long"), None, "long`: it is longer than 1048576 bytes"),
        (None, Some(["good.key", "good.key"]), "good.key`: it is not a PEM file of certificates"),
        (None, Some(["good.crt", "good.crt"]), "good.crt`: it holds no private key in PEM"),
        (None, Some(["good.crt", "other.key"]), "other.key`: it is not the key of `"),
    ] {
        let found = problems(ca, own);
        assert!(found.contains(expected) && found.lines().count() == 1, "{found}");
    }
    assert_eq!(problems(Some("empty"), Some(["empty", "empty"])).lines().count(), 2);
    let material = Tls { ca: Some(path("good.crt")), ..Tls::default() }.read().expect("good");
    assert_eq!(format!("{material:?}"), "[redacted]");
}
