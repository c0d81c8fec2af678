//! The report for programs: one JSON document on one line. Members are added, never changed or taken away.
//!
//! ```text
//! reference   the image in full; `digest` what it named, null if that could not be told; `kind` image | index | null
//! outcome     allow | deny | unavailable | request, with `reason`, `cause`, `policy`, `detail`: the proxy's own words
//! policies    those that govern it: `name`, `mode` enforce | audit, `exempt`, what they come to (`value`, …), and `require`, a
//!               tree of nodes; `platforms`, if each image of an index is asked for: `platform`, `digest`, `require`
//!               `kind` allOf | anyOf | atLeast (`n`) with branches `of`, signature (`by`, `on`, `annotations`), attestation (`by`,
//!               `on`, `predicateType`, `select`, `condition`, `maxAge` in seconds, `ageFrom`)
//!               `value` holds | fails | unknown | notJudged, with `signers`, or `reason`, `cause`, `detail`
//!               `considered`: the evidence that counts for it: `location`, `format`, `signer`, `time`, whether it is `chosen`
//!               (the newest, say) and `satisfies` age and condition, or the `reason` and `detail`
//! evidenceRead  false if something else decided: an exemption, a revocation, no policy, a failing registry
//! evidence    each piece: `location`, `format` bundle | legacy,
//!               `claimed`: what it says of itself, verified by nobody; null if it is no evidence
//!               `said`: for each `authority` whether it is `verified`, and the `proof`, or the `reason` and `detail`
//!               `proof`: `statement`, `predicateType`, `signer`, `identity`, `issuer`, `extensions`, `time`, `logIndex`
//! unread      what could not be read: `location`, `reason`, `detail`; `incomplete` if a limit ended the reading
//! children    what an index lists, where that was judged too: `child` (its digest), `policies`, `evidence`, …
//! exemptions  those in force: `reason`, `expires`
//! authorities whose evidence is asked for: `name` and `keys` (fingerprints), or `issuer`, `identity`, `pins`
//! next        what to do, for people
//! ```

use std::io::{self, Write};

use super::report::Report;

/// Writes the document.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string(report)?)
}
