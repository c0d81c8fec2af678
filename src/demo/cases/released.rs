//! The rows of what is released, for which the policy wants more than a signature.

use std::io;

use serde_json::Value;

use super::{Case, TAG, push, signature};
use crate::demo::images::Stored;
use crate::demo::predicates::{TYPES, banned, critical, foreign, provenance, sbom, scan};
use crate::demo::registry::Registry;
use crate::demo::signer::attestation_statement;
use crate::demo::signers::Signers;
use crate::demo::sigstore::Content;
use crate::reason::Reason;

/// What is attested: a bill of materials, a scan, provenance.
type Attested = [Option<Value>; 3];

/// What our pipeline signed and attested, once as it must be and then with one thing wrong.
pub(super) fn released(registry: &Registry, signers: &Signers, signing: bool, cases: &mut Vec<Case>) -> io::Result<()> {
    let today = signers.now - HOUR;
    let good = || -> io::Result<Attested> { Ok([Some(sbom()?), Some(scan(today)?), Some(provenance()?)]) };
    let with = |index: usize, value: Option<Value>| -> io::Result<Attested> {
        let mut attested = good()?;
        attested[index] = value;
        Ok(attested)
    };
    let app = push(registry, "release/app").manifest;
    if signing {
        attest(registry, signers, &app, good()?)?;
    }
    cases.push(Case::manifest(&app, TAG, "signed, listed, scanned and built as it must be", Reason::Signed));
    let missing = Some(Reason::PredicateTypeMismatch);
    for (name, shows, attested, reason, cause) in [
        ("signed", "only signed", [None, None, None], Reason::AttestationMissing, missing),
        ("unlisted", "no bill of materials", with(0, None)?, Reason::AttestationMissing, missing),
        ("banned", "a banned package in it", with(0, Some(banned()?))?, Reason::ConditionFalse, None),
        ("unscanned", "no scan", with(1, None)?, Reason::AttestationMissing, missing),
        ("stale", "scanned 8 days ago, logged today", with(1, Some(scan(today - 8 * DAY)?))?, Reason::TooOld, None),
        ("critical", "a critical vulnerability", with(1, Some(critical(today)?))?, Reason::ConditionFalse, None),
        ("unbuilt", "no provenance", with(2, None)?, Reason::AttestationMissing, missing),
        ("foreign", "built by somebody else", with(2, Some(foreign()?))?, Reason::ConditionFalse, None),
    ] {
        let image = push(registry, &format!("release/{name}")).manifest;
        attest(registry, signers, &image, attested)?;
        cases.push(Case { cause, ..Case::manifest(&image, TAG, shows, reason) });
        if name == "banned" {
            let served = Case::manifest(&image, TAG, "the same, with `serve --audit`", Reason::Audited);
            cases.push(Case { audited: true, ..served });
        }
    }
    Ok(())
}

/// Signs `image` as our pipeline does, and attests this about it.
fn attest(registry: &Registry, signers: &Signers, image: &Stored, attested: Attested) -> io::Result<()> {
    let pipeline = signers.pipeline("myorg/app")?;
    pipeline.sign(signature(image))?.store_bundle(registry, image);
    for (predicate_type, predicate) in TYPES.into_iter().zip(attested) {
        if let Some(predicate) = predicate {
            let statement = attestation_statement(&image.repository, image.digest, predicate_type, &predicate);
            pipeline.sign(Content::statement(&statement))?.store_bundle(registry, image);
        }
    }
    Ok(())
}

/// What nobody signed, and what an exemption once covered.
pub(super) fn exempt(registry: &Registry, cases: &mut Vec<Case>) {
    let [incident, overdue] = ["release/incident", "release/overdue"].map(|name| push(registry, name).manifest);
    cases.extend([
        Case::manifest(&incident, TAG, "not signed, but exempt for four hours", Reason::Exempt),
        Case::manifest(&overdue, TAG, "not signed, and no longer exempt", Reason::ExemptionExpired)
            .because(Reason::Unsigned),
    ]);
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
