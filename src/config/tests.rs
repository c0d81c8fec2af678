//! The configuration as a whole: mistakes with their places, names, credentials, files.

use std::fs;

use super::*;

mod environment;

mod docker_config;

mod later;

mod listen_tls;

mod lint;

mod redis;

mod store;

mod upstream_tls;

/// The least that is a configuration, on lines 1 and 2.
const LEAST: &str = "policy: { path: policy.yaml }\nupstreams: { r.io: { } }\n";

fn parsed(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string()));
    Config::parse(text, "c.yaml", Path::new("/etc/countersign"), environment)
}

/// The first line of every error.
fn mistakes(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let errors = parsed(text, environment).map(|_| ()).expect_err(text);
    errors.all().iter().map(|error| error.to_string().lines().next().unwrap_or_default().to_string()).collect()
}

#[test]
fn the_examples_load_and_show_the_defaults() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let example = Config::load(&folder.join("countersign.yaml"), std::iter::empty()).expect("the example");
    let policies = crate::policy::file::load(&example.policy_path).expect("the example policy");
    assert_eq!((policies.all().len(), policies.trust_roots().len()), (2, 1));
    assert_eq!(example.warnings(), []);
    let least = parsed(LEAST, &[]).expect("the least");
    let shown = |config: &Config| {
        let upstream = &config.upstreams[0];
        format!(
            "{:?}",
            (
                (&config.listen, config.admin, config.audit, &config.trust, &config.cache, config.limits, &config.log),
                &config.store,
                (upstream.connect, upstream.first_byte, upstream.idle, upstream.referrers, &upstream.credentials),
            )
        )
    };
    assert_eq!(shown(&example), shown(&least), "the example shows other values than the defaults");
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = "\
listen: { address: 5000, publicUrl: https://u:p@x, maxConnections: 0, headerTimeout: 0s }
admin: { address: ':9090' }
clients:
- may: [ r.io/** ]
- anonymous: false
  may: [ ]
- anonymous: true
  may: [ R.io/x ]
upstreams:
  r.io: { dial: http://r.internal, aliases: [ s.io, 'r.io:443', 'a b' ] }
  s.io:443: { dial: 'https://s.internal/path', tls: { ca: gone.crt } }
  t.io: { tls: { insecurePlainHttp: true }, referrers: of, credentials: { basic: { username: u, passwordFile: f } } }
cache: { allow: 6, manifests: 64 }
limits: { listed: 0, logEntries: 0, timestamps: 0, chain: 0, verification: { threads: 0, queue: 0, time: 0s } }
log: { format: jsn, level: trace }
";
    assert_eq!(
        mistakes(text, &[]),
        [
            "c.yaml: policy: `path` is missing",
            "c.yaml:1:20: listen.address: `5000` is not an IP address and a port, such as `0.0.0.0:5000`",
            "c.yaml:1:37: listen.publicUrl: a URL is no place for credentials",
            "c.yaml:1:68: listen.maxConnections: it must be at least 1",
            "c.yaml:1:86: listen.headerTimeout: it must be longer than zero",
            "c.yaml:2:19: admin.address: `:9090` is not an IP address and a port, such as `127.0.0.1:9090`",
            "c.yaml:4:3: clients[0]: one of `anonymous`, `mtls`, `basic`, `token` is needed",
            "c.yaml:5:14: clients[1].anonymous: it is `true` or absent",
            "c.yaml:6:3: clients[1].may: an empty `may` permits nothing",
            "c.yaml:8:10: clients[2].may[0]: registries and repositories are lower-case",
            "c.yaml:10:17: upstreams.\"r.io\".dial: what is read over plain HTTP can be forged; spell out \
             `tls: { insecurePlainHttp: true }`",
            "c.yaml:10:47: upstreams.\"r.io\".aliases[0]: another upstream is called `s.io`",
            "c.yaml:10:65: upstreams.\"r.io\".aliases[2]: `a b` is not a registry's name, `host` or `host:port`",
            "c.yaml:11:21: upstreams.\"s.io:443\".dial: only scheme, host and port belong here",
            "c.yaml:11:59: upstreams.\"s.io:443\".tls.ca: `gone.crt`: it does not exist",
            "c.yaml:12:37: upstreams.\"t.io\".tls.insecurePlainHttp: `dial` is not an `http:` URL",
            "c.yaml:12:56: upstreams.\"t.io\".referrers: `of` is not one of `auto`, `off`",
            "c.yaml:12:111: upstreams.\"t.io\".credentials.basic.passwordFile: `f`: it does not exist",
            "c.yaml:13:17: cache.allow: `6` is not a duration such as `10s` (ms, s, m, h, d)",
            "c.yaml:13:31: cache.manifests: `64` is not a size such as `4MiB` (B, KiB, MiB, GiB, KB, MB, GB)",
            "c.yaml:14:19: limits.listed: it must be at least 1",
            "c.yaml:14:34: limits.logEntries: it must be at least 1",
            "c.yaml:14:49: limits.timestamps: it must be at least 1",
            "c.yaml:14:59: limits.chain: it must be at least 1",
            "c.yaml:14:87: limits.verification.threads: it must be at least 1",
            "c.yaml:14:97: limits.verification.queue: it must be at least 1",
            "c.yaml:14:106: limits.verification.time: it must be longer than zero",
            "c.yaml:15:16: log.format: `jsn` is not one of `json`, `text`; did you mean `json`?",
        ]
    );
    assert_eq!(
        parsed("policy: { pat: x }\n", &[]).map(|_| ()).expect_err("a typo").to_string(),
        "c.yaml:1:11: policy: unknown key `pat`; did you mean `path`?\n  1 | policy: { pat: x }\n    |           ^"
    );
    assert_eq!(
        mistakes("policy: { path: p }\nupstreams: { }\n", &[]),
        ["c.yaml:2:1: upstreams: there is no registry to stand in front of"]
    );
}

#[test]
fn limits_are_what_the_file_says() {
    let limits = "{ listed: 9, examined: 8, logEntries: 7, timestamps: 6, subjects: 5, chain: 4, parents: 3, \
                  verification: { threads: 16, queue: 1, time: 250ms } }";
    let limits = parsed(&format!("{LEAST}limits: {limits}\n"), &[]).expect(limits).limits;
    let Limits { listed, examined, log_entries, timestamps, subjects, chain, parents, verification, .. } = limits;
    assert_eq!((listed, examined, log_entries, timestamps, subjects, chain, parents), (9, 8, 7, 6, 5, 4, 3));
    let time = Duration::from_millis(250);
    assert_eq!(verification, crate::limits::Verification { threads: 16, queue: 1, time });
    assert_eq!(parsed(LEAST, &[]).expect(LEAST).limits, Limits::default());
}

#[test]
fn tags_are_remembered_for_minutes_at_most() {
    let config = parsed(&format!("{LEAST}cache: {{ tagTtl: 5m }}\n"), &[]).expect("a configuration");
    assert_eq!(config.cache.tag_ttl, Duration::from_mins(5));
    let [longer] = &mistakes(&format!("{LEAST}cache: {{ tagTtl: 301s }}\n"), &[])[..] else { panic!() };
    assert!(longer.starts_with("c.yaml:3:18: cache.tagTtl: it is longer than 5m"), "{longer}");
}

#[test]
fn names_are_canonical_and_unique() {
    let text = "policy: { path: p }\nupstreams:\n  Registry.Company.com:443: { aliases: [ registry.company.com, m.io, M.io ] }\n  docker.io: { }\n";
    let config = parsed(text, &[]).expect(text);
    assert_eq!(config.upstreams[0].registry.as_str(), "registry.company.com");
    assert_eq!(config.upstreams[0].dial.as_str(), "https://registry.company.com/");
    assert_eq!(config.upstreams[0].aliases, ["m.io".parse().expect("a name")]);
    assert_eq!(config.upstreams[1].dial.as_str(), "https://registry-1.docker.io/");
    assert_eq!(
        mistakes(
            "policy: { path: p }\nupstreams: { r.io: { aliases: [ m.io ] }, s.io: { aliases: [ m.io ] }, R.io: { } }\n",
            &[]
        ),
        [
            "c.yaml:2:14: upstreams.\"r.io\": another upstream is called `r.io`",
            "c.yaml:2:62: upstreams.\"s.io\".aliases[0]: another upstream is called `m.io`",
        ]
    );
}

#[test]
fn redirects_lead_where_the_file_says_and_nowhere_else() {
    let redirects = |text: &str| {
        let config = parsed(&LEAST.replace("r.io: { }", &format!("r.io: {{ {text} }}")), &[]);
        config.expect(text).upstreams[0].redirects.clone()
    };
    let nothing = redirects("blobRedirects: follow");
    assert!(!nothing.relay && nothing.hosts.is_empty() && nothing.private.is_empty());
    let some = redirects(
        "blobRedirects: relay, redirectHosts: [ s3.r.io, 'http://minio:9000' ], redirectPrivate: [ 10.0.0.0/8 ]",
    );
    assert!(some.relay);
    assert_eq!(some.hosts, ["s3.r.io", "http://minio:9000"].map(|host| host.parse().expect("a host")));
    assert_eq!(some.private, ["10.0.0.0/8".parse().expect("a network")]);
    for (text, expected) in [
        ("blobRedirects: ignore", "blobRedirects: `ignore` is not one of"),
        ("redirectHosts: [ s3.r.io, 's3.r.io/bucket' ]", "redirectHosts[1]: `s3.r.io/bucket` is not a host"),
        (
            "redirectHosts: [ s3.r.io ], redirectPrivate: [ 10.0.0.0/33 ]",
            "redirectPrivate[0]: `10.0.0.0/33` is not a network",
        ),
        (
            "redirectHosts: [ s3.r.io ], redirectPrivate: [ 10.0.0.0/8, 10.1.0.1/16 ]",
            "redirectPrivate[1]: `10.1.0.1/16` is an address in a network; the network is `10.1.0.0/16`",
        ),
        ("redirectPrivate: [ 10.0.0.0/8 ]", "redirectPrivate: no redirect leads there without `redirectHosts`"),
    ] {
        let found = mistakes(&LEAST.replace("r.io: { }", &format!("r.io: {{ {text} }}")), &[]);
        let [one] = &found[..] else { panic!("{text}\n{found:?}") };
        assert!(one.contains(expected), "{text}\n{one}");
    }
}

#[test]
fn anonymous_callers_get_the_proxys_credentials_only_if_spelled_out() {
    let text = |may: &str, more: &str| {
        format!(
            "policy: {{ path: p }}\nclients:\n- anonymous: true\n  may: [ '{may}' ]\n{more}upstreams:\n  \
             r.io: {{ credentials: {{ bearer: {{ token: t0ps3cret }} }} }}\n  s.io: {{ }}\n"
        )
    };
    for (may, lent) in [
        ("r.io/**", true),
        ("r.io/public/*", true),
        ("**", true),
        ("*/public/**", true),
        ("r.**/x", true),
        ("s.io/**", false),
        ("r.io:5000/**", false),
        ("rr.io/**", false),
    ] {
        let text = text(may, "");
        match parsed(&text, &[]) {
            Ok(config) => {
                assert!(!lent, "{may}");
                assert!(!format!("{config:?}").contains("t0ps3cret"), "a secret was printed");
            }
            Err(errors) => assert!(lent && errors.all().len() == 1, "{may}: {errors}"),
        }
    }
    assert!(parsed(&text("r.io/**", "  insecureAnonymous: true\n"), &[]).is_ok());
}

#[test]
fn files_are_relative_to_the_configuration_and_secrets_lose_their_line_break() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("c.yaml");
    fs::write(folder.path().join("password"), "s3cret\n").expect("a file");
    fs::write(folder.path().join("ca.crt"), "no certificate").expect("a file");
    let text = |tls: &str| {
        format!(
            "policy: {{ path: policies }}\nupstreams:\n  r.io:\n    credentials: {{ basic: {{ username: u, passwordFile: \
             password }} }}\n{tls}"
        )
    };
    fs::write(&path, text("")).expect("a file");
    let config = Config::load(&path, std::iter::empty()).expect("a configuration");
    assert_eq!(config.policy_path, folder.path().join("policies"));
    let Credentials::Basic { username, password } = &config.upstreams[0].credentials else { panic!("{config:?}") };
    let file = crate::upstream::SecretSource::File(folder.path().join("password"));
    assert_eq!((username.as_str(), password), ("u", &file));
    fs::write(&path, text("    tls: { ca: ca.crt }\n")).expect("a file");
    let errors = Config::load(&path, std::iter::empty()).map(|_| ()).expect_err("no certificate").to_string();
    assert!(
        errors.contains(":5:16: upstreams.\"r.io\".tls.ca: `ca.crt`: it is not a PEM file of certificates"),
        "{errors}"
    );
    assert!(!errors.contains("s3cret"), "{errors}");
}
