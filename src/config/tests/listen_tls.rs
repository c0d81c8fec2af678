//! `listen.tls`.

use super::*;

fn with(listen: &str) -> String {
    format!("{LEAST}listen: {listen}\n")
}

#[test]
fn what_is_missing_or_unreadable_is_told_at_its_place() {
    let at = |column: usize, key: &str, why: &str| format!("c.yaml:3:{column}: listen.tls{key}: {why}");
    for (listen, expected) in [
        ("{ tls: { certificate: c } }", vec![at(11, "", "`key` is missing")]),
        ("{ tls: { key: k } }", vec![at(11, "", "`certificate` is missing")]),
        ("{ tls: { http2: true } }", vec![at(11, "", "`certificate` is missing"), at(11, "", "`key` is missing")]),
        ("{ tls: { certificate: gone, key: k } }", vec![at(31, ".certificate", "`gone`: it does not exist")]),
        (
            "{ tls: { certificate: gone, key: k, clientCa: a } }",
            vec![
                at(31, ".certificate", "`gone`: it does not exist"),
                at(55, ".clientCa", "`clientCa` is not yet supported"),
            ],
        ),
    ] {
        let found = mistakes(&with(listen), &[]);
        let (mut sorted, mut wanted) = (found.clone(), expected.clone());
        sorted.sort();
        wanted.sort();
        assert_eq!(sorted, wanted, "{listen}");
    }
}

#[test]
fn a_pair_that_fits_is_taken_and_one_that_does_not_names_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let pair = || rcgen::generate_simple_self_signed(vec!["proxy.io".to_string()]).expect("a certificate");
    let (made, other) = (pair(), pair());
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    write("c", &made.cert.pem());
    write("k", &made.signing_key.serialize_pem());
    write("other", &other.signing_key.serialize_pem());
    write("locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let parse = |listen: &str| Config::parse(&with(listen), "c.yaml", folder.path(), std::iter::empty());
    for http2 in [false, true] {
        let config = parse(&format!("{{ tls: {{ certificate: c, key: k, http2: {http2} }} }}")).expect("it fits");
        let tls = config.listen.tls.as_ref().expect("TLS");
        assert_eq!((tls.http2, &tls.own.key), (http2, &folder.path().join("k")));
        assert_eq!(config.summary().contains("(TLS, HTTP/2 too)"), http2, "{}", config.summary());
    }
    assert!(parse("{ tls: { certificate: c, key: k } }").expect("it fits").listen.tls.is_some_and(|tls| !tls.http2));
    for (listen, expected) in [
        ("{ tls: { certificate: c, key: other } }", "listen.tls.key: `other`: it is not the key of `"),
        ("{ tls: { certificate: c, key: locked } }", "one that needs a passphrase cannot be used"),
        ("{ tls: { certificate: k, key: k } }", "listen.tls.certificate: `k`: it is not a PEM file of certificates"),
        ("{ publicUrl: 'http://p.io', tls: { certificate: c, key: k } }", "listen.publicUrl: clients are to speak TLS"),
    ] {
        let errors = parse(listen).map(|_| ()).expect_err(listen).to_string();
        assert!(errors.contains(expected), "{listen}\n{errors}");
    }
}
