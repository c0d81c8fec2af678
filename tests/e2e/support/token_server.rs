//! A token server as registries have it: it knows one user, by a password or by an identity token, and signs what the
//! registry believes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use tempfile::TempDir;

use super::guarded::USER;

/// How the user is known now.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Known {
    Password(&'static str),
    Identity(&'static str),
}

pub(crate) struct TokenServer {
    address: SocketAddr,
    state: Arc<State>,
    folder: TempDir,
}

struct State {
    known: Mutex<Known>,
    issued: Mutex<Vec<String>>,
    key: EcdsaKeyPair,
    certificate: String,
}

impl TokenServer {
    pub(crate) const ISSUER: &str = "lab-issuer";
    pub(crate) const SERVICE: &str = "lab-registry";

    pub(crate) fn start(known: Known) -> Self {
        let pair = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["token.lab.test".to_string()]).expect("a name");
        let certificate = params.self_signed(&pair).expect("a certificate");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("roots.pem"), certificate.pem()).expect("the folder is writable");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pair.serialize_der()).expect("a key");
        let certificate = STANDARD.encode(certificate.der());
        let state = Arc::new(State { known: Mutex::new(known), issued: Mutex::default(), key, certificate });
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let serves = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&serves);
                thread::spawn(move || answer(&client, &state));
            }
        });
        Self { address, state, folder }
    }

    pub(crate) fn realm(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// The certificate of its key, for the registry.
    pub(crate) fn roots(&self) -> PathBuf {
        self.folder.path().join("roots.pem")
    }

    /// Knows the user by this and nothing else.
    pub(crate) fn rotate(&self, known: Known) {
        *self.state.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Every token that it has issued.
    pub(crate) fn issued(&self) -> Vec<String> {
        self.state.issued.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads one request; a token if the user is known, else 401.
fn answer(mut client: &TcpStream, state: &State) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        head += &std::mem::take(&mut line);
    }
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value).to_string()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let target = head.split(' ').nth(1)?;
    let query = if head.starts_with("POST") { body.as_str() } else { target.split_once('?').map_or("", |(_, q)| q) };
    let given: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let parameter = |name: &str| given.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.as_str());
    let is_known = match &*state.known.lock().unwrap_or_else(PoisonError::into_inner) {
        Known::Password(password) => {
            header("authorization") == format!("Basic {}", STANDARD.encode(format!("{USER}:{password}")))
        }
        Known::Identity(token) => parameter("grant_type") == "refresh_token" && parameter("refresh_token") == *token,
    };
    let (status, body) = if is_known && parameter("service") == TokenServer::SERVICE {
        let token = state.issue(parameter("scope"));
        ("200 OK", json!({ "access_token": token, "token": token, "expires_in": 300 }).to_string())
    } else {
        ("401 Unauthorized", "{}".to_string())
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    client.write_all((head + &body).as_bytes()).ok()
}

impl State {
    fn issue(&self, scope: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let mut parts = scope.split(':');
        let mut next = || parts.next().unwrap_or_default().to_string();
        let (kind, name, actions) = (next(), next(), next());
        let actions: Vec<_> = actions.split(',').map(str::to_string).collect();
        let access =
            if scope.is_empty() { json!([]) } else { json!([{ "type": kind, "name": name, "actions": actions }]) };
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({ "typ": "JWT", "alg": "ES256", "x5c": [self.certificate] }));
        let claims = part(json!({
            "iss": TokenServer::ISSUER, "sub": USER, "aud": TokenServer::SERVICE, "jti": issued.len().to_string(),
            "iat": now, "nbf": now - 60, "exp": now + 300, "access": access,
        }));
        let signed = format!("{header}.{claims}");
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).expect("it signs");
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        issued.push(token.clone());
        token
    }
}
