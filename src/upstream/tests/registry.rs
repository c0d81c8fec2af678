//! A registry double: a hyper server on loopback that answers by a function and remembers what it was asked.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use url::Url;

/// What a request looked like.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    /// A header as text, empty if there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// How a request is answered.
pub(super) enum Answer {
    /// Whole.
    Whole(Response<Bytes>),
    /// The headers and this much of the body, then nothing more.
    Stalled(Response<Bytes>),
    /// Never.
    Never,
    /// The connection is cut.
    Cut,
}

/// The running double.
#[derive(Debug, Clone)]
pub(super) struct Registry {
    pub(super) address: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Registry {
    /// Starts one. `answer` is given each request and the double's own address.
    pub(super) async fn start(answer: impl Fn(&Asked, &Url) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen("127.0.0.1:0", answer).await
    }

    /// Starts one at an address that is known before.
    pub(super) async fn start_at(
        address: &Url,
        answer: impl Fn(&Asked, &Url) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::listen(address.authority(), answer).await
    }

    async fn listen(at: &str, answer: impl Fn(&Asked, &Url) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(at).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let address = Url::parse(&format!("http://{address}")).expect("a URL");
        let registry = Self { address: address.clone(), asked: Arc::default() };
        let asked = Arc::clone(&registry.asked);
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (asked, answer, address) = (Arc::clone(&asked), Arc::clone(&answer), address.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (asked, answer, address) = (Arc::clone(&asked), Arc::clone(&answer), address.clone());
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.map_err(|_| "no body")?.to_bytes();
                        let seen = Asked { method: head.method, uri: head.uri, headers: head.headers, body };
                        asked.lock().expect("not poisoned").push(seen.clone());
                        respond(answer(&seen, &address)).await
                    }
                });
                let serve =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service);
                tokio::spawn(serve);
            }
        });
        registry
    }

    /// Everything that was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }

    /// The requests whose path begins with `prefix`.
    pub(super) fn asked_at(&self, prefix: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.uri.path().starts_with(prefix)).collect()
    }
}

type Body = BoxBody<Bytes, Infallible>;

async fn respond(answer: Answer) -> Result<Response<Body>, &'static str> {
    match answer {
        Answer::Whole(response) => Ok(response.map(|bytes| Full::new(bytes).boxed())),
        Answer::Stalled(response) => Ok(response.map(|bytes| {
            let first = stream::iter([Ok(Frame::data(bytes))]);
            BodyExt::boxed(StreamBody::new(first.chain(stream::pending())))
        })),
        Answer::Never => pending().await,
        Answer::Cut => Err("cut"),
    }
}
