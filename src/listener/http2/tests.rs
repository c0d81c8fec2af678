use bytes::Bytes;
use http::Version;
use http_body_util::{Empty, Full};

use super::*;

fn request(uri: &str, host: Option<&str>) -> http::request::Builder {
    let builder = Request::builder().version(Version::HTTP_2).uri(uri);
    host.into_iter().fold(builder, |builder, host| builder.header(HOST, host))
}

/// The target and the hosts that HTTP/1.1 would have said.
fn said(uri: &str, host: Option<&str>) -> (String, Vec<String>) {
    let request = in_words_of_http1(request(uri, host).body(Empty::<Bytes>::new()).expect("a request"));
    let hosts = request.headers().get_all(HOST).iter().map(|host| host.to_str().expect("text").to_string());
    assert!(!request.headers().contains_key(TRANSFER_ENCODING));
    (request.uri().to_string(), hosts.collect())
}

#[test]
fn the_authority_is_the_host_and_the_target_has_none() {
    let path = "/v2/a/manifests/1?ns=r.io";
    for (uri, host, hosts) in [
        ("https://r.io", None, vec!["r.io"]),
        ("https://r.io:443", None, vec!["r.io:443"]),
        ("https://r.io", Some("r.io"), vec!["r.io"]),
        ("https://r.io", Some("R.IO"), vec!["R.IO"]),
        // Two, which is refused like two of HTTP/1.1.
        ("https://r.io", Some("other.io"), vec!["other.io", "r.io"]),
        ("https://r.io", Some("r.io:443"), vec!["r.io:443", "r.io"]),
        ("https://r.io", Some(""), vec!["", "r.io"]),
        ("", Some("r.io"), vec!["r.io"]),
        ("", None, vec![]),
    ] {
        let (target, found) = said(&format!("{uri}{path}"), host);
        assert_eq!((target.as_str(), found), (path, hosts.iter().map(ToString::to_string).collect()), "{uri} {host:?}");
    }
}

#[test]
fn what_follows_a_head_is_a_body_whether_it_is_announced_or_not() {
    for (announced, text) in [(None, "x"), (Some("1"), "x"), (Some("0"), "x")] {
        let mut request = request("https://r.io/v2/", None);
        if let Some(length) = announced {
            request = request.header(CONTENT_LENGTH, length);
        }
        let request = in_words_of_http1(request.body(Full::new(Bytes::from(text))).expect("a request"));
        assert_eq!(request.headers()[TRANSFER_ENCODING], "chunked");
    }
}

#[test]
fn the_answer_to_a_head_says_its_length_and_is_empty() {
    for (given, length) in [(None, Some("4")), (Some("7"), Some("7"))] {
        let mut response = Response::new(body::full(Bytes::from_static(b"fine")));
        if let Some(given) = given {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static(given));
        }
        let response = without_body(response);
        assert!(response.body().is_end_stream());
        assert_eq!(response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()), length);
    }
}
