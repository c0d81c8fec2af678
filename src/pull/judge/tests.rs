//! The judge before a registry that can be made to fail: what a 503 costs, and what is never made of it.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use super::*;
use crate::demo::images::{Image, image};
use crate::demo::proxy::policy;
use crate::demo::registry::{Options, Registry as Demo};
use crate::demo::server::{self, Running};
use crate::demo::signer::Signer;
use crate::limits::Verification;
use crate::outcome::Outcome;
use crate::policy::file::parse;
use crate::pull::held::Stored;
use crate::reason::Reason;
use crate::store::MemoryStore;
use crate::trust::Trust;
use crate::upstream::{Credentials, Settings, Tls};

mod artifacts;
mod expired_root;
mod held;
mod platforms;
mod stored;

/// A registry that counts what it is asked and answers 500 while it is broken; and a judge of its images.
struct World {
    registry: Demo,
    signer: Signer,
    broken: Arc<AtomicBool>,
    /// Whether it has no evidence about anything any more.
    unsigned: Arc<AtomicBool>,
    asked: Arc<Mutex<usize>>,
    judge: Arc<Judge>,
    snapshot: Arc<Snapshot>,
    _running: Running,
}

impl World {
    async fn new(verification: Verification) -> Self {
        let registry = Demo::new(Options::default());
        let signer = Signer::generate().expect("a key");
        let (broken, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(0)));
        let unsigned = Arc::new(AtomicBool::new(false));
        let (demo, fails, counted, bare) = (registry.clone(), broken.clone(), asked.clone(), unsigned.clone());
        let running = server::serve(move |request: http::Request<_>| {
            *counted.lock().expect("a lock") += 1;
            let mut answer = demo.handle(request.method(), request.uri(), request.headers());
            if fails.load(Ordering::SeqCst) {
                *answer.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            } else if bare.load(Ordering::SeqCst) {
                *answer.status_mut() = http::StatusCode::NOT_FOUND;
            }
            async move { answer }
        });
        let running = running.await.expect("a free port");
        let name = registry.options().name.clone();
        let metrics = Arc::new(Metrics::new());
        let settings = Settings {
            registry: name.parse().expect("a name"),
            dial: format!("http://{}", running.address()).parse().expect("a URL"),
            credentials: Credentials::None,
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(5),
            idle: Duration::from_secs(5),
            tls: Tls::default(),
            referrers: true,
            redirects: crate::upstream::Redirects::default(),
            insecure_skip_blob_digest: false,
        };
        let upstream = Upstream::new(settings, metrics.clone()).expect("a client");
        let text = policy(&name, &signer.public_key_pem());
        let policies = parse(&text, "policy.yaml", Path::new(".")).expect("a policy");
        let limits = Limits::default();
        let upstreams = Arc::new(BTreeMap::from([(name.parse().expect("a name"), Arc::new(upstream))]));
        let fetch = Arc::new(Fetch::new(upstreams.clone(), limits, 1 << 20, Duration::ZERO));
        let in_flight = InFlight::new(1 << 30);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(1 << 20));
        let seal = Arc::new(Seal::random().expect("randomness"));
        let stored = Stored::new(store.clone(), seal.clone(), Duration::from_hours(24), metrics.store().clone());
        let judge = Judge {
            fetch: fetch.clone(),
            artifacts: Artifacts::new(upstreams.clone(), fetch, in_flight.clone(), limits),
            upstreams,
            verdicts: Verdicts::new(100),
            refresh: Refresh::new(Duration::ZERO),
            leases: None,
            held: Held::new(1 << 20, Duration::from_mins(1), stored),
            store,
            seal,
            backoff: Backoff::new(),
            in_flight,
            pool: Pool::new(verification),
            limits,
            lasting: Lasting {
                allow: Duration::from_mins(1),
                deny: Duration::ZERO,
                evidence: Duration::from_mins(1),
                last_known_good: Duration::ZERO,
            },
            metrics,
            witness: None,
        };
        let snapshot = Arc::new(Snapshot { policies: Arc::new(policies), trust: Trust::none() });
        Self { registry, signer, broken, unsigned, asked, judge: Arc::new(judge), snapshot, _running: running }
    }

    /// The judge, to be changed before it is asked.
    fn judge_mut(&mut self) -> &mut Judge {
        Arc::get_mut(&mut self.judge).expect("nobody else has it")
    }

    fn push(&self, repository: &str) -> Image {
        image(&self.registry, repository, None, repository)
    }

    fn sign(&self, image: &Image) {
        self.signer.sign_bundle(&self.registry, &image.manifest).expect("signs");
    }

    /// The reason of what the judge says at `now`, and how many requests it cost.
    async fn judged(&self, image: &Image, now: u64) -> (Reason, usize) {
        let before = *self.asked.lock().expect("a lock");
        let subject = crate::oci::Image {
            registry: self.registry.options().name.parse().expect("a name"),
            repository: image.manifest.repository.parse().expect("a name"),
        };
        let subject = subject.at(image.manifest.digest);
        let governing = self.snapshot.policies.governing(&subject, Timestamp(now));
        let (repository, digest) = (&image.manifest.repository, image.manifest.digest);
        let (kind, bytes) = self.registry.manifest(repository, &digest.to_string()).expect("a manifest");
        let manifest = Arc::new(Manifest::parse(bytes, &digest, &kind, 10).expect("a manifest"));
        let reason = match self.judge.verdict(&self.snapshot, &governing, &manifest, Timestamp(now)).await {
            Ok((verdict, _)) => match verdict.outcome() {
                Outcome::Allow(basis) => basis.reason(),
                Outcome::Deny(denial) => denial.reason,
            },
            Err(unsure) => unsure.reason(),
        };
        (reason, *self.asked.lock().expect("a lock") - before)
    }

    fn break_down(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }
}

const LIMITS: Verification = Verification { threads: 1, queue: 1, time: Duration::from_mins(1) };

#[tokio::test]
async fn evidence_that_could_not_be_read_rests_and_costs_the_registry_nothing_meanwhile() {
    let world = World::new(LIMITS).await;
    let (signed, other) = (world.push("team/app"), world.push("team/other"));
    world.sign(&signed);
    world.break_down(true);
    let mut now = 1_000;
    for rest in [1, 2, 4] {
        let (reason, asked) = world.judged(&signed, now).await;
        assert_eq!((reason, asked > 0), (Reason::EvidenceUnreadable, true), "at {now}");
        for later in 0..rest {
            let again = world.judged(&signed, now + later).await;
            assert_eq!(again, (Reason::EvidenceUnreadable, 0), "a 503 still, and for nothing");
        }
        now += rest;
    }
    // Another digest is another matter, and a registry that is well again is not asked before its time.
    world.break_down(false);
    assert_eq!(world.judged(&other, now - 1).await.0, Reason::Unsigned);
    assert_eq!(world.judged(&signed, now - 1).await, (Reason::EvidenceUnreadable, 0));
    assert_eq!(world.judged(&signed, now).await.0, Reason::Signed);
    assert_eq!(world.judged(&signed, now).await, (Reason::Signed, 0), "a verdict like any other");
}

#[tokio::test]
async fn a_rest_ends_in_a_fresh_reading_whatever_it_says() {
    let world = World::new(LIMITS).await;
    let image = world.push("team/app");
    world.break_down(true);
    assert_eq!(world.judged(&image, 1_000).await.0, Reason::EvidenceUnreadable);
    world.break_down(false);
    assert_eq!(world.judged(&image, 1_000).await, (Reason::EvidenceUnreadable, 0), "no denial on what was not read");
    assert_eq!(world.judged(&image, 1_001).await.0, Reason::Unsigned);
    world.sign(&image);
    assert_eq!(world.judged(&image, 1_001).await.0, Reason::Signed, "no Allow or Deny was remembered by it");
    world.break_down(true);
    let second = world.push("team/second");
    assert_eq!(world.judged(&second, 1_001).await.0, Reason::EvidenceUnreadable);
}

/// Does something while one job runs and another waits, which is all that the pool holds.
async fn with_a_full_pool(world: &World, meanwhile: impl AsyncFnOnce()) {
    let (gate, opened) = channel::<()>();
    let (started, began) = channel();
    let mut blocked = Box::pin(world.judge.pool.run(move || {
        started.send(()).expect("somebody waits");
        let _ = opened.recv();
    }));
    assert!(futures_util::poll!(&mut blocked).is_pending());
    began.recv().expect("it begins");
    let mut waiting = Box::pin(world.judge.pool.run(|| ()));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    meanwhile().await;
    gate.send(()).expect("the job waits");
    assert_eq!((blocked.await, waiting.await), (Ok(()), Ok(())));
}

#[tokio::test]
async fn a_full_pool_is_503_at_once_and_never_an_answer_about_the_image() {
    let world = World::new(LIMITS).await;
    let signed = world.push("team/app");
    world.sign(&signed);
    with_a_full_pool(&world, async || {
        for _ in 0..3 {
            let at_once = tokio::time::timeout(Duration::from_secs(10), world.judged(&signed, 1_000)).await;
            assert_eq!(at_once.expect("no waiting").0, Reason::VerifierBusy);
        }
    })
    .await;
    assert_eq!(world.judged(&signed, 1_000).await.0, Reason::Signed, "a full queue is no reason to rest");
    let text = world.judge.metrics.render();
    for line in [
        r#"countersign_verifications_total{result="busy"} 3"#,
        r#"countersign_verifications_total{result="verified"} 1"#,
        "countersign_verifications_in_progress 0",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
}
