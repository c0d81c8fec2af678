//! When it was signed, as far as somebody vouches for that: certificates count only then.

use super::*;

#[test]
pub(super) fn b23_every_trusted_time_counts() {
    let stage = Stage::keyless();
    let recipe = SIGSTORE.stamped(myorg());
    stage.good(&recipe);
    let at = |integrated_at: i64, stamped_at: i64| {
        bundle(&Recipe { integrated_at, stamped_at, ..recipe.clone() }.sign(statement()).expect("signs"))
    };
    stage.accepts(&at(NOW, NOW + 600));
    stage.refuses([
        ("entered too late", at(NOW + 601, NOW + 1), CertificateExpired),
        ("entered too early", at(NOW - 1, NOW + 1), CertificateExpired),
        ("stamped too late", at(NOW + 1, NOW + 601), CertificateExpired),
        ("stamped too early", at(NOW + 1, NOW - 1), CertificateExpired),
    ]);
    let present = Stage { now: super::at(NOW + 10), ..stage };
    present.accepts(&at(NOW + 1, NOW + 2));
    present.refuses([("entered in the future", at(NOW + 500, NOW + 1), TimestampInvalid)]);
}

/// Without a log, a stamp is all that there is, and it must verify.
#[test]
pub(super) fn b30_a_stamp_alone_is_a_time_only_if_it_verifies() {
    let stage = Stage { log: false, ..Stage::keyless() };
    let recipe = Recipe { logs: vec![], ..SIGSTORE.stamped(myorg()) };
    let good = stage.good(&recipe);
    let legacy_good = recipe.sign(payload()).expect("signs");
    stage.accepts(&legacy(&legacy_good));
    let theirs = foreign().tsa.stamp(&good.signature, NOW + 1).expect("signs");
    stage.refuses([
        ("none", bundle(&Pieces { stamps: vec![], ..good.clone() }), TimestampMissing),
        ("by another", bundle(&Pieces { stamps: vec![theirs], ..good.clone() }), TimestampInvalid),
        ("legacy, none", legacy(&Pieces { stamps: vec![], ..legacy_good }), TimestampMissing),
    ]);
    let rootless = stage.with_root("/timestampAuthorities", json!([]));
    rootless.refuses([("nobody to verify it", bundle(&good), TimestampMissing)]);
}

#[test]
pub(super) fn o27_an_expired_certificate_without_a_trusted_time() {
    let stage = Stage::keyless();
    let good = stage.good(&myorg());
    let mut unpromised = good.clone();
    unpromised.entries[0].promise = None;
    let mut reset = good;
    reset.entries[0].integrated_at = None;
    stage.refuses([
        ("only the log's untrusted word", bundle(&unpromised), TimestampMissing),
        ("a promise without a time", bundle(&reset), TimestampMissing),
    ]);
    let unlogged = Stage { log: false, ..stage };
    unlogged.good(&Recipe { logs: vec![], ..SIGSTORE.stamped(myorg()) });
    let untimed = Recipe { logs: vec![], ..myorg() }.sign(statement()).expect("signs");
    unlogged.refuses([("nothing at all", bundle(&untimed), TimestampMissing)]);
    // Not even while it lasts: nobody says when.
    let fresh = Stage { now: at(NOW + 1), ..unlogged };
    fresh.refuses([("while it lasts", bundle(&untimed), TimestampMissing)]);
}

#[test]
pub(super) fn o28_times_before_the_certificate_and_in_the_future() {
    let stage = Stage::keyless();
    let recipe = SIGSTORE.with_rekor_v2(myorg());
    let at = |stamped_at: i64| bundle(&Recipe { stamped_at, ..recipe.clone() }.sign(statement()).expect("signs"));
    stage.accepts(&at(NOW));
    stage.refuses([("not yet valid", at(NOW - 1), CertificateExpired), ("no more", at(NOW + 601), CertificateExpired)]);
    let early = Stage { now: super::at(NOW), ..stage.clone() };
    early.accepts(&at(NOW + 30));
    early.refuses([("stamped in the future", at(NOW + 300), TimestampInvalid)]);
    let logged = bundle(&Recipe { integrated_at: NOW + 300, ..myorg() }.sign(statement()).expect("signs"));
    stage.accepts(&logged);
    early.refuses([("logged in the future", logged, TimestampInvalid)]);
}

#[test]
pub(super) fn o29_two_trusted_times_of_which_one_is_outside() {
    let stage = Stage::keyless();
    let good = stage.good(&SIGSTORE.with_rekor_v2(myorg()));
    let later = SIGSTORE.tsa.stamp(&good.signature, NOW + 601).expect("signs");
    let within = SIGSTORE.tsa.stamp(&good.signature, NOW + 599).expect("signs");
    let with = |second: Vec<u8>| bundle(&Pieces { stamps: vec![good.stamps[0].clone(), second], ..good.clone() });
    stage.accepts(&with(within));
    stage.refuses([("the second outside", with(later.clone()), CertificateExpired)]);
    let first = Pieces { stamps: vec![later, good.stamps[0].clone()], ..good.clone() };
    stage.refuses([("the first outside", bundle(&first), CertificateExpired)]);
}

/// What others vouch for counts, whatever the proxy's own clock says; but nothing counts before it happens.
#[test]
pub(super) fn o75_a_clock_that_is_a_year_wrong() {
    const YEAR: i64 = 365 * 24 * 3600;
    for recipe in [myorg(), SIGSTORE.with_rekor_v2(myorg())] {
        let good = bundle(&recipe.sign(statement()).expect("signs"));
        let late = bundle(
            &Recipe { integrated_at: NOW + 601, stamped_at: NOW + 601, ..recipe }.sign(statement()).expect("signs"),
        );
        for wrong in [YEAR, 10 * YEAR] {
            let ahead = Stage { now: at(NOW + wrong), ..Stage::keyless() };
            ahead.accepts(&good);
            ahead.refuses([("signed after the certificate's end", late.clone(), CertificateExpired)]);
            let behind = Stage { now: at(NOW - wrong), ..Stage::keyless() };
            behind.refuses([("not signed yet", good.clone(), TimestampInvalid)]);
        }
    }
}
