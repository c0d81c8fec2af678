//! Evidence of every kind about three manifests, verified once.

use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::world::{ELSEWHERE, KEYS, NOW, SBOM, SCAN, TRUST, policies, revocations};
use crate::clock::Timestamp;
use crate::demo::signer::{attestation_statement, signature_statement, simple_signing_payload};
use crate::demo::sigstore::{Content, Identity, Recipe};
use crate::discovery::{Candidate, Material};
use crate::evidence::EvidenceSet;
use crate::oci::Digest;
use crate::test_support::{SIGSTORE, patient, subject};
use crate::verify::{Against, Findings, verify_all};

/// Who signs: the keys `a` and `b`, two pipelines of `ci`, and some that no policy knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    A,
    B,
    App,
    Library,
    Stranger,
    Outsider,
}

/// One piece of evidence, and what verification makes of it for all authorities.
pub(super) struct Piece {
    pub(super) who: Who,
    /// What it is, for people.
    what: String,
    pub(super) elsewhere: bool,
    /// Whether any policy could ask for it.
    pub(super) related: bool,
    pub(super) findings: Findings,
    /// The same where `a` and the pipeline `library` are revoked.
    pub(super) revoked: Findings,
}

/// Everything about one manifest.
pub(super) struct Stock {
    pub(super) digest: Digest,
    pub(super) pieces: Vec<Piece>,
}

/// The subject, and two images that it lists if it is an index.
pub(super) static STOCKS: LazyLock<[Stock; 3]> = LazyLock::new(|| {
    [subject().digest, Digest::of(b"for amd64"), Digest::of(b"for arm64")]
        .map(|digest| Stock { digest, pieces: pieces(digest) })
});

impl Who {
    pub(super) const ALL: [Self; 6] = [Self::A, Self::B, Self::App, Self::Library, Self::Stranger, Self::Outsider];

    /// Whether [`revocations`] names it.
    pub(super) fn revoked(self) -> bool {
        matches!(self, Self::A | Self::Library)
    }

    fn recipe(self, at: Timestamp) -> Recipe {
        let at = i64::try_from(at.0).expect("a time");
        let keyless = |project| SIGSTORE.keyless(&Identity::gitlab(project), at).expect("a key");
        match self {
            Self::A => SIGSTORE.keyed(&KEYS[0], at),
            Self::B => SIGSTORE.keyed(&KEYS[1], at),
            Self::App => keyless("myorg/app"),
            Self::Library => keyless("myorg/library"),
            Self::Stranger => SIGSTORE.keyed(&KEYS[2], at),
            Self::Outsider => keyless("elsewhere/app"),
        }
    }

    fn known(self) -> bool {
        !matches!(self, Self::Stranger | Self::Outsider)
    }
}

fn pieces(digest: Digest) -> Vec<Piece> {
    let mut pieces: Vec<(Who, bool, String, Candidate)> = Vec::new();
    let before = |hours: u64| Timestamp(NOW.0 - hours * 3600);
    let attest =
        |about, of: &str, predicate: &Value| Content::statement(&attestation_statement("app", about, of, predicate));
    for who in Who::ALL {
        let signed = who.recipe(before(100));
        pieces.push((
            who,
            true,
            "a signature".into(),
            bundle(&signed, Content::statement(&signature_statement(digest))),
        ));
        // In the content, and for pipelines by the log too: of several ages, and two that say what has not come yet.
        for (kind, hours, n) in
            [(SBOM, 240, 0), (SBOM, 120, 1), (SBOM, 24, 2), (SBOM, 1, 0), (SBOM, 1, 3), (SCAN, 24, 1), (SCAN, 1, 2)]
        {
            let predicate = json!({ "n": n, "at": before(hours).to_string() });
            let piece = bundle(&who.recipe(before(hours)), attest(digest, kind, &predicate));
            pieces.push((who, true, format!("{kind} {predicate}"), piece));
        }
        for at in [NOW.plus(Duration::from_mins(3)), NOW.plus(Duration::from_mins(20))] {
            let predicate = json!({ "n": 3, "at": at.to_string() });
            let piece = bundle(&who.recipe(before(2)), attest(digest, SBOM, &predicate));
            pieces.push((who, true, format!("{SBOM} {predicate}"), piece));
        }
        let timeless = bundle(&who.recipe(before(3)), attest(digest, SBOM, &json!({ "n": "none" })));
        pieces.push((who, true, format!("{SBOM} without a time, 3 hours ago"), timeless));
        let of_no_use = [
            attest(digest, "https://example.com/else", &json!({ "n": 0 })),
            attest(Digest::of(b"another"), SBOM, &json!({ "n": 0, "at": before(1).to_string() })),
            Content::statement(&signature_statement(Digest::of(b"another"))),
        ];
        let of_no_use = of_no_use.map(|content| bundle(&who.recipe(before(1)), content));
        pieces.extend(of_no_use.map(|piece| (who, false, "of no use".into(), piece)));
        let elsewhere = bundle(&signed, Content::statement(&signature_statement(digest))).within(ELSEWHERE);
        pieces.push((who, true, "a signature elsewhere".into(), elsewhere));
        let legacy = Content::document(&simple_signing_payload("r.io/app", digest));
        let signature = who.recipe(before(1)).sign(legacy.clone()).expect("signs").signature;
        let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature);
        let material = Material::SimpleSigning { payload: legacy.payload().to_vec().into(), signature };
        pieces.push((who, true, "a legacy signature".into(), Candidate::new("tag".into(), material)));
    }
    let junk = Candidate::new("referrer".into(), Material::Bundle("{}".into()));
    pieces.push((Who::Stranger, false, "junk".into(), junk));
    let verify = |(who, related, what, candidate): (Who, bool, String, Candidate)| {
        let related = related && who.known();
        let [findings, revoked] = ["", &revocations()].map(|more| verified(&candidate, digest, more));
        let elsewhere = candidate.elsewhere().is_some();
        Piece { who, what, elsewhere, related, findings, revoked }
    };
    pieces.into_iter().map(verify).collect()
}

fn bundle(recipe: &Recipe, content: Content) -> Candidate {
    let bundle = recipe.sign(content).expect("signs").bundle();
    Candidate::new("referrer".into(), Material::Bundle(bundle.to_string().into()))
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.who, self.what)
    }
}

fn verified(candidate: &Candidate, subject: Digest, more: &str) -> Findings {
    let (policies, limits) = (policies(&[], more), patient());
    let all: Vec<_> = policies.authorities().cloned().collect();
    let set = EvidenceSet {
        candidates: vec![candidate.clone()],
        unread: vec![],
        unusable: vec![],
        incomplete: false,
        read_at: NOW,
    };
    let against = Against { trust: &TRUST, revoked: policies.revoked(), limits: &limits, now: NOW };
    verify_all(&set, &subject, &all, against)
}
