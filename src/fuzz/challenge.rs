//! The registry's `WWW-Authenticate`, the one text of its that decides where the proxy's credentials go.

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};
use url::{Host, Url};

use crate::upstream::challenge::Challenge;
use crate::upstream::realm::Home;

/// `WWW-Authenticate` headers, one a line: what is read says the same when it is written again, and whatever it says,
/// credentials go to the registry's own hosts over TLS.
///
/// # Panics
/// If the promise is broken.
pub fn challenge(data: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let challenges = Challenge::all(&lines.map(|line| (WWW_AUTHENTICATE, line)).collect());
    for challenge in &challenges {
        is_written_as_it_was_read(challenge);
        leads_credentials_home(challenge);
    }
}

fn is_written_as_it_was_read(challenge: &Challenge) {
    let (scheme, parameters) = challenge.parts();
    let write = |(name, value): &(String, String)| {
        let same = parameters.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        assert_eq!(same.count(), 1, "{name} twice");
        format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let written: Vec<_> = parameters.iter().map(write).collect();
    let written = format!("{scheme} {}", written.join(", "));
    let header = HeaderValue::from_str(&written).expect("what was read from a header can be written into one");
    let again = Challenge::all(&HeaderMap::from_iter([(WWW_AUTHENTICATE, header)]));
    // Escapes make it longer, and too long asks for nothing.
    assert!(again == [challenge.clone()] || written.len() > 4096, "{written}");
}

fn leads_credentials_home(challenge: &Challenge) {
    let dial = Url::parse("https://registry-internal.company.com:5000").expect("a URL");
    let home = Home::new(&"registry.company.com".parse().expect("a registry"), &dial);
    let Ok(realm) = home.realm(challenge.parameter("realm").unwrap_or_default(), true) else { return };
    let Some(Host::Domain(host)) = realm.host() else { panic!("{realm} is no name") };
    assert!(host == "company.com" || host.ends_with(".company.com"), "{realm} is not at home");
    assert!(realm.scheme() == "https" && realm.username().is_empty() && realm.password().is_none(), "{realm}");
}
