//! Countersign itself, as `countersign serve` runs it, and the client configuration that leads a node to it.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::{env, str};

use super::guarded::Lent;
use super::http::{Answer, ask};
use super::image::Image;
use super::process::{Process, Ran, command, free_port, run};
use super::registry::Registry;

/// The name that configuration and policy know the registry by.
pub(crate) const REGISTRY: &str = "registry.lab.test";

/// The program to test: the one that was built beside these tests, unless another is named.
pub(crate) fn countersign() -> OsString {
    env::var_os("COUNTERSIGN_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_countersign").into())
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    process: Process,
}

impl Proxy {
    /// Starts it before the registry, with this policy and the files that the policy names.
    pub(crate) fn start(registry: &Registry, files: &[PathBuf], policy: &str) -> Self {
        Self::start_with(registry, files, policy, &Lent::default())
    }

    /// The same, with what it is lent; any caller reads with credentials of its own.
    pub(crate) fn start_with(registry: &Registry, files: &[PathBuf], policy: &str, lent: &Lent) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let process = Process::start("proxy", |folder| {
            let config = folder.join("config.yaml");
            let alias = registry.forbidden.address;
            let dial = lent.dial.unwrap_or(registry.counted.address);
            let credentials = lent.credentials.as_ref();
            let anybody = if credentials.is_some() { "insecureAnonymous: true, " } else { "" };
            let credentials = credentials.map_or(String::new(), |given| format!("    credentials: {given}\n"));
            let level = lent.level.unwrap_or("info");
            let (listen, upstream, may, more) = (&lent.listen, &lent.upstream, &lent.may, &lent.more);
            let store = lent.store.as_deref().unwrap_or("{ kind: memory }");
            let text = format!(
                "listen: {{ {listen}address: {address} }}\n\
                 admin: {{ address: {admin} }}\n\
                 log: {{ level: {level} }}\n\
                 clients: [ {{ anonymous: true, {anybody}may: [ \"{REGISTRY}/**\"{may} ] }} ]\n\
                 upstreams:\n  \
                   {REGISTRY}:\n    \
                     dial: \"http://{dial}\"\n    \
                     aliases: [ \"{alias}\" ]\n    \
                     tls: {{ insecurePlainHttp: true }}\n{credentials}\
                 {upstream}\
                 policy: {{ path: policy.yaml }}\n\
                 store: {store}\n{more}"
            );
            fs::write(&config, text).expect("the folder is writable");
            for file in files {
                let name = file.file_name().expect("a file has a name");
                fs::copy(file, folder.join(name)).expect("the file is there");
            }
            fs::write(folder.join("policy.yaml"), policy).expect("the folder is writable");
            let mut serve = command(countersign(), ["serve".as_ref(), "--config".as_ref(), config.as_os_str()]);
            if let Some(first) = &lent.path {
                let others = env::var_os("PATH").unwrap_or_default();
                let all = [first.clone()].into_iter().chain(env::split_paths(&others));
                serve.env("PATH", env::join_paths(all).expect("folders without colons"));
            }
            serve
        });
        let process = process.ready(|_| ask(admin, "GET", "/readyz").is_ok_and(|answer| answer.status == 200));
        Self { address, admin, process }
    }

    /// Asks it as a node would, without one.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Answer {
        ask(self.address, method, path).expect("the proxy answers")
    }

    /// Replaces the policy and tells the proxy so.
    pub(crate) fn set_policy(&self, policy: &str) {
        fs::write(self.process.folder().join("policy.yaml"), policy).expect("the folder is writable");
        self.process.signal("HUP");
    }

    /// `countersign verify` of the image by digest, with the configuration that it runs with.
    pub(crate) fn explain(&self, image: &Image) -> Ran {
        self.explain_as(&format!("{}@{}", image.repository, image.digest))
    }

    /// The same, of this repository with a tag or digest.
    pub(crate) fn explain_as(&self, name: &str) -> Ran {
        let config = self.process.folder().join("config.yaml");
        let config = config.to_str().expect("the path is UTF-8");
        let reference = format!("{REGISTRY}/{name}");
        run(&command(countersign(), ["verify", &reference, "--config", config, "--output", "json"]))
    }

    /// The memory that is its own or its share, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let path = format!("/proc/{}/smaps_rollup", self.process.id());
        let rollup = fs::read_to_string(path).expect("it runs");
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.strip_suffix("kB")?.trim().parse().ok());
        pss.expect("the kernel tells")
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// The sum over the series of this metric that have all these labels, such as `reason="unsigned"`.
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let answer = ask(self.admin, "GET", "/metrics").expect("the proxy answers");
        let text = String::from_utf8(answer.body).expect("metrics are text");
        sum_of(&text, name, labels)
    }

    /// A `certs.d` that leads images of `image_host` to the proxy and nowhere else.
    pub(crate) fn safe_hosts(&self, image_host: SocketAddr) -> PathBuf {
        self.hosts("safe", image_host, self.address, true)
    }

    /// A `certs.d` that leads to the proxy first, and on to the registry itself when the proxy refuses.
    pub(crate) fn unsafe_hosts(&self, image_host: SocketAddr) -> PathBuf {
        self.hosts("unsafe", image_host, self.address, false)
    }

    /// A safe `certs.d` that leads to another address.
    pub(crate) fn hosts_through(&self, image_host: SocketAddr, address: SocketAddr) -> PathBuf {
        self.hosts(&format!("through-{}", address.port()), image_host, address, true)
    }

    fn hosts(&self, name: &str, image_host: SocketAddr, proxy: SocketAddr, is_safe: bool) -> PathBuf {
        let certs = self.process.folder().join(name);
        let folder = certs.join(image_host.to_string());
        let server = if is_safe { format!("server = \"http://{proxy}\"\n") } else { String::new() };
        let host = format!("[host.\"http://{proxy}\"]\n  capabilities = [\"pull\", \"resolve\"]\n");
        let file = folder.join("hosts.toml");
        if !file.exists() {
            fs::create_dir_all(&folder).expect("the folder is writable");
            let draft = folder.join(format!("draft-{:?}", std::thread::current().id()));
            fs::write(&draft, server + &host).expect("the folder is writable");
            fs::rename(&draft, &file).expect("the draft is there");
        }
        certs
    }
}

/// The sum over the series of a metric in `text` that have all these labels.
pub(crate) fn sum_of(text: &str, name: &str, labels: &[&str]) -> f64 {
    let series = text.lines().filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
    let wanted = series.filter(|(found, _)| {
        (found.is_empty() || found.starts_with('{')) && labels.iter().all(|label| found.contains(label))
    });
    wanted.map(|(_, value)| value.parse::<f64>().expect("a number")).sum()
}
