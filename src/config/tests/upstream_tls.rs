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
