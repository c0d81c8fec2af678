//! A laboratory whose proxy speaks TLS, and clients that trust its authority.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use countersign::demo::client::Answer;
use countersign::demo::registry::Options;
use http::{Method, Version};
use http_body_util::BodyExt;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::lab::Lab;

/// A lab, its authority, and the files of its certificate.
pub(crate) struct Secure {
    pub(crate) lab: Lab,
    authority: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Secure {
    /// Starts one; `tls` and `listen` are further keys, each with a comma at its end.
    pub(crate) async fn start(tls: &str, listen: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let folder = tempfile::tempdir().expect("a folder");
        write_pair(&folder, &authority);
        let files = format!("certificate: {0}/tls.crt, key: {0}/tls.key", folder.path().display());
        let with_tls = format!("listen: {{ {listen} tls: {{ {tls} {files} }},");
        let lab = Lab::edited(Options::default(), |config| config.replacen("listen: {", &with_tls, 1)).await;
        Self { lab, authority, folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.lab.proxy.address
    }

    /// Where the certificate is.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("tls.crt")
    }

    /// Writes another pair in its place.
    pub(crate) fn renew(&self) {
        write_pair(&self.folder, &self.authority);
    }

    /// What a client needs that trusts the authority, speaks these versions and offers these protocols.
    pub(crate) fn trusting(&self, versions: &[&'static SupportedProtocolVersion], protocols: &[&str]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).expect("an authority");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions);
        let mut config = builder.expect("versions").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        config
    }

    /// A connection over TLS.
    pub(crate) async fn connect(&self, config: &Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address()).await?;
        let name = ServerName::IpAddress(self.address().ip().into());
        TlsConnector::from(config.clone()).connect(name, tcp).await
    }

    /// A client for HTTP that offers both versions.
    pub(crate) fn client(&self) -> Http {
        let config = self.trusting(rustls::ALL_VERSIONS, &["h2", "http/1.1"]);
        let builder = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(config);
        Http { client: builder.build().expect("a client"), origin: format!("https://{}", self.address()) }
    }
}

fn write_pair(folder: &TempDir, authority: &CertifiedIssuer<'static, KeyPair>) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_string()]).expect("an address");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    for (name, text) in [("tls.crt", certificate.pem()), ("tls.key", key.serialize_pem())] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
}

/// A client that keeps its connections.
pub(crate) struct Http {
    client: reqwest::Client,
    origin: String,
}

impl Http {
    /// Asks for a path, with these headers and, if there is one, a body whose length is not announced.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&'static str>,
    ) -> (Version, Answer) {
        let mut request = self.client.request(method, format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            let piece = http_body_util::StreamBody::new(futures_util::stream::iter([Ok::<_, io::Error>(
                http_body::Frame::data(bytes::Bytes::from_static(body.as_bytes())),
            )]));
            request = request.body(reqwest::Body::wrap(piece));
        }
        let begun = std::time::Instant::now();
        let response = http::Response::from(request.send().await.expect("an answer"));
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        let answer = Answer { status: head.status.as_u16(), headers: head.headers, body, took: begun.elapsed() };
        (head.version, answer)
    }

    pub(crate) async fn get(&self, path: &str) -> (Version, Answer) {
        self.ask(Method::GET, path, &[], None).await
    }
}
