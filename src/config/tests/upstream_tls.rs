//! `upstreams.*.tls`.

use super::*;

fn with_tls(tls: &str) -> String {
    format!("policy: {{ path: p }}\nupstreams:\n  r.io: {{ tls: {tls} }}\n")
}

#[test]
fn what_cannot_hold_together_is_told_at_its_place() {
    let at = |column: usize, key: &str, why: &str| format!("c.yaml:3:{column}: upstreams.\"r.io\".tls{key}: {why}");
    for (tls, expected) in [
        ("{ certificate: c }", vec![at(11, "", "`key` is missing")]),
        ("{ key: k }", vec![at(11, "", "`certificate` is missing")]),
        (
            "{ certificate: c, key: k }",
            // The second is not looked at before the first can be read.
            vec![at(31, ".certificate", "`c`: it does not exist")],
        ),
        (
            "{ ca: gone, insecureSkipVerify: true }",
            vec![
                at(22, ".ca", "`gone`: it does not exist"),
                at(48, ".insecureSkipVerify", "what `ca` says is not looked at then; take one of them away"),
            ],
        ),
    ] {
        assert_eq!(mistakes(&with_tls(tls), &[]), expected, "{tls}");
    }
    let plain = "{ dial: 'http://r.io', tls: { insecurePlainHttp: true, insecureSkipVerify: true, ca: c, key: k } }";
    let text = format!("policy: {{ path: p }}\nupstreams:\n  r.io: {plain}\n");
    let found = mistakes(&text, &[]);
    for key in ["insecureSkipVerify", "ca", "key"] {
        let told = found.iter().any(|line| line.ends_with(&format!("tls.{key}: plain HTTP has no certificates")));
        assert!(told, "{key}: {found:#?}");
    }
}

#[test]
fn believing_whoever_answers_is_a_warning() {
    let config = parsed(&with_tls("{ insecureSkipVerify: true }"), &[]).expect("it may be said");
    let insecure: Vec<_> = config.warnings().into_iter().filter(|(kind, _)| *kind == "insecure").collect();
    assert!(matches!(insecure.as_slice(), [(_, why)] if why.contains("insecureSkipVerify")), "{insecure:?}");
}

/// C18: a certificate of the proxy's own is a credential, too.
#[test]
fn anonymous_callers_get_the_proxys_certificate_only_if_spelled_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(vec!["proxy.io".to_string()]).expect("a certificate");
    fs::write(folder.path().join("c"), made.cert.pem()).expect("a file");
    fs::write(folder.path().join("k"), made.signing_key.serialize_pem()).expect("a file");
    let parse = |more: &str| {
        let client = format!("clients: [ {{ anonymous: true, may: [ 'r.io/**' ]{more} }} ]\n");
        let text = with_tls("{ certificate: c, key: k }") + &client;
        Config::parse(&text, "c.yaml", folder.path(), std::iter::empty()).map(|_| ())
    };
    let errors = parse("").expect_err("an open relay").to_string();
    assert!(errors.contains("anybody could read `r.io` with the proxy's own credentials"), "{errors}");
    parse(", insecureAnonymous: true").expect("it is spelled out");
}
