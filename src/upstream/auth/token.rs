//! Tokens: how a token server is asked for one, and what it answers.
//!
//! They are asked for one scope, pulling from one repository, whatever the challenge says.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use super::Scope;
use crate::upstream::UpstreamError;
use crate::upstream::connection::{self, Connection};
use crate::upstream::credentials::login::{Login, bearer};
use crate::upstream::message::Request;

/// The question for a token, in the form that `login` takes: an identity token goes into a body, a name and password into
/// a header.
pub(super) fn request(login: &Login, realm: Url, service: Option<&str>, scope: &Scope) -> Request {
    let mut parameters: Vec<(&str, String)> =
        service.map(|service| ("service", service.to_string())).into_iter().collect();
    let Scope(scope) = scope;
    if !scope.is_empty() {
        parameters.push(("scope", scope.clone()));
    }
    match login {
        Login::Identity(token) => {
            let mut form = Serializer::new(String::new());
            form.extend_pairs([("grant_type", "refresh_token"), ("refresh_token", token.expose()), CLIENT]);
            let body = form.extend_pairs(parameters).finish();
            let mut request = Request::new(Method::POST, with_query(realm, &[]));
            request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            request.body = body.into();
            request
        }
        Login::Basic(value) => {
            let mut request = Request::new(Method::GET, with_query(realm, &parameters));
            request.headers.insert(AUTHORIZATION, value.clone());
            request
        }
        Login::Anonymous | Login::Bearer(_) => Request::new(Method::GET, with_query(realm, &parameters)),
    }
}

/// The realm's own query, without what is ours to say, and our parameters.
fn with_query(mut realm: Url, parameters: &[(&str, String)]) -> Url {
    let own = |(name, _): &(String, String)| !matches!(name.as_str(), "scope" | "service");
    let kept: Vec<(String, String)> = realm.query_pairs().into_owned().filter(own).collect();
    realm.set_fragment(None);
    realm.set_query(None);
    if !kept.is_empty() || !parameters.is_empty() {
        realm.query_pairs_mut().extend_pairs(kept).extend_pairs(parameters);
    }
    realm
}

/// Asks the token server.
pub(super) async fn fetch(connection: &Connection, request: &Request) -> Result<Token, UpstreamError> {
    // An identity token that is no longer good is a bad request, as OAuth 2.0 has it.
    let rejected = if request.method == Method::POST { Some(StatusCode::BAD_REQUEST) } else { None };
    let mut response = connection.send("token", request).await?;
    let status = response.status();
    if status != StatusCode::OK {
        let error = connection::refusal(response).await;
        return Err(if Some(status) == rejected {
            UpstreamError::CredentialsRejected { status: status.as_u16() }
        } else {
            token_servers(error, status)
        });
    }
    let body = connection.read(&mut response, MAX_TOKEN_ANSWER).await;
    Token::parse(&body.map_err(|error| token_servers(error, status))?)
}

/// An error of the token server that must not be taken for the registry's word about the content.
fn token_servers(error: UpstreamError, status: StatusCode) -> UpstreamError {
    match error {
        UpstreamError::NotFound | UpstreamError::Status(_) | UpstreamError::Unavailable { .. } => {
            UpstreamError::TokenServer { status: status.as_u16() }
        }
        UpstreamError::TooLarge { .. } => UpstreamError::Malformed("the token server's answer is too long"),
        other => other,
    }
}

/// A token as it is sent, and how long it may be.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) authorization: HeaderValue,
    pub(super) usable: Duration,
}

impl Token {
    /// Reads a token server's answer, either dialect's.
    fn parse(body: &[u8]) -> Result<Self, UpstreamError> {
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
            expires_in: Option<u64>,
        }
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|_| UpstreamError::Malformed("the token server's answer is not the expected JSON"))?;
        let token = answer.token.filter(|token| !token.is_empty()).or(answer.access_token).unwrap_or_default();
        let authorization =
            bearer(&token).map_err(|_| UpstreamError::Malformed("the token server's answer holds no usable token"))?;
        let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFETIME)).min(MAX_LIFETIME);
        // Left alone before the registry's own clock says so.
        let usable = lifetime.saturating_sub((lifetime / 4).min(MAX_MARGIN));
        Ok(Self { authorization, usable })
    }
}

/// Who asks, as OAuth 2.0 wants to know.
const CLIENT: (&str, &str) = ("client_id", "countersign");
const MAX_TOKEN_ANSWER: u64 = 64 << 10;
/// Seconds, where the token server does not say.
const DEFAULT_LIFETIME: u64 = 60;
const MAX_LIFETIME: Duration = Duration::from_hours(1);
const MAX_MARGIN: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Secret;

    #[test]
    fn reads_both_dialects_of_the_answer() {
        for (body, usable) in [
            (r#"{"token":"t","expires_in":300,"issued_at":"x"}"#, 270),
            (r#"{"token":"","access_token":"t"}"#, 45),
            (r#"{"access_token":"t","token":null,"expires_in":4}"#, 3),
            (r#"{"token":"t","access_token":"other","expires_in":99999999}"#, 3570),
        ] {
            let token = Token::parse(body.as_bytes()).expect(body);
            assert_eq!((token.authorization.as_bytes(), token.usable.as_secs()), (&b"Bearer t"[..], usable), "{body}");
        }
        for body in ["", "{}", "[]", r#"{"token":""}"#, r#"{"token":"a\nb"}"#, r#"{"token":"t","expires_in":-1}"#] {
            assert!(Token::parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn asks_for_its_own_scope_only() {
        let realm = Url::parse("https://a/t?x=1&scope=repository:b:push&service=s#f").expect("a URL");
        let scope = Scope::pull(&"team/app".parse().expect("a repository"));
        let asked = request(&Login::Anonymous, realm.clone(), Some("r&s"), &scope);
        let url = asked.url.as_str();
        assert_eq!(url, "https://a/t?x=1&service=r%26s&scope=repository%3Ateam%2Fapp%3Apull");
        let asked = request(&Login::Anonymous, realm.clone(), None, &Scope::none());
        assert_eq!(asked.url.as_str(), "https://a/t?x=1");
        let asked = request(&Login::Identity(Secret::from("a&b".to_string())), realm, Some("s"), &scope);
        assert_eq!((&asked.method, asked.url.as_str()), (&Method::POST, "https://a/t?x=1"));
        let expected = "grant_type=refresh_token&refresh_token=a%26b&client_id=countersign&service=s\
                        &scope=repository%3Ateam%2Fapp%3Apull";
        assert_eq!(std::str::from_utf8(&asked.body), Ok(expected));
        assert!(!format!("{asked:?}").contains("a%26b"), "{asked:?}");
    }
}
