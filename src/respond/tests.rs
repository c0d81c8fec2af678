use super::*;
use crate::reason::Reason;

#[test]
fn a_denial_is_403_with_the_reason_in_phrase_and_header() {
    let mut denied = Refusal::new(Reason::SignatureMissing, "no signature by `k`", "r.io/a:1");
    denied.cause = Some(Reason::KeyMismatch);
    denied.policy = Some("prod".into());
    let response = refusal(&denied, true);
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let phrase = response.extensions().get::<ReasonPhrase>().expect("a phrase").as_bytes().to_vec();
    let expected = "Forbidden: signature_missing (key_mismatch): policy \"prod\": no signature by `k`: r.io/a:1";
    assert_eq!(String::from_utf8(phrase).expect("text"), expected);
    assert_eq!(response.headers()[REASON], "signature_missing");
    assert!(response.headers()[CONTENT_LENGTH].to_str().expect("a number").parse::<usize>().expect("a number") > 50);
}

#[test]
fn what_clients_send_cannot_break_the_status_line() {
    let response = refusal(&Refusal::new(Reason::NameInvalid, "a\r\nb\u{1b}[31m".repeat(200), ""), false);
    let phrase = response.extensions().get::<ReasonPhrase>().expect("a phrase").as_bytes().to_vec();
    assert!(phrase.len() <= 512 && !phrase.iter().any(u8::is_ascii_control));
}

#[test]
fn no_denial_is_a_404_and_every_503_says_when_to_come_back() {
    for reason in Reason::ALL {
        let response = refusal(&Refusal::new(*reason, "x", "y"), false);
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
