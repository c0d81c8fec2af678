//! The cluster: nodes that begin in waves and then pull their images one after the other, as a kubelet does.

use std::sync::Arc;
use std::time::Duration;

use countersign::oci::{Digest, Image as Repository, Reference};
use countersign::pull::Puller;
use countersign::route::{BlobPull, ManifestPull};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::Plan;
use super::dice::{Dice, Popularity};
use super::fleet::Fleet;
use super::registry::{Image, NAME, TAGGED};

/// What the cluster looks like, and how it rolls out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cluster {
    pub(crate) nodes: usize,
    /// Images in the registry; the second is pulled half as often as the first, and so on.
    pub(crate) images: u32,
    /// Images that each node pulls, of all that there are.
    pub(crate) each: usize,
    /// The nodes of a wave begin together, within five seconds.
    pub(crate) waves: usize,
    /// From the first wave to the end of the last.
    pub(crate) over: Duration,
}

/// One image on one node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pulled {
    pub(crate) took: Duration,
    /// To the proxies.
    pub(crate) requests: usize,
    /// Whether it got everything.
    pub(crate) served: bool,
}

/// Lets all nodes pull.
pub(crate) async fn roll_out(plan: Plan, fleet: Arc<Fleet>, images: Arc<Vec<Image>>) -> Vec<Pulled> {
    let (cluster, mut dice) = (plan.cluster, Dice::seeded(plan.seed));
    let popularity = Arc::new(Popularity::of(cluster.images));
    let (began, apart) = (Instant::now(), cluster.over / u32::try_from(cluster.waves).unwrap_or(1));
    let mut starts: Vec<_> = (0..cluster.nodes)
        .map(|node| {
            let wave = u32::try_from(node * cluster.waves / cluster.nodes).unwrap_or_default();
            (began + apart * wave + TOGETHER.mul_f64(dice.share()), node)
        })
        .collect();
    starts.sort_unstable();
    let (mut nodes, mut pulls) = (JoinSet::new(), Vec::with_capacity(cluster.nodes * cluster.each));
    for (start, number) in starts {
        sleep_until(start).await;
        let node = Node { number, fleet: fleet.clone(), images: images.clone(), dice: dice.of(number) };
        nodes.spawn(node.pull_all(cluster.each, popularity.clone()));
        while let Some(Ok(done)) = nodes.try_join_next() {
            pulls.extend(done);
        }
    }
    pulls.extend(nodes.join_all().await.into_iter().flatten());
    pulls
}

struct Node {
    number: usize,
    fleet: Arc<Fleet>,
    images: Arc<Vec<Image>>,
    dice: Dice,
}

impl Node {
    async fn pull_all(mut self, each: usize, popularity: Arc<Popularity>) -> Vec<Pulled> {
        let (mut pulled, mut pulls) = (Vec::new(), Vec::new());
        while pulled.len() < each.min(self.images.len()) {
            let number = popularity.pick(&mut self.dice);
            if pulled.contains(&number) {
                continue;
            }
            pulled.push(number);
            let began = Instant::now();
            let (served, requests) = self.pull(number).await;
            pulls.push(Pulled { took: began.elapsed(), requests, served });
            // Unpacking, and the next pod.
            sleep(TOGETHER.mul_f64(self.dice.share())).await;
        }
        pulls
    }

    /// Whether everything was served, and how many requests it took.
    async fn pull(&mut self, number: usize) -> (bool, usize) {
        let (fleet, images) = (self.fleet.clone(), self.images.clone());
        let Some(image) = images.get(number) else { return (false, 0) };
        let Ok(registry) = NAME.parse() else { return (false, 0) };
        let Ok(within) = Repository::parse(registry, &image.repository) else { return (false, 0) };
        let by_tag = TAGGED.parse().ok().map(Reference::Tag);
        let by_digest = [Some(image.digest), image.child].into_iter().flatten().map(Reference::Digest);
        let (mut served, mut requests) = (true, 0);
        for reference in by_tag.into_iter().chain(by_digest) {
            served &= manifest(self.replica(&fleet).await, &within, reference).await;
            requests += 1;
        }
        for digest in &image.blobs {
            served &= blob(self.replica(&fleet).await, &within, *digest).await;
            requests += 1;
        }
        (served, requests)
    }

    /// The proxy that the next request reaches, after a moment in the network.
    async fn replica<'f>(&mut self, fleet: &'f Fleet) -> &'f Puller {
        sleep(NETWORK).await;
        fleet.pick(self.number, &mut self.dice)
    }
}

async fn manifest(replica: &Puller, image: &Repository, reference: Reference) -> bool {
    let pull = ManifestPull { image: image.clone(), reference };
    replica.manifest(&mut replica.ask(), &pull).await.is_ok()
}

async fn blob(replica: &Puller, image: &Repository, digest: Digest) -> bool {
    let pull = BlobPull { image: image.clone(), digest };
    replica.blob(&mut replica.ask(), &pull).await.is_ok()
}

/// In what time the nodes of a wave begin, and a node goes on to its next image.
const TOGETHER: Duration = Duration::from_secs(5);
/// To a proxy and back.
const NETWORK: Duration = Duration::from_millis(1);
