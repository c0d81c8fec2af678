//! Registries that speak TLS, each with an authority of its own.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::Version;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::pem::OwnCertificate;

/// An authority that signs for `localhost` and for clients.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate"))
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A new certificate for `name`.
    pub(super) fn issue(&self, name: &str) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_string()]).expect("a name");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Pair {
    /// Writes it into `folder`.
    pub(super) fn write(&self, folder: &Path) -> OwnCertificate {
        let files = OwnCertificate { certificate: folder.join("own.crt"), key: folder.join("own.key") };
        std::fs::write(&files.certificate, &self.certificate).expect("a file");
        std::fs::write(&files.key, &self.key).expect("a file");
        files
    }
}

/// A registry over TLS on loopback that answers `{}` to everything.
pub(super) struct SecureRegistry {
    pub(super) address: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) version: Version,
    pub(super) path: String,
    /// The client's certificate, in DER.
    pub(super) shown: Option<Vec<u8>>,
}

impl SecureRegistry {
    /// Starts one that speaks `protocols` and wants certificates of `clients`, if there is such an authority. `goaway`:
    /// its HTTP/2 connections end after so many requests.
    pub(super) async fn start(
        authority: &Authority,
        protocols: &[&str],
        clients: Option<&Authority>,
        goaway: Option<usize>,
    ) -> Self {
        let pair = authority.issue("localhost");
        let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.expect("versions");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.0.der().clone()).expect("an authority");
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
                builder.with_client_cert_verifier(verifier.expect("a verifier"))
            }
        };
        let mut config = builder.with_single_cert(chain, key).expect("a pair");
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self::serve(TlsAcceptor::from(Arc::new(config)), goaway).await
    }

    async fn serve(acceptor: TlsAcceptor, goaway: Option<usize>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (seen, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let registry = Self {
            address: Url::parse(&format!("https://localhost:{port}")).expect("a URL"),
            seen: seen.clone(),
            connections: connections.clone(),
        };
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, seen, connections) = (acceptor.clone(), seen.clone(), connections.clone());
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(tcp).await else { return };
                    connections.fetch_add(1, Ordering::SeqCst);
                    serve_one(tls, seen, goaway).await;
                });
            }
        });
        registry
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }

    /// How many connections were made, and their handshake was good.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve_one(
    tls: tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    seen: Arc<Mutex<Vec<Seen>>>,
    goaway: Option<usize>,
) {
    let session = tls.get_ref().1;
    let shown = session.peer_certificates().and_then(|chain| Some(chain.first()?.to_vec()));
    let http2 = session.alpn_protocol() == Some(b"h2");
    let (count, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(tokio::sync::Notify::new()));
    let notify = enough.clone();
    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let (version, path) = (request.version(), request.uri().path().to_string());
        seen.lock().expect("not poisoned").push(Seen { version, path, shown: shown.clone() });
        if Some(count.fetch_add(1, Ordering::SeqCst) + 1) == goaway {
            notify.notify_one();
        }
        async move {
            // Long enough for requests that come together to be under way together.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let body = http_body_util::Full::new(Bytes::from_static(b"{}"));
            Ok::<_, std::convert::Infallible>(Response::new(body))
        }
    });
    if !http2 {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tls), service).await;
        return;
    }
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(tls), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = enough.notified() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
