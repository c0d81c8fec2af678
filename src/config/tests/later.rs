//! What this version does not honour.

use super::{LEAST, mistakes, parsed};

/// What this version does not honour: the text, the path of the error, the words that are not yet supported.
const LATER: &[(&str, &str, &str)] = &[
    ("listen: { requestsPerClient: 200/s }", "listen.requestsPerClient", "requestsPerClient"),
    ("clients: [ { mtls: { subjects: [ CN=x ] }, may: [ r.io/** ] } ]", "clients[0].mtls", "mtls"),
    ("clients: [ { basic: { htpasswd: f }, may: [ r.io/** ] } ]", "clients[0].basic", "basic"),
    ("clients: [ { token: { remember: 30s }, may: [ r.io/** ] } ]", "clients[0].token", "token"),
    ("writers: [ { basic: { htpasswd: f }, may: [ r.io/** ] } ]", "writers", "writers"),
    ("audit: { path: p }", "audit.path", "path"),
    ("audit: { checkpointKey: p }", "audit.checkpointKey", "checkpointKey"),
    ("audit: { checkpointEvery: 2m }", "audit.checkpointEvery", "checkpointEvery"),
    ("audit: { rotate: 1MiB }", "audit.rotate", "rotate"),
    ("audit: { onFailure: continue }", "audit.onFailure", "onFailure"),
];

/// The same beneath an upstream.
const LATER_UPSTREAM: &[(&str, &str, &str)] = &[("push: relay", "push", "push")];

#[test]
fn what_later_versions_honour_is_refused_by_name_at_its_place() {
    let upstream = |text: &str| LEAST.replace("r.io: { }", &format!("r.io: {{ {text} }}"));
    let beneath = LATER_UPSTREAM
        .iter()
        .map(|(text, path, name)| (upstream(text), format!("2:C: upstreams.\"r.io\".{path}"), *name));
    let whole = LATER.iter().map(|(text, path, name)| (format!("{LEAST}{text}\n"), format!("3:C: {path}"), *name));
    for (text, place, name) in whole.chain(beneath) {
        let found = mistakes(&text, &[]);
        let [one] = &found[..] else { panic!("{text}\n{found:?}") };
        let mut parts = one.splitn(4, ':');
        let (file, line, column) = (parts.next(), parts.next(), parts.next());
        assert!(file == Some("c.yaml") && column.is_some_and(|column| column.parse::<u32>().is_ok()), "{one}");
        let rest = parts.next().unwrap_or_default();
        let found = format!("{}:C:{rest}", line.unwrap_or_default());
        assert_eq!(found, format!("{place}: `{name}` is not yet supported"), "{text}");
    }
}

#[test]
fn what_later_versions_honour_is_judged_all_the_same() {
    for (text, expected) in [
        ("listen: { requestsPerClient: 200 }", "`200` is not a rate"),
        ("listen: { tls: { clientCa: c } }", "`clientCa` is not yet supported"),
        ("listen: { tls: { clientCa: c } }", "`key` is missing"),
        ("trust: { refresh: often }", "`often` is not a duration"),
        ("audit: { rotate: 1 }", "`1` is not a size"),
        ("store: { kind: postgres }", "`postgres` is not one of"),
    ] {
        let text = format!("{LEAST}{text}\n");
        let errors = parsed(&text, &[]).map(|_| ()).expect_err(&text).to_string();
        assert!(errors.contains(expected), "{text}\n{errors}");
    }
}
