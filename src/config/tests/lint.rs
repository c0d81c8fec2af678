//! What is insecure, in the words that fit what is configured; and what `summary` says is shown to a registry.

use super::*;

/// The warnings of the kind `insecure` about `r.io`, configured so, where anybody reads from `reads`.
fn insecure(upstream: &str, reads: &str) -> Vec<String> {
    let client = format!("clients: [ {{ anonymous: true, may: [ '{reads}' ], insecureAnonymous: true }} ]\n");
    let upstreams = format!("upstreams: {{ r.io: {{ {upstream} }}, s.io: {{ }} }}\n");
    let text = ["policy: { path: p }\n", &client, &upstreams].concat();
    let warnings = parsed(&text, &[]).expect(&text).warnings();
    warnings.into_iter().filter(|(kind, _)| *kind == "insecure").map(|(_, why)| why).collect()
}

#[test]
fn credentials_are_spoken_of_where_there_are_some() {
    let token = "credentials: { bearer: { token: t } }";
    for (tls, bare, also) in [
        (
            "dial: 'http://r.io', tls: { insecurePlainHttp: true }",
            "`r.io` is read over plain HTTP (`insecurePlainHttp`)",
            "`r.io` is read over plain HTTP, and the proxy's credentials go there in clear (`insecurePlainHttp`)",
        ),
        (
            "tls: { insecureSkipVerify: true }",
            "whoever answers is taken for `r.io` (`insecureSkipVerify`)",
            "whoever answers is taken for `r.io`, and is sent the proxy's credentials (`insecureSkipVerify`)",
        ),
    ] {
        assert_eq!(insecure(tls, "s.io/**"), [bare]);
        assert_eq!(insecure(&format!("{tls}, {token}"), "s.io/**"), [also]);
    }
    assert_eq!(
        insecure("insecureSkipBlobDigest: true", "s.io/**"),
        ["blobs of `r.io` are passed on without a look at their digest (`insecureSkipBlobDigest`)"]
    );
    assert_eq!(insecure("", "r.io/**"), [""; 0], "there is nothing to lend");
    assert_eq!(insecure(token, "s.io/**"), [""; 0], "it is not lent");
    let lent = "anybody reads r.io/** with the proxy's own credentials (`insecureAnonymous`)";
    assert_eq!(insecure(token, "r.io/**"), [lent]);
}

#[test]
fn redirects_over_plain_http_or_to_nearly_everywhere_are_warned_of() {
    let hosts = "redirectHosts: [ s3.r.io, 'http://minio:9000' ]";
    let plain = "blobs of `r.io` may come from `http://minio:9000` over plain HTTP (`redirectHosts`)";
    assert_eq!(insecure(&format!("{hosts}, redirectPrivate: [ 10.0.0.0/8, 'fc00::/7' ]"), "s.io/**"), [plain]);
    for network in ["0.0.0.0/0", "10.0.0.0/7", "::/0", "fc00::/6"] {
        let told = insecure(&format!("redirectHosts: [ s3.r.io ], redirectPrivate: [ '{network}' ]"), "s.io/**");
        assert!(matches!(&told[..], [one] if one.contains(&format!("all of `{network}`"))), "{told:?}");
    }
}

#[test]
fn a_certificate_is_among_what_is_shown() {
    let summary = |credentials: &str, own: bool| {
        let mut config = parsed(&LEAST.replace("{ }", credentials), &[]).expect(credentials);
        config.upstreams[0].tls.own = own.then(|| OwnCertificate { certificate: "c".into(), key: "k".into() });
        config.summary()
    };
    let token = "{ credentials: { bearer: { token: t } } }";
    for (credentials, own, shown) in [
        ("{ }", false, "with no credentials"),
        ("{ }", true, "with a certificate"),
        (token, false, "with a token"),
        (token, true, "with a token and a certificate"),
    ] {
        let told = summary(credentials, own);
        assert!(told.ends_with(shown), "{told}");
    }
}

#[test]
fn a_token_that_cannot_be_sent_is_a_mistake_at_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("token"), "hunter 2\n").expect("a file");
    let why = "the token contains characters that a header cannot carry";
    for (bearer, expected) in [
        ("token: 'hunter 2'", format!("c.yaml:2:54: upstreams.\"r.io\".credentials.bearer.token: {why}")),
        ("tokenFile: token", format!("c.yaml:2:58: upstreams.\"r.io\".credentials.bearer.tokenFile: `token`: {why}")),
        ("token: ''", "c.yaml:2:54: upstreams.\"r.io\".credentials.bearer.token: it is empty".to_string()),
    ] {
        let text = LEAST.replace("{ }", &format!("{{ credentials: {{ bearer: {{ {bearer} }} }} }}"));
        let errors = Config::parse(&text, "c.yaml", folder.path(), std::iter::empty()).map(|_| ()).expect_err(bearer);
        let told = errors.to_string();
        assert!(told.starts_with(&expected) && errors.all().len() == 1 && !told.contains("hunter"), "{told}");
    }
}
