//! Credentials as they are written into a request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use super::{CredentialsError, Secret};

/// Credentials that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::upstream) enum Login {
    /// None.
    Anonymous,
    /// Name and password, for the registry or its token server.
    Basic(HeaderValue),
    /// A token for the registry alone.
    Bearer(HeaderValue),
    /// A token for the token server alone, which gives others for it.
    Identity(Secret),
}

impl Login {
    /// A user's name and password.
    pub(in crate::upstream) fn basic(username: &str, password: &Secret) -> Result<Self, CredentialsError> {
        if username.contains(':') {
            return Err(CredentialsError::UsernameWithColon);
        }
        let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
        sensitive(&format!("Basic {pair}")).map(Self::Basic)
    }

    /// A token that the registry takes as it is.
    pub(in crate::upstream) fn bearer(token: &Secret) -> Result<Self, CredentialsError> {
        bearer(token.expose()).map(Self::Bearer)
    }
}

/// `Bearer` and the token, as a header that HTTP logs leave out.
pub(in crate::upstream) fn bearer(token: &str) -> Result<HeaderValue, CredentialsError> {
    let graphic = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    if graphic { sensitive(&format!("Bearer {token}")) } else { Err(CredentialsError::UnsendableToken) }
}

fn sensitive(text: &str) -> Result<HeaderValue, CredentialsError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| CredentialsError::UnsendableToken)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let secret = || Secret::from("hunter2".to_string());
        let basic = Login::basic("robot", &secret()).expect("usable");
        assert!(matches!(&basic, Login::Basic(value) if value == "Basic cm9ib3Q6aHVudGVyMg=="));
        for login in [basic, Login::bearer(&secret()).expect("usable"), Login::Identity(secret())] {
            let shown = format!("{login:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("cm9ib3Q6aHVudGVyMg"), "{shown}");
        }
    }

    #[test]
    fn refuses_what_http_cannot_carry() {
        let colon = Login::basic("a:b", &Secret::from("x".to_string()));
        assert!(matches!(colon, Err(CredentialsError::UsernameWithColon)));
        for token in ["", "a b", "a\r\nb", "ä"] {
            let bearer = Login::bearer(&Secret::from(token.to_string()));
            assert!(matches!(bearer, Err(CredentialsError::UnsendableToken)), "{token:?}");
        }
    }
}
