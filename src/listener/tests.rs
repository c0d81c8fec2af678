//! What goes over the wire, on raw sockets.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::*;
use crate::body;
use crate::middleware;

mod framing;

/// A listener under test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Starts what `serve` makes on a port of its own.
pub(crate) async fn running<F: Future<Output = ()> + Send + 'static>(
    serve: impl FnOnce(TcpListener, watch::Receiver<bool>) -> F,
) -> Server {
    let tcp = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = tcp.local_addr().expect("an address");
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(serve(tcp, stopped));
    Server { address, stop, task }
}

impl Server {
    pub(crate) async fn stop(self) {
        self.stop.send(true).expect("it listens");
        soon(self.task).await.expect("it ends well");
    }
}

/// The answer to `request`, up to the end of the connection.
pub(crate) async fn ask(address: SocketAddr, request: String) -> String {
    let mut client = TcpStream::connect(address).await.expect("it accepts");
    client.write_all(request.as_bytes()).await.expect("it reads");
    rest(&mut client).await
}

async fn rest(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is reset has ended as well.
    let _ = soon(client.read_to_end(&mut answer)).await;
    String::from_utf8(answer).expect("UTF-8")
}

async fn until(client: &mut TcpStream, end: &str) -> String {
    let mut answer = String::new();
    while !answer.ends_with(end) {
        let byte = soon(client.read_u8()).await.unwrap_or_else(|error| panic!("{error} after {answer:?}"));
        answer.push(char::from(byte));
    }
    answer
}

/// No test waits for long.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("it takes too long")
}

const LONG: Duration = Duration::from_mins(1);
const OPTIONS: Options = Options { tls: None, max_connections: 8, header_timeout: LONG, drain: LONG };
const GET: &str = "GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n";
const GET_CLOSE: &str = "GET /v2/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

async fn answering<F>(
    options: Options,
    answer: impl Fn(Request<ClientAddress>) -> F + Clone + Send + Sync + 'static,
) -> Server
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let metrics = Arc::new(Metrics::new());
    let handler = middleware::stack(|_| None, answer, metrics.clone());
    running(|tcp, stopped| serve(tcp, handler, options, metrics, stopped)).await
}

async fn ok(_: Request<ClientAddress>) -> Response<Body> {
    Response::new(body::full(Bytes::from_static(b"fine")))
}

#[tokio::test]
async fn a_client_that_is_slow_or_idle_is_closed() {
    let server = answering(Options { header_timeout: Duration::from_millis(50), ..OPTIONS }, ok).await;
    for sent in ["", "GET /v2/ HT", "GET /v2/ HTTP/1.1\r\nhost: a\r\nx-slow: "] {
        let answer = ask(server.address, sent.into()).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    let answer = ask(server.address, GET.into()).await;
    assert!(answer.ends_with("\r\n\r\nfine"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let (proxy, _client) = tokio::io::duplex(16);
    let mut stalling = stall::Stall::new(proxy, Duration::from_millis(20));
    soon(stalling.write_all(&[0; 16])).await.expect("there is room");
    let error = soon(stalling.write_all(&[0; 16])).await.expect_err("nobody reads");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

/// O70: what it reads now and then does not keep its place.
#[tokio::test(start_paused = true)]
async fn o70_a_client_that_reads_too_slowly_is_given_up_and_a_slow_one_is_not() {
    let (tick, limit) = (Duration::from_secs(1), Duration::from_mins(1));
    for (a_second, served) in [(1, false), (1000, false), (1200, true), (PIECE, true)] {
        let (proxy, mut client) = tokio::io::duplex(1 << 10);
        let mut writes = stall::Stall::new(proxy, limit);
        let reads = tokio::spawn(async move {
            let mut bytes = vec![0; a_second];
            while client.read_exact(&mut bytes).await.is_ok() {
                tokio::time::sleep(tick).await;
            }
        });
        let written = writes.write_all(&vec![0; 5 * PIECE]).await;
        assert_eq!(
            written.map_err(|error| error.kind()),
            if served { Ok(()) } else { Err(io::ErrorKind::TimedOut) },
            "{a_second}"
        );
        reads.abort();
    }
    // A client that reads at once may wait for the registry as long as that takes.
    let (proxy, mut client) = tokio::io::duplex(16);
    let mut writes = stall::Stall::new(proxy, limit);
    tokio::spawn(async move { while client.read_u8().await.is_ok() {} });
    for _ in 0..100 {
        writes.write_all(&[0; 32]).await.expect("it reads");
        tokio::time::sleep(tick * 10).await;
    }
}

#[tokio::test]
async fn connections_above_the_limit_are_told_so() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, left) = (entered.clone(), leave.clone());
    let slow = move |request| {
        let (enter, left) = (enter.clone(), left.clone());
        async move {
            enter.notify_one();
            left.notified().await;
            ok(request).await
        }
    };
    let server = answering(Options { max_connections: 1, ..OPTIONS }, slow).await;
    let first = tokio::spawn(ask(server.address, GET_CLOSE.into()));
    soon(entered.notified()).await;
    for head in ["GET", "HEAD"] {
        let answer = ask(server.address, GET.replace("GET", head)).await;
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable: overloaded: "), "{answer}");
        assert!(answer.contains("\r\nretry-after: 5\r\n") && answer.contains("connection: close\r\n"), "{answer}");
        assert_eq!(answer.contains(r#""code":"UNAVAILABLE""#), head == "GET", "{answer}");
    }
    leave.notify_one();
    assert!(first.await.expect("an answer").ends_with("fine"));
    leave.notify_one();
    let again = async {
        loop {
            let answer = ask(server.address, GET_CLOSE.into()).await;
            if !answer.contains(" 503 ") {
                break answer;
            }
        }
    };
    assert!(soon(again).await.ends_with("fine"));
    server.stop().await;
}

/// Answers with chunks that the test sends.
async fn streaming(options: Options) -> (Server, mpsc::UnboundedSender<&'static str>) {
    let (chunks, source) = mpsc::unbounded_channel();
    let source = Arc::new(tokio::sync::Mutex::new(source));
    let answer = move |_: Request<ClientAddress>| {
        let source = source.clone();
        let chunks = stream::unfold(source, async |source| {
            let chunk: &str = source.lock().await.recv().await?;
            Some((Ok::<_, Infallible>(Bytes::from_static(chunk.as_bytes())), source))
        });
        async move { Response::new(body::stream(chunks)) }
    };
    (answering(options, answer).await, chunks)
}

#[tokio::test]
async fn a_shutdown_lets_answers_finish_and_nothing_begin() {
    let (server, chunks) = streaming(OPTIONS).await;
    let mut idle = TcpStream::connect(server.address).await.expect("it accepts");
    let mut client = TcpStream::connect(server.address).await.expect("it accepts");
    client.write_all(GET.as_bytes()).await.expect("it reads");
    chunks.send("half").expect("it streams");
    until(&mut client, "half\r\n").await;

    server.stop.send(true).expect("it listens");
    assert_eq!(rest(&mut idle).await, "");
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    soon(refused).await;
    assert!(!server.task.is_finished());
    chunks.send("whole").expect("it still streams");
    drop(chunks);
    assert_eq!(rest(&mut client).await, "5\r\nwhole\r\n0\r\n\r\n");
    soon(server.task).await.expect("it ends well");
}

#[tokio::test]
async fn a_kept_connection_that_idles_is_closed_at_once_by_a_shutdown() {
    let server = answering(OPTIONS, ok).await;
    let mut client = TcpStream::connect(server.address).await.expect("it accepts");
    client.write_all(GET.as_bytes()).await.expect("it reads");
    until(&mut client, "fine").await;
    server.stop().await;
    assert_eq!(rest(&mut client).await, "");
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let (server, chunks) = streaming(Options { drain: Duration::from_millis(20), ..OPTIONS }).await;
    let mut client = TcpStream::connect(server.address).await.expect("it accepts");
    client.write_all(GET.as_bytes()).await.expect("it reads");
    chunks.send("half").expect("it streams");
    until(&mut client, "half\r\n").await;
    server.stop().await;
    assert_eq!(rest(&mut client).await, "", "what is cut does not end like what is whole");
}

#[tokio::test]
async fn a_panic_is_a_503_and_no_more() {
    let answer = async |request: Request<ClientAddress>| {
        assert_ne!(request.uri().path(), "/panic");
        ok(request).await
    };
    let server = answering(OPTIONS, answer).await;
    let requests = GET.replace("/v2/", "/panic") + GET_CLOSE;
    let answers = ask(server.address, requests).await;
    assert!(answers.starts_with("HTTP/1.1 503 Service Unavailable: internal: "), "{answers}");
    assert!(answers.contains("docker-distribution-api-version: registry/2.0\r\n"), "{answers}");
    assert!(
        answers.contains("cache-control: no-store\r\n") && answers.contains(r#""code":"UNAVAILABLE""#),
        "{answers}"
    );
    assert!(answers.ends_with("\r\n\r\nfine"), "{answers}");
    server.stop().await;
}

#[tokio::test]
async fn requests_know_where_they_come_from() {
    let answer = async |request: Request<ClientAddress>| {
        let client = request.body().0;
        Response::new(body::full(client.to_string().into()))
    };
    let server = answering(OPTIONS, answer).await;
    let mut client = TcpStream::connect(server.address).await.expect("it accepts");
    client.write_all(GET_CLOSE.as_bytes()).await.expect("it reads");
    let answer = rest(&mut client).await;
    let address = client.local_addr().expect("an address").to_string();
    assert!(answer.ends_with(&format!("\r\n\r\n{address}")), "{answer}");
    server.stop().await;
}

#[test]
fn a_lack_of_descriptors_is_waited_out_and_a_lost_client_is_not() {
    for (code, waits) in [(24, true), (23, true), (12, true), (105, true), (103, false), (104, false), (4, false)] {
        assert_eq!(pause_after(&io::Error::from_raw_os_error(code)).is_some(), waits, "{code}");
    }
    assert_eq!(shed::unavailable(Reason::Overloaded).status(), StatusCode::SERVICE_UNAVAILABLE);
}
