use serde_json::json;

use super::double::{Registry, config, index};
use super::*;
use crate::oci::media_type::ManifestType;
use crate::reason::Reason;
use crate::upstream::UpstreamError as E;

mod artifacts;
mod bundles;
mod elsewhere;
mod legacy;
mod real_cosign;
mod registries;
mod rows;

const ALL: Wants = Wants { bundle: true, signatures: true, attestations: true, referrers: true };

fn subject() -> Digest {
    Digest::of(b"the image")
}

fn tag(suffix: &str) -> String {
    format!("sha256-{}{suffix}", subject().hex())
}

async fn discovered(registry: &Registry, limits: Limits) -> EvidenceSet {
    read_one(registry, &subject(), ALL, &limits).await
}

/// Reads in one repository, as beside an image.
async fn read_one(registry: &Registry, digest: &Digest, wants: Wants, limits: &Limits) -> EvidenceSet {
    let place = Place { source: registry, repository: &"app".parse().expect("a repository"), name: None };
    read(&[place], digest, wants, limits, &InFlight::new(1 << 30).share(), Timestamp(7)).await
}

async fn found(registry: &Registry) -> EvidenceSet {
    discovered(registry, Limits::default()).await
}

/// The set in one line: how many candidates, the reasons of the unread and of the unusable, whether it is incomplete.
fn summary(set: &EvidenceSet) -> (usize, Vec<Reason>, Vec<Reason>, bool) {
    let unread = set.unread.iter().map(|one| one.reason).collect();
    let unusable = set.unusable.iter().map(|one| one.reason).collect();
    (set.candidates.len(), unread, unusable, set.incomplete)
}

#[tokio::test]
async fn an_image_without_evidence_has_none_and_nothing_was_unread() {
    let registry = Registry::default();
    let set = found(&registry).await;
    assert_eq!(summary(&set), (0, vec![], vec![], false));
    assert_eq!(set.read_at, Timestamp(7));
    assert_eq!((registry.asked("referrers"), registry.asked("manifest"), registry.asked("blob")), (1, 3, 0));
}

#[tokio::test]
async fn only_wanted_sources_are_asked() {
    for (wants, asked) in [
        (Wants { bundle: false, signatures: false, attestations: false, referrers: false }, vec![]),
        (
            Wants { bundle: false, attestations: false, referrers: false, ..ALL },
            vec![format!("manifest {}", tag(".sig"))],
        ),
        (
            Wants { bundle: false, signatures: false, ..ALL },
            // Legacy evidence may be stored as a referrer, too.
            vec!["referrers ".into(), format!("manifest {}", tag("")), format!("manifest {}", tag(".att"))],
        ),
        (
            Wants { signatures: false, attestations: false, ..ALL },
            vec!["referrers ".into(), format!("manifest {}", tag(""))],
        ),
    ] {
        let registry = Registry::default();
        read_one(&registry, &subject(), wants, &Limits::default()).await;
        assert_eq!(*registry.asked.lock().expect("a lock"), asked);
    }
}

/// What is noted of a source that failed so: that the registry is away, or only that nothing could be read.
fn unread_as(error: &E) -> Reason {
    match error {
        E::Status(500..) | E::Transport(_) => Reason::UpstreamUnavailable,
        E::Throttled { .. } => Reason::UpstreamThrottled,
        E::Timeout => Reason::UpstreamTimeout,
        _ => Reason::EvidenceUnreadable,
    }
}

#[tokio::test]
async fn every_failure_but_404_leaves_a_source_unread() {
    for error in [
        E::Status(500),
        E::Status(400),
        E::Status(405),
        E::Timeout,
        E::Throttled { retry_after: None },
        E::CredentialsRejected { status: 401 },
        E::RedirectRefused { host: "x".into(), why: String::new() },
        E::Transport("reset".into()),
    ] {
        for suffix in ["", ".sig", ".att"] {
            let mut registry = Registry::default();
            registry.manifests.insert(tag(suffix), Err(error.clone()));
            let set = found(&registry).await;
            assert_eq!(summary(&set), (0, vec![unread_as(&error)], vec![], false), "{error} {suffix}");
            assert_eq!(set.unread[0].location, format!("tag {}", tag(suffix)));
            assert!(set.unread[0].detail.starts_with(error.reason().code()), "{}", set.unread[0].detail);
        }
    }
}

#[tokio::test]
async fn a_source_above_the_limit_is_incomplete_never_absent() {
    for suffix in ["", ".sig", ".att"] {
        let mut registry = Registry::default();
        registry.put(&tag(suffix), ManifestType::OciIndex, &index(&json!([])));
        let set = discovered(&registry, Limits { manifest: 10, ..Limits::default() }).await;
        assert_eq!(summary(&set), (0, vec![], vec![Reason::EvidenceTooLarge], true), "{suffix}");
    }
}

#[tokio::test]
async fn a_tag_of_the_wrong_kind_is_unusable() {
    let image = json!({ "schemaVersion": 2, "config": config(), "layers": [] });
    let mut registry = Registry::default();
    registry.put(&tag(""), ManifestType::OciImage, &image);
    registry.put(&tag(".sig"), ManifestType::OciIndex, &index(&json!([])));
    registry.put(&tag(".att"), ManifestType::OciImage, &json!({ "schemaVersion": 1 }));
    assert_eq!(summary(&found(&registry).await), (0, vec![], vec![Reason::EvidenceMalformed; 3], false));
}

#[test]
fn discovery_may_move_between_threads() {
    type Upstreams = BTreeMap<oci::Registry, Arc<Upstream>>;
    type Elsewhere<'a> = &'a [Image];
    fn sendable<'a, F: Future + Send + 'a>(
        _: impl FnOnce(&'a Upstreams, &'a Subject, Elsewhere<'a>, &'a Limits, &'a Share) -> F,
    ) {
    }
    sendable(|upstreams, subject, places, limits, share| {
        discover(upstreams, subject, places, ALL, limits, share, Timestamp(7))
    });
}
