//! How each server is started, on free ports, and when it is ready.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::support::http::ask;
use crate::support::process::{Process, command, free_port, tool};

use super::pipeline::{FOREIGN_ISSUER, GITLAB};

/// Where Trillian is, and the two logs that it keeps.
pub(super) struct Trillian {
    address: SocketAddr,
    ct_log: String,
    rekor: String,
}

/// The path under which the CT log's server keeps its only log.
pub(super) const CT_LOG: &str = "lab";

const PASSWORD: &str = "lab";
const HOST: &str = "127.0.0.1";

pub(super) fn issuer() -> (Process, SocketAddr) {
    let process = Process::start("issuer", |folder| command(tool("bin/issuer"), ["127.0.0.1:0".as_ref(), folder]));
    let process = process.ready(|process| first_line(process).is_some());
    let address = first_line(&process).and_then(|line| line.parse().ok()).expect("its first line is its address");
    (process, address)
}

pub(super) fn tsa() -> (Process, SocketAddr) {
    let address = free();
    let start = |_: &_| command(tool("bin/tsa"), [address.to_string()]);
    (ready(Process::start("tsa", start), address, "/ping"), address)
}

pub(super) fn rekor2(keys: &Path) -> (Process, SocketAddr) {
    let (http, grpc, metrics) = (free(), free(), free());
    let process = Process::start("rekor2", |folder| {
        let mut rekor = command(tool("bin/rekor2"), ["serve", "--hostname", HOST]);
        rekor.args(["--http-port", &port(http), "--grpc-port", &port(grpc), "--http-metrics-port", &port(metrics)]);
        rekor.arg("--signer-filepath").arg(keys.join("rekor2.key"));
        rekor.arg("--storage-dir").arg(folder.join("tiles"));
        // A signing waits for the next checkpoint.
        rekor.args(["--checkpoint-interval", "100ms"]);
        rekor
    });
    (ready(process, http, "/healthz"), http)
}

pub(super) fn trillian() -> (Process, Trillian) {
    let start = |_: &_| command(tool("bin/trillian"), ["127.0.0.1:0", "2"]);
    let process = Process::start("trillian", start).ready(|process| first_line(process).is_some());
    let line = first_line(&process).expect("it is ready");
    let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
    let [address, ct_log, rekor] = words.try_into().expect("its address and two logs");
    let address = address.parse().expect("an address");
    (process, Trillian { address, ct_log, rekor })
}

pub(super) fn ct_log(keys: &Path, trillian: &Trillian) -> (Process, SocketAddr) {
    let address = free();
    let process = Process::start("ct-log", |folder| {
        let config = folder.join("config");
        let text = format!(
            "config {{\n\
               log_id: {}\n\
               prefix: \"{CT_LOG}\"\n\
               roots_pem_file: \"{}\"\n\
               ext_key_usages: \"CodeSigning\"\n\
               private_key {{ [type.googleapis.com/keyspb.PEMKeyFile] {{ path: \"{}\" password: \"{PASSWORD}\" }} }}\n\
               max_merge_delay_sec: 86400\n\
               expected_merge_delay_sec: 5\n\
             }}\n",
            trillian.ct_log,
            keys.join("fulcio-root.pem").display(),
            keys.join("ctlog.key").display(),
        );
        fs::write(&config, text).expect("the folder is writable");
        let mut log = command(tool("bin/ct_server"), [format!("--log_rpc_server={}", trillian.address)]);
        log.arg(format!("--log_config={}", config.display())).arg(format!("--http_endpoint={address}"));
        log
    });
    (ready(process, address, &format!("/{CT_LOG}/ct/v1/get-sth")), address)
}

pub(super) fn rekor1(keys: &Path, trillian: &Trillian) -> (Process, SocketAddr) {
    let address = free();
    let process = Process::start("rekor1", |_| {
        let mut rekor = command(tool("bin/rekor1"), ["serve", "--host", HOST, "--port", &port(address)]);
        rekor.args(["--rekor_server.address", HOST, "--rekor_server.hostname", HOST]);
        rekor.arg("--rekor_server.signer").arg(keys.join("rekor1.key"));
        rekor.args(["--trillian_log_server.address", HOST, "--trillian_log_server.port", &port(trillian.address)]);
        rekor.args(["--trillian_log_server.tlog_id", &trillian.rekor]);
        // The search index would need a database.
        rekor.arg("--enable_retrieve_api=false");
        rekor
    });
    (ready(process, address, "/api/v1/log/publicKey"), address)
}

/// Fulcio asks its issuers by way of ours, whose authority it trusts alone.
pub(super) fn fulcio(keys: &Path, authority: &Path, issuer: SocketAddr, ct_log: SocketAddr) -> (Process, SocketAddr) {
    let (http, grpc, metrics) = (free(), free(), free());
    let process = Process::start("fulcio", |folder| {
        let config = folder.join("config.yaml");
        let issuers = [GITLAB, FOREIGN_ISSUER]
            .map(|url| format!("  {url}: {{ issuer-url: {url}, client-id: sigstore, type: gitlab-pipeline }}\n"));
        fs::write(&config, format!("oidc-issuers:\n{}", issuers.concat())).expect("the folder is writable");
        let mut fulcio = command(tool("bin/fulcio"), ["serve", "--ca", "fileca", "--fileca-watch=false"]);
        fulcio.arg("--fileca-cert").arg(keys.join("fulcio-chain.pem"));
        fulcio.arg("--fileca-key").arg(keys.join("fulcio.key")).args(["--fileca-key-passwd", PASSWORD]);
        fulcio.arg("--config-path").arg(config);
        fulcio.args(["--ct-log-url", &format!("http://{ct_log}/{CT_LOG}")]);
        fulcio.args(["--host", HOST, "--port", &port(http), "--grpc-host", HOST, "--grpc-port", &port(grpc)]);
        fulcio.args(["--metrics-port", &port(metrics)]);
        fulcio.arg("--legacy-unix-domain-socket").arg(folder.join("sock"));
        fulcio.env("HTTPS_PROXY", format!("http://{issuer}")).env("NO_PROXY", "").env("no_proxy", "");
        fulcio.env("SSL_CERT_FILE", authority.join("issuer-ca.pem")).env("SSL_CERT_DIR", PathBuf::from("/dev/null"));
        fulcio
    });
    (ready(process, http, "/api/v2/trustBundle"), http)
}

fn ready(process: Process, address: SocketAddr, path: &str) -> Process {
    process.ready(|_| ask(address, "GET", path).is_ok_and(|answer| answer.status == 200))
}

fn first_line(process: &Process) -> Option<String> {
    let log = process.log();
    log.contains('\n').then(|| log.lines().next().unwrap_or_default().to_owned())
}

fn free() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}

fn port(address: SocketAddr) -> String {
    address.port().to_string()
}
