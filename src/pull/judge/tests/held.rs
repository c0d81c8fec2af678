//! Evidence that is held: what another policy makes of it costs the registry nothing, and a denial at most one reading.

use super::*;

const NOW: u64 = 1_000_000;

/// A judge whose verdicts and evidence last for what a proxy's do by default.
async fn world() -> World {
    let mut world = World::new(LIMITS).await;
    world.judge_mut().lasting = Lasting {
        allow: Duration::from_hours(6),
        deny: Duration::from_secs(15),
        evidence: Duration::from_hours(24),
        last_known_good: Duration::ZERO,
    };
    world.restart();
    world
}

const HOURS: u64 = 3_600;

impl World {
    /// Forgets everything but what is in the store.
    fn restart(&mut self) {
        let (judge, day) = (self.judge_mut(), Duration::from_hours(24));
        let stored = Stored::new(judge.store.clone(), judge.seal.clone(), day, judge.metrics.store().clone());
        (judge.held, judge.verdicts) = (Held::new(1 << 20, day, stored), Verdicts::new(100));
    }

    /// Waits until what was read is stored, and restarts.
    async fn restart_when_written(&mut self) {
        assert!(self.judge.held.writing().end(Duration::from_secs(10)).await);
        self.restart();
    }

    /// Puts the policy `edit` makes of the world's in force.
    fn edit(&mut self, edit: impl FnOnce(String) -> String) {
        let text = policy(&self.registry.options().name, &self.signer.public_key_pem());
        let policies = parse(&edit(text), "policy.yaml", Path::new(".")).expect("a policy");
        self.snapshot = Arc::new(Snapshot { policies: Arc::new(policies), trust: Trust::none() });
    }

    /// Demands a signature by `other` as well, in a policy called `name`.
    fn demand(&mut self, name: &str, other: &Signer) {
        let registry = self.registry.options().name.clone();
        let theirs = policy(&registry, &other.public_key_pem()).replace("release-key", "other-key");
        let (authority, rule) = theirs.split_once("policies:\n").expect("policies");
        let rule = rule.replace("default: deny\n", "").replace("name: demo", &format!("name: {name}"));
        let authority = authority.replace("authorities:\n", "");
        self.edit(|text| text.replace("policies:\n", &format!("{authority}policies:\n{rule}")));
    }
}

fn renamed(name: &str) -> impl FnOnce(String) -> String {
    move |text| text.replace("name: demo", &format!("name: {name}"))
}

#[tokio::test]
async fn an_edited_policy_allows_without_a_fetch_and_denies_after_one() {
    let mut world = world().await;
    let image = world.push("team/app");
    world.sign(&image);
    assert_eq!(world.judged(&image, NOW).await.0, Reason::Signed);
    for (minutes, name) in ["one", "two", "three"].into_iter().enumerate() {
        world.edit(renamed(name));
        let minutes = u64::try_from(minutes).expect("few");
        assert_eq!(world.judged(&image, NOW + 60 * minutes).await, (Reason::Signed, 0), "{name}");
    }

    // Stricter: the registry may have what is missing, and is asked once for all edits of the next fifteen seconds.
    let other = Signer::generate().expect("a key");
    let later = NOW + HOURS;
    world.demand("strict", &other);
    let (reason, asked) = world.judged(&image, later).await;
    assert_eq!((reason, asked > 0), (Reason::SignatureMissing, true));
    let per_reading = asked;
    for (second, name) in ["stricter", "even-stricter", "strict", "strictest"].into_iter().enumerate() {
        world.demand(name, &other);
        let second = u64::try_from(second).expect("few");
        assert_eq!(world.judged(&image, later + second).await, (Reason::SignatureMissing, 0), "{name}");
    }
    assert_eq!(world.judged(&image, later + 14).await, (Reason::SignatureMissing, 0), "fresh for fifteen seconds");
    other.sign_bundle(&world.registry, &image.manifest).expect("signs");
    world.demand("strict-again", &other);
    assert_eq!(world.judged(&image, later + 14).await, (Reason::SignatureMissing, 0));
    world.demand("and-again", &other);
    let (reason, asked) = world.judged(&image, later + 15).await;
    assert_eq!((reason, asked > per_reading), (Reason::Signed, true), "signed meanwhile, as the one reading finds");
    world.demand("at-last", &other);
    assert_eq!(world.judged(&image, later + 16).await, (Reason::Signed, 0));
}

#[tokio::test]
async fn an_allow_that_is_no_longer_fresh_is_judged_again_from_memory_until_its_evidence_is_too_old() {
    let world = world().await;
    let image = world.push("team/app");
    world.sign(&image);
    let (reason, per_reading) = world.judged(&image, NOW).await;
    assert_eq!(reason, Reason::Signed);
    for hours in [6, 12, 18] {
        assert_eq!(world.judged(&image, NOW + hours * HOURS - 1).await, (Reason::Signed, 0), "a verdict in memory");
        assert_eq!(world.judged(&image, NOW + hours * HOURS).await, (Reason::Signed, 0), "judged again");
    }
    let text = world.judge.metrics.render();
    for line in [
        r#"countersign_evidence_cache_requests_total{result="hit"} 3"#,
        r#"countersign_evidence_cache_requests_total{result="miss"} 1"#,
        r#"countersign_verifications_total{result="verified"} 4"#,
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    assert_eq!(world.judged(&image, NOW + 24 * HOURS).await, (Reason::Signed, per_reading), "read anew");
}

#[tokio::test]
async fn no_allow_outlives_its_evidence_whatever_becomes_of_the_policy() {
    let mut world = world().await;
    let image = world.push("team/app");
    world.sign(&image);
    assert_eq!(world.judged(&image, NOW).await.0, Reason::Signed);
    world.break_down(true);
    world.edit(renamed("late"));
    let end = NOW + 24 * HOURS;
    assert_eq!(world.judged(&image, end - 1).await, (Reason::Signed, 0));
    // It was decided a second ago and might go on for six hours: its evidence is a day old.
    let (reason, asked) = world.judged(&image, end).await;
    assert_eq!((reason, asked > 0), (Reason::EvidenceUnreadable, true));
    world.edit(renamed("too-late"));
    assert_eq!(world.judged(&image, end).await.0, Reason::EvidenceUnreadable);
}

#[tokio::test]
async fn a_revoked_key_does_not_count_from_memory_either() {
    let mut world = world().await;
    let image = world.push("team/app");
    world.sign(&image);
    assert_eq!(world.judged(&image, NOW).await.0, Reason::Signed);
    let fingerprint = crate::policy::PublicKey::from_pem(&world.signer.public_key_pem()).expect("a key").fingerprint();
    let revoked = |text| format!("{text}revoked: {{ keys: [ \"{fingerprint}\" ] }}\n");
    world.break_down(true);
    world.edit(revoked);
    assert_eq!(world.judged(&image, NOW + 60).await.0, Reason::EvidenceUnreadable, "unconfirmed, so not a no; no yes");
    world.break_down(false);
    let (reason, asked) = world.judged(&image, NOW + 61).await;
    assert_eq!((reason, asked > 0), (Reason::SignatureMissing, true));
    world.edit(|text| text);
    assert_eq!(world.judged(&image, NOW + 62).await, (Reason::Signed, 0), "the revocation was taken back");
}

#[tokio::test]
async fn a_policy_that_wants_other_sources_reads_them() {
    let mut world = world().await;
    let image = world.push("team/app");
    world.signer.sign_legacy(&world.registry, &image.manifest).expect("signs");
    world.sign(&image);
    let formats = |formats: &'static str| {
        move |text: String| text.replace("formats: [ bundle, legacy ]", &format!("formats: [ {formats} ]"))
    };
    world.edit(formats("bundle"));
    assert_eq!(world.judged(&image, NOW).await.0, Reason::Signed);
    world.edit(formats("legacy"));
    let (reason, asked) = world.judged(&image, NOW).await;
    assert_eq!((reason, asked > 0), (Reason::Signed, true), "legacy signatures had not been looked for");
    world.edit(formats("bundle, legacy"));
    assert!(world.judged(&image, NOW).await.1 > 0, "nor both");
    world.edit(|text| formats("bundle")(renamed("narrow")(text)));
    assert_eq!(world.judged(&image, NOW).await, (Reason::Signed, 0));
}

#[tokio::test]
async fn a_denial_that_cannot_be_confirmed_is_a_503_that_rests() {
    let mut world = world().await;
    let image = world.push("team/app");
    world.sign(&image);
    assert_eq!(world.judged(&image, NOW).await.0, Reason::Signed);
    world.break_down(true);
    let other = Signer::generate().expect("a key");
    world.demand("strict", &other);
    let (reason, asked) = world.judged(&image, NOW + 60).await;
    assert_eq!((reason, asked > 0), (Reason::EvidenceUnreadable, true));
    assert_eq!(world.judged(&image, NOW + 60).await, (Reason::EvidenceUnreadable, 0));
    // What was held is held still: who demands no more than it gives is served.
    world.edit(renamed("as-before"));
    assert_eq!(world.judged(&image, NOW + 60).await, (Reason::Signed, 0));
}

#[tokio::test]
async fn after_a_restart_what_was_read_is_judged_under_any_policy_without_a_request() {
    let mut world = world().await;
    let image = world.push("team/app");
    world.sign(&image);
    world.signer.sign_legacy(&world.registry, &image.manifest).expect("signs");
    assert_eq!(world.judged(&image, NOW).await.0, Reason::Signed);
    world.restart_when_written().await;
    assert_eq!(world.judged(&image, NOW + HOURS).await, (Reason::Signed, 0), "its verdict is in the store");
    for (name, formats) in [("bundles", "bundle"), ("tags", "legacy")] {
        world.restart_when_written().await;
        let formats = format!("formats: [ {formats} ]");
        world.edit(|text| renamed(name)(text).replace("formats: [ bundle, legacy ]", &formats));
        world.break_down(true);
        assert_eq!(world.judged(&image, NOW + 2 * HOURS).await, (Reason::Signed, 0), "{name}");
        world.break_down(false);
    }
    let text = world.judge.metrics.render();
    for line in [
        r#"countersign_evidence_cache_requests_total{result="stored"} 2"#,
        r#"countersign_evidence_cache_requests_total{result="miss"} 1"#,
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    // A day after it was read, whatever became of proxies and policies, it allows nothing.
    world.restart_when_written().await;
    world.edit(renamed("too-late"));
    world.break_down(true);
    assert_eq!(world.judged(&image, NOW + 24 * HOURS).await.0, Reason::EvidenceUnreadable);
}

/// O65.
#[tokio::test]
async fn a_denial_on_what_was_stored_is_confirmed_once_whatever_the_restarts() {
    let mut world = world().await;
    let image = world.push("team/app");
    world.sign(&image);
    let per_reading = world.judged(&image, NOW).await.1;
    let (other, later) = (Signer::generate().expect("a key"), NOW + HOURS);
    for (second, name, readings) in [(0, "strict", 1), (1, "stricter", 0), (14, "strictest", 0), (15, "again", 1)] {
        world.restart_when_written().await;
        world.demand(name, &other);
        let judged = world.judged(&image, later + second).await;
        assert_eq!(judged, (Reason::SignatureMissing, readings * per_reading), "{name}");
    }
    other.sign_bundle(&world.registry, &image.manifest).expect("signs");
    world.restart_when_written().await;
    world.demand("signed", &other);
    let (reason, asked) = world.judged(&image, later + 30).await;
    assert_eq!((reason, asked > per_reading), (Reason::Signed, true), "what was stored lacked it");
    world.restart_when_written().await;
    world.demand("as-strict", &other);
    assert_eq!(world.judged(&image, later + 31).await, (Reason::Signed, 0), "and has it now");
}

#[tokio::test]
async fn a_store_of_another_key_or_without_a_piece_costs_a_reading_and_heals() {
    let mut world = world().await;
    let image = world.push("team/app");
    world.sign(&image);
    let per_reading = world.judged(&image, NOW).await.1;
    world.restart_when_written().await;
    world.judge_mut().seal = Arc::new(Seal::random().expect("randomness"));
    world.restart();
    assert_eq!(world.judged(&image, NOW).await, (Reason::Signed, per_reading));
    world.restart_when_written().await;
    world.edit(renamed("edited"));
    assert_eq!(world.judged(&image, NOW).await, (Reason::Signed, 0));
    let text = world.judge.metrics.render();
    let line = r#"countersign_store_records_rejected_total{cause="seal",shelf="evidence"} 1"#;
    assert!(text.lines().any(|one| one == line), "{line}\n{text}");
}
