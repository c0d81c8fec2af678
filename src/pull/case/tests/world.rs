//! Scenes to judge, and what a policy says of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Value, json};

use super::stock::{Piece, STOCKS, Stock, Who};
use crate::clock::Timestamp;
use crate::decide::{Verdict, decide};
use crate::demo::sigstore::Key;
use crate::evidence::Unread;
use crate::examined::{Children, Examined, Part};
use crate::oci::{Digest, Subject};
use crate::outcome::{Indeterminate, Outcome, Terms};
use crate::policy::condition::ImageFacts;
use crate::policy::file::parse;
use crate::policy::{Name, Policies};
use crate::reason::Reason;
use crate::test_support::{Dice, SIGSTORE, subject};
use crate::trust::{Root, Trust};
use crate::verify::Findings;

/// When everything is judged.
pub(super) const NOW: Timestamp = Timestamp(1_750_000_000);
pub(super) const SBOM: &str = "https://cyclonedx.org/bom";
pub(super) const SCAN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
/// Where some policies look for evidence, too.
pub(super) const ELSEWHERE: &str = "r.io/evidence";
/// Whose evidence policies ask for: two keys, and the pipelines of an organisation.
pub(super) const AUTHORITIES: [&str; 3] = ["a", "b", "ci"];

pub(super) static KEYS: LazyLock<[Key; 3]> = LazyLock::new(|| [(); 3].map(|()| Key::p256().expect("a key")));
pub(super) static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let root = Root::parse(&SIGSTORE.trusted_root().to_string()).expect("a trusted root");
    Trust::of(BTreeMap::from([(Name::new("root").expect("a name"), Arc::new(root))]))
});

/// A policy file with these policies, and what else it says.
pub(super) fn policies(list: &[String], more: &str) -> Policies {
    let text = text(list, more);
    parse(&text, "policy.yaml", Path::new(".")).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn text(list: &[String], more: &str) -> String {
    let key = |key: &Key| json!({ "key": { "inline": key.public_pem(), "insecureSkipTransparencyLog": true } });
    let ending = |mut key: Value| {
        key["key"]["notAfter"] = NOW.plus(Duration::from_hours(2)).to_string().into();
        key
    };
    let authorities = json!({
        "a": key(&KEYS[0]),
        "b": ending(key(&KEYS[1])),
        "ci": { "keyless": { "trustRoot": "root", "issuer": "https://gitlab.com", "identity": "https://gitlab.com/myorg/**" } },
    });
    let list = list.join(", ");
    format!("trustRoots: {{ root: {{ file: root.json }} }}\nauthorities: {authorities}\npolicies: [ {list} ]\n{more}")
}

/// What is revoked where a piece's other findings are asked for.
pub(super) fn revocations() -> String {
    let key = crate::policy::PublicKey::from_pem(&KEYS[0].public_pem()).expect("a key").fingerprint();
    format!("revoked: {{ keys: [ \"{key}\" ], identities: [ \"https://gitlab.com/myorg/library//**\" ] }}\n")
}

/// What is there to judge by: some pieces about each manifest, in some order, and how much was read.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) parts: Vec<Vec<&'static Piece>>,
    pub(super) unread: bool,
    pub(super) cut_off: bool,
    pub(super) unread_elsewhere: bool,
}

impl Scene {
    /// Any scene, completely read: of an image, or of an index over two.
    pub(super) fn any(dice: &mut Dice) -> Self {
        let parts = if dice.below(4) == 0 { 3 } else { 1 };
        let parts = STOCKS[..parts].iter().map(|stock| pick(dice, stock)).collect();
        Self { parts, unread: false, cut_off: false, unread_elsewhere: dice.below(4) == 0 }
    }

    /// The same less some of it, which could not be read.
    pub(super) fn read_in_part(&self, dice: &mut Dice) -> Self {
        let some = |dice: &mut Dice, part: &Vec<&'static Piece>| {
            let keep = dice.below(4);
            part.iter().copied().filter(|_| dice.below(4) < keep).collect()
        };
        let parts = self.parts.iter().map(|part| some(dice, part)).collect();
        let unread = dice.coin();
        Self { parts, unread, cut_off: !unread || dice.coin(), unread_elsewhere: dice.coin() }
    }

    pub(super) fn shuffled(&self, dice: &mut Dice) -> Self {
        let mut scene = self.clone();
        scene.parts.iter_mut().for_each(|part| dice.shuffle(part));
        scene
    }

    /// The same, and of each manifest what `wanted` lets through.
    pub(super) fn with(&self, dice: &mut Dice, wanted: impl Fn(&Piece) -> bool) -> Self {
        let mut scene = self.clone();
        for (part, stock) in scene.parts.iter_mut().zip(&*STOCKS) {
            for piece in stock.pieces.iter().filter(|piece| wanted(piece)) {
                if dice.coin() {
                    let at = usize::try_from(dice.below(part.len() as u64 + 1)).expect("small");
                    part.insert(at, piece);
                }
            }
        }
        scene
    }

    pub(super) fn without(&self, unwanted: impl Fn(&Piece) -> bool) -> Self {
        let mut scene = self.clone();
        scene.parts.iter_mut().for_each(|part| part.retain(|piece| !unwanted(piece)));
        scene
    }

    /// What is found of it: [`ELSEWHERE`] only if some policy looks there.
    fn examined(&self, elsewhere: bool, revoked: bool) -> Examined {
        let found = |piece: &&Piece| elsewhere || !piece.elsewhere;
        let scene =
            Self { unread_elsewhere: self.unread_elsewhere && elsewhere, ..self.without(|piece| !found(&piece)) };
        let part = |(pieces, stock): (&Vec<&'static Piece>, &Stock)| scene.part(pieces, stock.digest, revoked);
        let mut parts = scene.parts.iter().zip(&*STOCKS).map(part);
        let own = parts.next().expect("the subject");
        let children: Vec<_> = parts.collect();
        Examined { own, children: if children.is_empty() { Children::NotAsked } else { Children::Read(children) } }
    }

    fn part(&self, pieces: &[&Piece], digest: Digest, revoked: bool) -> Part {
        let mut all = Findings {
            verified: vec![],
            rejected: vec![],
            unjudged: vec![],
            unread: vec![],
            incomplete: self.cut_off,
            read_at: NOW,
        };
        if self.unread {
            all.unread.push(Unread::new("tag", Reason::UpstreamUnavailable, "500"));
        }
        if self.unread_elsewhere {
            all.unread.push(Unread::new("tag", Reason::UpstreamUnavailable, "500").within(ELSEWHERE));
        }
        for piece in pieces {
            let findings = if revoked { &piece.revoked } else { &piece.findings };
            all.verified.extend(findings.verified.iter().cloned());
            all.rejected.extend(findings.rejected.iter().cloned());
        }
        let Subject { image, .. } = subject();
        let (registry, repository) = (image.registry.to_string(), image.repository.to_string());
        let image = ImageFacts { registry, repository, digest, annotations: BTreeMap::new() };
        Part { image, platform: "linux/x".into(), findings: all }
    }
}

/// A few pieces about one manifest: often by one signer only, so that they are about the same thing.
fn pick(dice: &mut Dice, stock: &'static Stock) -> Vec<&'static Piece> {
    let who = dice.coin().then(|| *dice.pick(&[&Who::A, &Who::B, &Who::App]));
    let all: Vec<_> = stock.pieces.iter().filter(|piece| who.is_none_or(|who| piece.who == who)).collect();
    let most = *dice.pick(&[&2, &6, &12, &30]);
    (0..dice.below(most + 1)).map(|_| all[usize::try_from(dice.below(all.len() as u64)).expect("small")]).collect()
}

/// An answer, in the order of laxity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    Deny,
    Unknown,
    Allow,
}

/// The whole decision.
pub(super) type Decision = Result<Verdict, Indeterminate>;

/// Decides under `policies`.
pub(super) fn decision(policies: &Policies, scene: &Scene) -> Decision {
    decision_at(policies, scene, NOW)
}

/// Decides at another time. Nothing that was signed here is verified otherwise then.
pub(super) fn decision_at(policies: &Policies, scene: &Scene, now: Timestamp) -> Decision {
    let revoked = policies.revoked();
    let governing = policies.governing(&subject(), now);
    let minutes = Duration::from_mins;
    let terms = Terms {
        now,
        allow: minutes(600),
        deny: minutes(1),
        evidence_max_age: minutes(600),
        last_known_good: minutes(0),
    };
    let someone =
        revoked.identity("https://gitlab.com", "https://gitlab.com/myorg/library//.gitlab-ci.yml@refs/heads/main");
    let elsewhere = !governing.evidence_elsewhere().is_empty();
    decide(&governing, TRUST.revision(&governing), &scene.examined(elsewhere, someone), &terms)
}

pub(super) fn answer(decision: &Decision) -> Answer {
    match decision.as_ref().map(|verdict| verdict.outcome()) {
        Ok(Outcome::Allow(_)) => Answer::Allow,
        Ok(Outcome::Deny(_)) => Answer::Deny,
        Err(_) => Answer::Unknown,
    }
}

/// Everything that a cache can see of it, and who denies. For what reason may depend on what others look for: a piece that
/// does not count is the nearest one wherever it was found.
pub(super) fn whole(decision: &Decision) -> String {
    match decision {
        Ok(verdict) => {
            let until = (verdict.valid_until(), verdict.fresh_until());
            match verdict.outcome() {
                Outcome::Allow(basis) => format!("{basis:?} {until:?}"),
                Outcome::Deny(denial) => format!("denied by {:?} {until:?}", denial.policy),
            }
        }
        Err(unsure) => format!("could not tell by {:?}", unsure.0.policy),
    }
}

/// Counts answers, so that a law is not one about nothing.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<Answer, usize>);

impl Tally {
    pub(super) fn count(&mut self, answer: Answer) {
        *self.0.entry(answer).or_default() += 1;
    }

    /// That each of these came up in at least a fiftieth of the cases.
    pub(super) fn assert(&self, answers: &[Answer]) {
        let all: usize = self.0.values().sum();
        for answer in answers {
            assert!(self.0.get(answer).copied().unwrap_or_default() * 50 >= all, "{self:?}");
        }
    }
}
