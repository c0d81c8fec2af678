//! A policy that changes under load: once a replica's `/metrics` shows the new one, no answer of that replica begins
//! under the old one, manifest or blob. What has begun comes to its end.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use countersign::oci::Digest;

use super::lab;
use crate::support::content::MANIFEST;
use crate::support::cosign::Cosign;
use crate::support::image::Image;
use crate::support::judged::{Outcome, Target, of_image};
use crate::support::lab::{FOREIGN, RELEASE, signed_by};
use crate::support::process::poll;
use crate::support::replicas::{Fleet, Replica};

#[test]
fn no_replica_answers_under_an_old_policy_once_its_metrics_show_the_new_one() {
    let fleet = Fleet::sharing_redis(lab());
    let image = lab().push_signed("flip", Cosign::Bundle);
    let targets = of_image(&image, true);
    for replica in &fleet.replicas {
        assert_eq!(targets[0].ask(replica.address, "GET", None), Outcome::Right);
    }
    let load = Load::default();
    thread::scope(|scope| {
        for (number, replica) in fleet.replicas.iter().enumerate() {
            let load = &load;
            for target in &targets {
                for method in ["GET", "HEAD"] {
                    scope.spawn(move || load.ask_on(number, replica, target, method));
                }
            }
        }
        let over = Over(&load.over);
        load.flip(&fleet, 2 * fleet.replicas.len() * targets.len());
        drop(over);
    });
    let wrong = load.wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the clients and whoever swaps the policy share. Policies are numbered; the even ones allow the image.
#[derive(Default)]
struct Load {
    /// The last one that each replica's metrics have shown.
    shown: [AtomicUsize; 2],
    /// The last one that may be in force.
    begun: AtomicUsize,
    over: AtomicBool,
    /// Who has had an answer that can only be under the last policy.
    exact: Mutex<BTreeSet<String>>,
    wrong: Mutex<Vec<String>>,
}

impl Load {
    fn ask_on(&self, number: usize, replica: &Replica, target: &Target, method: &str) {
        let name = format!("replica {number}: {method} {}", target.path);
        while !self.over.load(Ordering::SeqCst) {
            let from = self.shown[number].load(Ordering::SeqCst);
            let outcome = target.ask(replica.address, method, None);
            let mut exact = self.exact.lock().unwrap_or_else(PoisonError::into_inner);
            let to = self.begun.load(Ordering::SeqCst);
            if from == to {
                exact.insert(name.clone());
            }
            drop(exact);
            // Without an answer of the store a no is none: somebody else may know what allows it.
            let refused = outcome == Outcome::Refused
                || matches!(&outcome, Outcome::Unavailable(503, reason) if reason == "store_unavailable");
            let may = |policy: usize| if policy.is_multiple_of(2) { outcome == Outcome::Right } else { refused };
            if !(from..=to).any(may) {
                let story = format!("{name}, from policy {from} to {to}: {outcome:?}");
                self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(story);
            }
        }
    }

    fn flip(&self, fleet: &Fleet, clients: usize) {
        for policy in 1..=FLIPS {
            let all = || self.exact.lock().unwrap_or_else(PoisonError::into_inner).len() == clients;
            assert!(poll(PATIENCE, all), "not every client is answered under policy {}", policy - 1);
            {
                let mut exact = self.exact.lock().unwrap_or_else(PoisonError::into_inner);
                exact.clear();
                self.begun.store(policy, Ordering::SeqCst);
            }
            let text = signed_by(if policy % 2 == 0 { RELEASE } else { FOREIGN });
            let text = text.replace("name: lab", &format!("name: flip-{policy}"));
            let before = fleet.revisions();
            for replica in &fleet.replicas {
                replica.set_policy(&text);
            }
            for (number, replica) in fleet.replicas.iter().enumerate() {
                assert!(poll(PATIENCE, || replica.revision() != before[number]), "{}", replica.log());
                self.shown[number].store(policy, Ordering::SeqCst);
            }
            let revisions: BTreeSet<_> = fleet.revisions().into_iter().collect();
            assert_eq!(revisions.len(), 1, "the same policy is the same everywhere: {revisions:?}");
        }
        let all = || self.exact.lock().unwrap_or_else(PoisonError::into_inner).len() == clients;
        assert!(poll(PATIENCE, all), "not every client is answered under the last policy");
    }
}

#[test]
fn a_layer_on_its_way_comes_to_its_end_while_everything_else_is_refused() {
    let fleet = Fleet::sharing_redis(lab());
    let image = lab().push("flip-large");
    let page = |number: usize| [u8::try_from(number % 251).expect("less than 256"); 4096];
    let layer: Vec<u8> = (0..LARGE / 4096).flat_map(page).collect();
    let hash = Digest::of(&layer);
    let (large, path) = with_layer(&image, &hash.to_string(), &layer);
    assert_eq!(fleet.replicas[0].ask("GET", &large.manifest_path()).status, 200);

    let mut client = TcpStream::connect(fleet.address()).expect("nginx listens");
    client.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let request = format!("GET {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n");
    client.write_all(request.as_bytes()).expect("nginx reads");
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    let before = fleet.revisions();
    for replica in &fleet.replicas {
        replica.set_policy(&signed_by(FOREIGN));
    }
    for (number, replica) in fleet.replicas.iter().enumerate() {
        assert!(poll(PATIENCE, || replica.revision() != before[number]), "{}", replica.log());
        for refused in [&path, &large.manifest_path(), &large.tag_path()] {
            for method in ["GET", "HEAD"] {
                assert_eq!(replica.ask(method, refused).status, 403, "{method} {refused}");
            }
        }
    }
    assert_eq!(fleet.count("countersign_requests_in_flight", &[]), 1, "the layer is still on its way");
    let mut came = Vec::new();
    client.read_to_end(&mut came).expect("it goes on to its end");
    assert!(came == layer, "other bytes: {} of {LARGE}", came.len());
}

/// A signed image of the same repository with this layer; and the layer's path.
fn with_layer(image: &Image, digest: &str, layer: &[u8]) -> (Image, String) {
    let mut document = image.get_json(&image.manifest_path());
    image.put_blob(digest, layer);
    document["layers"][0]["digest"] = digest.into();
    document["layers"][0]["size"] = layer.len().into();
    image.put_manifest("large", MANIFEST, document.to_string().as_bytes());
    let large = Image::found(image.registry(), &image.repository, "large");
    lab().sign(Cosign::Bundle, RELEASE, &large);
    let path = image.blob_path(digest);
    (large, path)
}

/// Ends the load when it is dropped, also by a panic.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

const FLIPS: usize = 12;
const PATIENCE: Duration = Duration::from_secs(30);
/// More than lies in buffers between the registry and a client that does not read.
const LARGE: usize = 64 << 20;
