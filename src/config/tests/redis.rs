//! `store.redis`.

use super::*;

fn with_store(store: &str) -> String {
    format!("{LEAST}store: {store}\n")
}

/// A folder with a key, an authority, a password, and what is none of them.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(vec!["redis.io".to_string()]).expect("a certificate");
    let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).expect("a file");
    write("ca", made.cert.pem().as_bytes());
    write("password", b"t0psecret\n");
    write("empty", b"\n");
    write("key", &std::array::from_fn::<u8, 32, _>(|n| u8::try_from(n).unwrap_or(0)).map(|n| n | 0x80));
    let key = folder.path().join("key");
    fs::set_permissions(key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
    folder
}

fn within(folder: &Path, store: &str) -> Result<Config, ConfigErrors> {
    Config::parse(&with_store(store), "c.yaml", folder, std::iter::empty())
}

#[test]
fn everything_is_taken_from_where_it_stands() {
    let folder = folder();
    let store = "{ kind: redis, evidence: 2d, keys: [ key ], redis: { url: 'rediss://a:1,b/2', sentinel: main, \
                 username: u, passwordFile: password, ca: ca, timeout: 50ms } }";
    let config = within(folder.path(), store).expect("good");
    let Kind::Shared(settings) = &config.store.kind else { panic!("{:?}", config.store) };
    let hosts: Vec<_> = settings.servers.hosts.iter().map(ToString::to_string).collect();
    assert_eq!((hosts.join(" ").as_str(), settings.servers.tls, settings.servers.database), ("a:1 b:26379", true, 2));
    assert_eq!((settings.sentinel.as_deref(), settings.username.as_deref()), (Some("main"), Some("u")));
    assert_eq!(settings.password_file.as_deref(), Some(folder.path().join("password").as_path()));
    assert_eq!((settings.timeout, settings.evidence), (Duration::from_millis(50), Duration::from_hours(48)));
    assert_eq!(config.store.keys, [folder.path().join("key")]);
    assert!(!format!("{config:?}").contains("t0psecret"));

    let plain = within(folder.path(), "{ kind: redis, keys: [ key ], redis: { url: 'redis://a' } }").expect("good");
    let Kind::Shared(settings) = &plain.store.kind else { panic!("{:?}", plain.store) };
    assert_eq!((settings.timeout, settings.servers.tls), (Duration::from_millis(200), false));
}

#[test]
fn every_mistake_has_its_place() {
    let folder = folder();
    for (store, place, why) in [
        ("{ kind: redis, keys: [ key ] }", "3:1: store", "`redis` is missing"),
        ("{ kind: redis, redis: { url: 'redis://a' } }", "3:1: store", "`keys` is missing"),
        ("{ kind: redis, keys: [ gone ], redis: { url: 'redis://a' } }", "3:31: store.keys[0]", "gone"),
        ("{ kind: redis, keys: [ password ], redis: { url: 'redis://a' } }", "3:31: store.keys[0]", "password"),
        ("{ kind: redis, keys: [ key ], redis: { } }", "3:38: store.redis", "`url` is missing"),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'http://a' } }",
            "3:52: store.redis.url",
            "it must begin with `redis://`",
        ),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'redis://u:p4ss@a' } }",
            "3:52: store.redis.url",
            "say them in `username` and `passwordFile`",
        ),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'redis://a,b' } }",
            "3:52: store.redis.url",
            "`sentinel` is missing",
        ),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'redis://a', sentinel: '' } }",
            "3:75: store.redis.sentinel",
            "it must be the name",
        ),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'redis://a', username: u } }",
            "3:75: store.redis.username",
            "`passwordFile` is missing",
        ),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'redis://a', passwordFile: gone } }",
            "3:79: store.redis.passwordFile",
            "gone`: No such file",
        ),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'redis://a', passwordFile: empty } }",
            "3:79: store.redis.passwordFile",
            "it is empty",
        ),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'rediss://a', ca: gone } }",
            "3:70: store.redis.ca",
            "gone`: No such file",
        ),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'rediss://a', ca: key } }",
            "3:70: store.redis.ca",
            "it is not a PEM file of authorities",
        ),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'redis://a', ca: ca } }",
            "3:69: store.redis.ca",
            "say `rediss://`",
        ),
        (
            "{ kind: redis, keys: [ key ], redis: { url: 'redis://a', timeout: 0s } }",
            "3:74: store.redis.timeout",
            "it must be longer than zero",
        ),
    ] {
        let errors = within(folder.path(), store).map(|_| ()).expect_err(store);
        let first = errors.all()[0].to_string();
        assert!(first.starts_with(&format!("c.yaml:{place}: ")) && first.contains(why), "{store}\n{first}");
        // The line that holds a secret is not shown.
        assert!(first.contains('^') != store.contains("p4ss") && !first.contains("p4ss"), "{first}");
    }
}

#[test]
fn a_password_that_goes_in_clear_is_a_warning() {
    let folder = folder();
    let warned = |redis: &str| {
        let store = format!("{{ kind: redis, keys: [ key ], redis: {redis} }}");
        let config = within(folder.path(), &store).expect("it may be said");
        config.warnings().into_iter().any(|(kind, why)| kind == "insecure" && why.contains("passwordFile"))
    };
    assert!(warned("{ url: 'redis://a', passwordFile: password }"));
    assert!(!warned("{ url: 'rediss://a', passwordFile: password }"));
    assert!(!warned("{ url: 'redis://a' }"));
}
