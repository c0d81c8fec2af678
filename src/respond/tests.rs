use super::*;
use crate::oci::{Image, Reference};
use crate::reason::Reason;
use crate::route::{ManifestPull, Route};

fn asked() -> Route {
    let image = Image { registry: "r.io".parse().expect("a name"), repository: "a".parse().expect("a name") };
    Route::Manifest(ManifestPull { image, reference: Reference::Tag("1".parse().expect("a tag")) })
}

#[test]
fn a_denial_is_403_with_the_reason_in_phrase_and_header() {
    let mut denied = Refusal::new(Reason::SignatureMissing, "no signature by `k`").about(&asked());
    denied.cause = Some(Reason::KeyMismatch);
    denied.policy = Some("prod".into());
    let response = refusal(&denied, true);
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let phrase = response.extensions().get::<ReasonPhrase>().expect("a phrase").as_bytes().to_vec();
    let expected = "Forbidden: signature_missing (key_mismatch): policy \"prod\": no signature by `k`: r.io/a:1; \
        next: `countersign verify` says who has to sign what";
    assert_eq!(String::from_utf8(phrase).expect("text"), expected);
    assert_eq!(response.headers()[REASON], "signature_missing");
    assert!(response.headers()[CONTENT_LENGTH].to_str().expect("a number").parse::<usize>().expect("a number") > 50);
}

#[test]
fn what_clients_send_cannot_break_the_status_line() {
    for text in ["a\r\nb\u{1b}[31m", "ä\u{202e}€\u{85}", "\"}]}\u{0}"] {
        let response = refusal(&Refusal::new(Reason::NameInvalid, text.repeat(400)), false);
        let phrase = response.extensions().get::<ReasonPhrase>().expect("a phrase").as_bytes().to_vec();
        assert!(phrase.len() <= 512, "{}", phrase.len());
        let phrase = String::from_utf8(phrase).expect("it is cut between characters");
        assert!(!phrase.contains(|c: char| c.is_control() || c == '\u{202e}'), "{phrase:?}");
    }
}

#[test]
fn no_denial_is_a_404_and_every_503_says_when_to_come_back() {
    for reason in Reason::ALL {
        let response = refusal(&Refusal::new(*reason, "x").about(&asked()), false);
        match reason.class() {
            Class::Deny => assert_eq!(response.status(), StatusCode::FORBIDDEN),
            Class::Unavailable => {
                assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
                assert!(response.headers().contains_key(RETRY_AFTER));
            }
            Class::Allow | Class::Request(_) => {}
        }
    }
}

#[test]
fn what_happened_leaves_room_for_what_to_do() {
    let mut denied = Refusal::new(Reason::Unsigned, "x".repeat(10_000)).about(&asked());
    assert!(denied.message().contains("xx…: r.io/a:1; next: sign it"), "{}", denied.message());
    denied.detail = "no signature".into();
    assert!(denied.message().starts_with("unsigned: no signature: r.io/a:1; next: sign it"), "{}", denied.message());
    denied.reason = Reason::UpstreamNotFound;
    assert_eq!(denied.message(), "upstream_not_found: no signature: r.io/a:1");
}
