use std::io;
use std::sync::{LazyLock, Mutex};

use super::*;

/// A log that is kept.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("UTF-8")
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `f` logs.
///
/// Two more logs are kept alive: while there is but one, `tracing` asks whichever thread comes by a line first whether
/// anybody wants that line, and remembers its answer for all.
pub(crate) fn captured(json: bool, level: &str, f: impl FnOnce()) -> String {
    static KEPT: LazyLock<[Dispatch; 2]> =
        LazyLock::new(|| [(); 2].map(|()| dispatch(false, "trace", io::sink).expect("a level")));
    LazyLock::force(&KEPT);
    let written = Written::default();
    let writer = written.clone();
    let dispatch = dispatch(json, level, move || writer.clone()).expect("a level");
    tracing::dispatcher::with_default(&dispatch, f);
    written.text()
}

fn logged(json: bool, level: &str, request: &Request, ending: &Ending, facts: &Facts) -> String {
    captured(json, level, || request_line(request, ending, facts))
}

fn request(uri: &str, user_agent: &[u8]) -> Request {
    Request {
        method: Method::GET,
        uri: uri.parse().expect("a URI"),
        user_agent: Some(HeaderValue::from_bytes(user_agent).expect("a header value")),
        client: Some(([192, 0, 2, 1], 4711).into()),
    }
}

fn ending(status: u16) -> Ending {
    let status = Some(StatusCode::from_u16(status).expect("a status"));
    Ending { status, took: Duration::from_micros(1500), bytes_sent: 12, aborted: false }
}

#[test]
fn a_line_has_the_fixed_fields_and_no_others() {
    let facts = Facts {
        image: Some(Image {
            registry: "registry.company.com".parse().expect("a registry"),
            repository: "team/app".parse().expect("a repository"),
        }),
        reference: Some(Reference::Tag("1".parse().expect("a tag"))),
        reason: Some(Reason::SignatureMissing),
        cause: Some(Reason::KeyMismatch),
        policy: Some("prod".into()),
        would_deny: vec![("next".into(), Reason::TooOld), ("".into(), Reason::NoPolicy)],
        cache: Some("hit"),
        detail: Some("no signature by `release`".into()),
        ..Facts::default()
    };
    let request = request("/v2/team/app/manifests/1?ns=registry.company.com&token=s3cret&s3cret", b"containerd/2.1");
    let line = logged(true, "info", &request, &ending(403), &facts);
    assert!(!line.contains("s3cret"), "{line}");
    let mut line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line).expect("one JSON object");
    assert!(line.remove("timestamp").is_some());
    let expected = serde_json::json!({
        "level": "INFO", "target": "countersign::request", "message": "request",
        "http.method": "GET", "http.path": "/v2/team/app/manifests/1", "http.query": "ns,token,?", "http.status": 403,
        "duration_ms": 1.5, "bytes_sent": 12, "client.address": "192.0.2.1:4711", "user_agent": "containerd/2.1",
        "image.registry": "registry.company.com", "image.repository": "team/app", "image.reference": "1",
        "policy.name": "prod", "verdict.outcome": "deny", "verdict.reason": "signature_missing",
        "verdict.cause": "key_mismatch", "cache.hit": true, "cache.result": "hit",
        "would_deny": "next:too_old,:no_policy", "detail": "no signature by `release`",
    });
    assert_eq!(serde_json::Value::Object(line), expected);
}

#[test]
fn a_client_cannot_write_lines_or_obey_terminals() {
    let hostile = "a\nINFO forged=1\r\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\u{85}\0\"'\\é";
    let facts = Facts {
        detail: Some(hostile.into()),
        policy: Some(hostile.into()),
        would_deny: vec![(hostile.into(), Reason::TooOld)],
        ..Facts::default()
    };
    let request = request(
        "/v2/%0a%1b[31m/x?a%0ab=1",
        b"curl\x1b[2J\t\xc2\x9b\xff".map(|b| if b == 0x1b { 0x9b } else { b }).as_slice(),
    );
    for json in [true, false] {
        let line = logged(json, "info", &request, &ending(200), &facts);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.ends_with('\n'));
        let obeyed = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202e}' | '\u{2028}'));
        assert!(!line.contains(obeyed), "{line:?}");
        assert!(line.contains('é'), "{line}");
        if json {
            serde_json::from_str::<serde_json::Value>(&line).expect("one JSON object");
        }
    }
}

#[test]
fn what_is_too_long_is_cut() {
    let request = request(&format!("/{}", "a".repeat(5000)), &b"u".repeat(5000));
    let facts = Facts { detail: Some("é".repeat(5000)), ..Facts::default() };
    let line = logged(true, "info", &request, &ending(200), &facts);
    assert!(line.len() < 4000, "{}", line.len());
    assert!(line.contains(&format!("{}…", "u".repeat(200))));
}

#[test]
fn a_denial_is_info_and_an_indeterminate_is_a_warning() {
    let request = request("/v2/", b"curl");
    let because = |reason| Facts { reason: Some(reason), ..Facts::default() };
    for (status, facts, level) in [
        (403, because(Reason::Unsigned), "INFO"),
        (503, because(Reason::EvidenceUnreadable), "WARN"),
        (503, Facts::default(), "WARN"),
        (200, because(Reason::Signed), "INFO"),
        (404, Facts::default(), "INFO"),
    ] {
        let line = logged(false, "info", &request, &ending(status), &facts);
        assert!(line.contains(&format!(" {level} countersign::request: request")), "{line}");
        assert_eq!(logged(false, "warn", &request, &ending(status), &facts).is_empty(), level == "INFO");
    }
}

#[test]
fn a_wrong_level_is_an_error() {
    assert!(matches!(install(true, "loud,,=,"), Err(InstallError::Level(_))));
}
