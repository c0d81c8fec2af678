//! What an admitted manifest lists is recorded when it is pulled, and again when the store may lack it, or soon would.

use std::sync::Arc;
use std::time::Duration;

use countersign::app::{self, Memory, Parts};
use countersign::config::Config;
use countersign::demo::registry::Options;
use countersign::membership::Membership;
use countersign::oci::{Digest, Image, Reference, Subject};
use countersign::pull::Puller;
use countersign::record::Seal;
use countersign::route::ManifestPull;
use countersign::store::{Item, Listing, MemoryStore, Place, Shelf, Store, Watched};
use countersign::telemetry::Metrics;
use tokio::time::{Instant, advance, pause};

use crate::support::lab::Lab;

/// What pulls, on a store that is counted; and an image.
struct Scene {
    _lab: Lab,
    puller: Puller,
    memory: Memory,
    metrics: Arc<Metrics>,
    pull: ManifestPull,
    layer: Subject,
}

impl Scene {
    async fn on(store: MemoryStore) -> Self {
        let lab = Lab::edited(Options::default(), |config| config + "cache: { allow: 3h, refreshBefore: 0s }\n").await;
        let config = Config::load(&lab.config, std::iter::empty()).expect("a configuration");
        let Puller { upstreams, current, clock, .. } = app::explainer(&config).await.expect("what pulls");
        let (metrics, seal) = (Arc::new(Metrics::new()), Arc::new(Seal::random().expect("randomness")));
        let store: Arc<dyn Store> = Arc::new(Watched::new(store, metrics.store().clone()));
        let memory = (store.clone(), seal.clone());
        let parts = Parts { upstreams, store, seal, current, clock, metrics: metrics.clone(), witness: None };
        let puller = app::assemble(&config, parts);
        let pushed = lab.signed("team/app");
        let registry = lab.registry().options().name.parse().expect("a name");
        let image = Image { registry, repository: "team/app".parse().expect("a name") };
        let layer = image.at(pushed.layer);
        let pull = ManifestPull { image, reference: Reference::Digest(pushed.manifest.digest) };
        Self { _lab: lab, puller, memory, metrics, pull, layer }
    }

    async fn pull(&self) {
        self.puller.manifest(&mut self.puller.ask(), &self.pull).await.expect("it is signed");
    }

    /// How often something was added to the store's lists.
    fn additions(&self) -> u64 {
        let shown = self.metrics.render();
        let counts = shown.lines().filter_map(|line| {
            let (series, count) = line.strip_prefix("countersign_store_operations_total")?.rsplit_once(' ')?;
            series.contains(r#"operation="add""#).then(|| count.parse::<u64>().expect("a counter"))
        });
        counts.sum()
    }

    /// Which manifests list the layer, as another replica knows it: from the store.
    async fn known(&self) -> Vec<Digest> {
        let (store, seal) = self.memory.clone();
        let other = Membership::new(store, seal, HOUR, self.metrics.store().clone());
        other.parents(&self.layer).await.parents.iter().map(|parent| parent.digest).collect()
    }
}

#[tokio::test]
async fn it_is_recorded_again_when_it_is_pulled_an_hour_later() {
    let scene = Scene::on(MemoryStore::new(1 << 20)).await;
    let began = Instant::now();
    scene.pull().await;
    let (took, once) = (began.elapsed(), scene.additions());
    assert!(once > 0);
    pause();
    advance(HOUR.saturating_sub(began.elapsed() + MOMENT)).await;
    scene.pull().await;
    assert_eq!(scene.additions(), once, "it is there, and in no danger");
    advance(took + 2 * MOMENT).await;
    for _ in 0..2 {
        scene.pull().await;
        assert_eq!(scene.additions(), 2 * once);
    }
}

#[tokio::test]
async fn it_is_recorded_again_when_the_store_had_to_forget_it() {
    let scene = Scene::on(MemoryStore::new(8 << 10)).await;
    scene.pull().await;
    let recorded = scene.known().await;
    assert_eq!(recorded.len(), 1);
    let other = |n| Listing { place: Place::new(Shelf::Members, format!("{n}")), item: Item([1; 65]) };
    for round in 0..100 {
        let others: Vec<_> = (0..100).map(|n| other(100 * round + n)).collect();
        scene.memory.0.add(&others, 64, HOUR).await.expect("up");
        if scene.known().await.is_empty() {
            break;
        }
    }
    scene.pull().await;
    assert_eq!(scene.known().await, recorded);
}

const HOUR: Duration = Duration::from_hours(1);
const MOMENT: Duration = Duration::from_millis(1);
