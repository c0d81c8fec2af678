//! A warm pull is answered from memory: it asks neither the registry nor the store, whether the manifest is signed itself
//! or an index lets it through.

use countersign::demo::registry::Options;

use crate::support::expect::{header, served};
use crate::support::lab::Lab;
use crate::support::scene::manifest;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warm_pull_asks_neither_the_registry_nor_the_store() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest.digest;
    let (index, [child, _]) = lab.signed_index("team/multi");
    let (index, child) = (index.digest, child.manifest.digest);
    let pulls = [
        (manifest("team/app", image), image, "signed"),
        (manifest("team/multi", index), index, "signed"),
        (manifest("team/multi", child), child, "member"),
    ];
    for (path, digest, reason) in &pulls {
        served(&lab.get(path).await, *digest, reason);
    }
    lab.double.forget();
    let operations = lab.metric("store_operations_total", &[]).await;
    for _ in 0..3 {
        for (path, digest, reason) in &pulls {
            served(&lab.get(path).await, *digest, reason);
            assert_eq!(header(&lab.head(path).await, "countersign-reason"), *reason);
        }
    }
    assert_eq!(lab.double.seen().len(), 0, "the registry is asked");
    assert_eq!(lab.metric("store_operations_total", &[]).await, operations, "the store is asked");
}
