//! Replicas of the program before one registry: each with a folder of its own, so that it can be killed and started again
//! with all that it had.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::dice::Dice;
use super::http::{Answer, ask};
use super::lab::{FOREIGN, Lab, RELEASE, signed_by};
use super::nginx::Nginx;
use super::process::{Process, command, free_port, poll};
use super::proxy::{REGISTRY, countersign, sum_of};
use super::redis::Redis;
use super::relay::Relay;

/// Some replicas, and what is around them.
pub(crate) struct Fleet {
    /// The way to the registry: it counts, and can be held.
    pub(crate) wire: Relay,
    /// The shared store, if there is one.
    pub(crate) redis: Option<Redis>,
    pub(crate) replicas: Vec<Replica>,
    nginx: Nginx,
}

/// One of them.
pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    /// Its configuration, its policy and its keys, and what it writes down.
    home: Process,
    running: Mutex<Option<Process>>,
}

impl Fleet {
    /// Two replicas that share a Redis, behind nginx.
    pub(crate) fn sharing_redis(lab: &Lab) -> Self {
        let redis = Redis::start();
        // Whoever is gone says so at once; this is for a machine that is busy.
        let store =
            format!("kind: redis, keys: [ store.key ], redis: {{ url: \"redis://{}\", timeout: 5s }}", redis.address);
        Self::start(lab, 2, &store, Some(redis))
    }

    /// One replica with a store in its own folder, behind nginx.
    pub(crate) fn embedded(lab: &Lab) -> Self {
        Self::start(lab, 1, "kind: embedded, embedded: { path: store.redb }", None)
    }

    fn start(lab: &Lab, count: usize, store: &str, redis: Option<Redis>) -> Self {
        let wire = Relay::to(lab.registry.address);
        let key = Dice::new().bytes(32).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        let replicas: Vec<_> = (0..count).map(|_| Replica::new(lab, wire.address, store, &key)).collect();
        for replica in &replicas {
            replica.start();
        }
        let addresses: Vec<_> = replicas.iter().map(|replica| replica.address).collect();
        Self { wire, redis, nginx: Nginx::before(&addresses), replicas }
    }

    /// Where clients connect: nginx.
    pub(crate) fn address(&self) -> SocketAddr {
        self.nginx.address
    }

    pub(crate) fn redis(&self) -> &Redis {
        self.redis.as_ref().expect("a fleet that shares one")
    }

    /// The sum of a metric over all replicas.
    pub(crate) fn count(&self, name: &str, labels: &[&str]) -> usize {
        self.replicas.iter().map(|replica| replica.count(name, labels)).sum()
    }

    /// What became of the replicas' leases, for a test that fails.
    pub(crate) fn leases(&self) -> String {
        let all: Vec<_> = self.replicas.iter().map(Replica::metrics).collect();
        let lines = all.iter().flat_map(|metrics| metrics.lines()).filter(|line| line.contains("lease"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The revision of the policy that each replica shows.
    pub(crate) fn revisions(&self) -> Vec<String> {
        self.replicas.iter().map(Replica::revision).collect()
    }

    /// Waits until every replica is ready and reaches its store.
    #[track_caller]
    pub(crate) fn is_well(&self) {
        for replica in &self.replicas {
            let well = poll(PATIENCE, || replica.is_ready() && replica.reaches_its_store());
            assert!(well, "it stays ill:\n{}", replica.log());
        }
    }
}

impl Replica {
    fn new(lab: &Lab, dial: SocketAddr, store: &str, key: &str) -> Self {
        let [address, admin] = [(); 2].map(|()| SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())));
        let home = Process::start("replica", |_| command("sleep", ["infinity"]));
        let text = format!(
            "listen: {{ address: {address} }}\n\
             admin: {{ address: {admin} }}\n\
             clients: [ {{ anonymous: true, may: [ \"{REGISTRY}/**\" ] }} ]\n\
             upstreams:\n  \
               {REGISTRY}:\n    \
                 dial: \"http://{dial}\"\n    \
                 tls: {{ insecurePlainHttp: true }}\n\
             policy: {{ path: policy.yaml }}\n\
             store: {{ {store} }}\n"
        );
        let write = |name: &str, content: &[u8]| {
            fs::write(home.folder().join(name), content).expect("the folder is writable");
        };
        write("config.yaml", text.as_bytes());
        write("policy.yaml", signed_by(RELEASE).as_bytes());
        write("store.key", key.as_bytes());
        let secret = fs::Permissions::from_mode(0o600);
        fs::set_permissions(home.folder().join("store.key"), secret).expect("the file is ours");
        for key in [RELEASE, FOREIGN] {
            let file = format!("{key}.pub");
            fs::copy(lab.public_key(key), home.folder().join(file)).expect("the file is there");
        }
        Self { address, admin, home, running: Mutex::default() }
    }

    /// The configuration that it runs with.
    pub(crate) fn config(&self) -> PathBuf {
        self.home.folder().join("config.yaml")
    }

    /// Starts it with what it had, and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(&self) {
        self.kill();
        let config = self.config();
        let serve = |_: &Path| command(countersign(), ["serve".as_ref(), "--config".as_ref(), config.as_os_str()]);
        let process = Process::start("proxy", serve).ready(|_| self.is_ready());
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(&self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(crate) fn is_ready(&self) -> bool {
        ask(self.admin, "GET", "/readyz").is_ok_and(|answer| answer.status == 200)
    }

    /// What `/readyz` answers.
    pub(crate) fn readiness(&self) -> Answer {
        ask(self.admin, "GET", "/readyz").expect("it answers")
    }

    pub(crate) fn reaches_its_store(&self) -> bool {
        self.count("countersign_store_up", &[]) == 1
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Answer {
        ask(self.address, method, path).expect("it answers")
    }

    /// The sum over the series of this metric that have all these labels, such as `reason="unsigned"`.
    pub(crate) fn count(&self, name: &str, labels: &[&str]) -> usize {
        whole(sum_of(&self.metrics(), name, labels))
    }

    /// Records that it read and that were not what one of the replicas had written there; those that only came too late
    /// are good ones.
    pub(crate) fn broken_records(&self) -> usize {
        // At one moment: it is asked for more meanwhile.
        let metrics = self.metrics();
        let rejected = |labels: &[&str]| whole(sum_of(&metrics, "countersign_store_records_rejected_total", labels));
        rejected(&[]) - rejected(&["cause=\"time\""])
    }

    /// All that it shows.
    pub(crate) fn metrics(&self) -> String {
        let answer = ask(self.admin, "GET", "/metrics").expect("it answers");
        String::from_utf8(answer.body).expect("metrics are text")
    }

    /// The revision of the policy in force.
    pub(crate) fn revision(&self) -> String {
        let metrics = self.metrics();
        let mut shown = metrics.lines().filter_map(|line| line.strip_prefix("countersign_policy_info{revision=\""));
        let revision = shown.next().expect("a policy is in force").to_owned();
        assert_eq!(shown.next(), None, "two are in force");
        revision
    }

    /// Replaces the policy and tells it so.
    pub(crate) fn set_policy(&self, policy: &str) {
        fs::write(self.home.folder().join("policy.yaml"), policy).expect("the folder is writable");
        self.running.lock().unwrap_or_else(PoisonError::into_inner).as_ref().expect("it runs").signal("HUP");
    }

    /// What it has said since it was started.
    pub(crate) fn log(&self) -> String {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map_or_else(String::new, Process::log)
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

/// What a metric says that counts.
fn whole(sum: f64) -> usize {
    format!("{sum:.0}").parse().expect("metrics that count are whole and not negative")
}
