//! Variables over the file.

use super::{LEAST, mistakes, parsed};

fn secret(text: &str) -> crate::upstream::SecretSource {
    crate::upstream::SecretSource::Inline(text.to_string().into())
}

#[test]
fn variables_lie_over_the_file() {
    let text = format!("{LEAST}listen: {{ address: 1.1.1.1:1, drain: 1s }}\nlog: {{ level: warn }}\n");
    let config = parsed(
        &text,
        &[
            ("COUNTERSIGN__LISTEN__ADDRESS", "2.2.2.2:2"),
            ("COUNTERSIGN__LISTEN__PUBLIC_URL", "https://proxy.io"),
            ("COUNTERSIGN__LISTEN__MAXCONNECTIONS", "7"),
            ("COUNTERSIGN__POLICY__AUDIT", "true"),
            ("COUNTERSIGN__UPSTREAMS__r.io__DIAL", "https://r.internal"),
            ("COUNTERSIGN__UPSTREAMS__R_IO__ALIASES", "[m.io, 'n.io:80']"),
            ("COUNTERSIGN__UPSTREAMS__R_IO__CREDENTIALS__BASIC", "{username: u, password: '1.10'}"),
            ("COUNTERSIGN__UPSTREAMS__s.io", "{ }"),
            ("COUNTERSIGN__CACHE__ALLOW", "1h"),
            ("COUNTERSIGN_SERVICE_HOST", "what Kubernetes sets"),
            ("PATH", "/bin"),
        ],
    )
    .expect("a configuration");
    assert_eq!(config.listen.address.to_string(), "2.2.2.2:2");
    assert_eq!(config.listen.public_url.as_ref().map(url::Url::as_str), Some("https://proxy.io/"));
    assert_eq!((config.listen.max_connections, config.listen.drain.as_secs()), (7, 1));
    assert!(config.audit);
    assert_eq!(config.log.level, "warn");
    assert_eq!(config.cache.allow.as_secs(), 3600);
    let [r, s] = &config.upstreams[..] else { panic!("{config:?}") };
    assert_eq!((r.registry.as_str(), r.dial.as_str(), r.aliases.len()), ("r.io", "https://r.internal/", 2));
    assert_eq!(s.registry.as_str(), "s.io");
    let crate::upstream::Credentials::Basic { password, .. } = &r.credentials else { panic!("{r:?}") };
    assert_eq!(*password, secret("1.10"));
}

#[test]
fn texts_are_taken_as_they_are() {
    let password = "#no:comment,{not}'YAML'\\n";
    let name = "COUNTERSIGN__UPSTREAMS__r.io__CREDENTIALS__BEARER__TOKEN";
    let config = parsed(LEAST, &[(name, password)]).expect("a configuration");
    let crate::upstream::Credentials::Bearer(token) = &config.upstreams[0].credentials else { panic!("{config:?}") };
    assert_eq!(*token, secret(password));
}

#[test]
fn mistakes_of_the_environment_name_the_variable() {
    for (name, value, expected) in [
        (
            "COUNTERSIGN__LISTENN__ADDRESS",
            "x",
            "COUNTERSIGN__LISTENN__ADDRESS: there is no `LISTENN` here, only one of `listen`, `admin`, `clients`, \
             `writers`, `upstreams`, `policy`, `trust`, `cache`, `store`, `limits`, `log`, `audit`",
        ),
        (
            "COUNTERSIGN__LOG__COLOUR",
            "x",
            "COUNTERSIGN__LOG__COLOUR: log: there is no `COLOUR` here, only one of `format`, `level`",
        ),
        (
            "COUNTERSIGN__LOG__LEVEL__MORE",
            "x",
            "COUNTERSIGN__LOG__LEVEL__MORE: log.level: there is nothing to set beneath it, and no `MORE`",
        ),
        (
            "COUNTERSIGN__LOG__LEVEL",
            "loud",
            "COUNTERSIGN__LOG__LEVEL: log.level: `loud` is not one of `info`, `error`, `warn`, `debug`, `trace`",
        ),
        ("COUNTERSIGN__POLICY__AUDIT", "yes", "COUNTERSIGN__POLICY__AUDIT: policy.audit: expected `true` or `false`"),
        (
            "COUNTERSIGN__CACHE__VERDICTS",
            "-1",
            "COUNTERSIGN__CACHE__VERDICTS: cache.verdicts: expected a whole number, not negative",
        ),
        ("COUNTERSIGN__CLIENTS", "all", "COUNTERSIGN__CLIENTS: clients: expected a list"),
        (
            "COUNTERSIGN__CLIENTS",
            "[{anonymous: true, anonymous: true}]",
            "COUNTERSIGN__CLIENTS: clients: duplicate key `anonymous`",
        ),
        (
            "COUNTERSIGN__STORE__KIND",
            "radish",
            "COUNTERSIGN__STORE__KIND: store.kind: `radish` is not one of `embedded`, `memory`, `redis`; did you mean `redis`?",
        ),
        (
            "COUNTERSIGN__UPSTREAMS__R_IO__DIAL",
            "http://r.io",
            "COUNTERSIGN__UPSTREAMS__R_IO__DIAL: upstreams.\"r.io\".dial: what is read over plain HTTP can be forged; \
             spell out `tls: { insecurePlainHttp: true }`",
        ),
        (
            "COUNTERSIGN__UPSTREAMS__NEW_IO__DIAL",
            "https://x.io",
            "COUNTERSIGN__UPSTREAMS__NEW_IO__DIAL: upstreams.NEW_IO: `NEW_IO` is not a registry's name, `host` or `host:port`",
        ),
        (
            "COUNTERSIGN__",
            "x",
            "COUNTERSIGN__: there is no `` here, only one of `listen`, `admin`, `clients`, `writers`, `upstreams`, `policy`, `trust`, `cache`, `store`, `limits`, `log`, `audit`",
        ),
    ] {
        assert_eq!(mistakes(LEAST, &[(name, value)]), [expected]);
    }
    assert_eq!(
        mistakes(LEAST, &[("COUNTERSIGN__LISTEN__DRAIN", "1s"), ("COUNTERSIGN__listen__DRAIN", "2s")]),
        ["COUNTERSIGN__listen__DRAIN: listen.drain: `COUNTERSIGN__LISTEN__DRAIN` sets it too"]
    );
    let two = "policy: { path: p }\nupstreams: { a.b: { }, a-b: { } }\n";
    assert_eq!(
        mistakes(two, &[("COUNTERSIGN__UPSTREAMS__A_B__DIAL", "https://x.io")]),
        ["COUNTERSIGN__UPSTREAMS__A_B__DIAL: upstreams: `A_B` may mean `a-b` or `a.b`"]
    );
}
