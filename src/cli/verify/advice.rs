//! What to do next, for people at a command line: at most a few sentences.

use super::report::{AuthorityReport, Report};
use super::requirement::{Node, Value, What};
use crate::oci::{Reference, Registry};
use crate::reason::{Class, Reason};
use crate::route::ManifestPull;

/// What would change the answer of `report`, or nothing where it is a yes.
pub(super) fn advice(report: &Report, pull: &ManifestPull, configured: &[Registry]) -> Vec<String> {
    let mut next = Vec::new();
    match report.reason {
        Reason::Audited => {
            next.push("Audit mode serves it for now; before it ends:".into());
            next.extend(report.cause.into_iter().flat_map(|cause| by_reason(cause, report, pull, configured)));
        }
        Reason::ExemptionExpired => {
            next.extend(report.cause.into_iter().flat_map(|cause| by_reason(cause, report, pull, configured)));
            next.extend(Reason::ExemptionExpired.next_step().map(sentence));
        }
        reason => next.extend(by_reason(reason, report, pull, configured)),
    }
    let by_digest = matches!(pull.reference, Reference::Digest(_));
    if by_digest
        && report.kind == Some("image")
        && report.reason.class() == Class::Deny
        && report.reason != Reason::Revoked
    {
        next.push("If a signed index lists it, the proxy serves it once the index is pulled: verify the index.".into());
    }
    next
}

fn by_reason(reason: Reason, report: &Report, pull: &ManifestPull, configured: &[Registry]) -> Vec<String> {
    let content = report.digest.map_or_else(|| report.reference.clone(), |digest| pull.image.at(digest).to_string());
    let one = match reason {
        Reason::Unsigned | Reason::SignatureMissing | Reason::AttestationMissing | Reason::ThresholdNotMet => {
            return missing(report, &content);
        }
        Reason::RegistryUnknown => {
            let names: Vec<_> = configured.iter().map(|name| format!("`{name}`")).collect();
            format!("Name one of the configured `upstreams`, {}, or configure this one.", names.join(", "))
        }
        Reason::UpstreamCredentialsRejected => {
            "Give credentials that may read it: `credentials` in the configuration, or `--docker-config`.".into()
        }
        reason => return reason.next_step().map(sentence).into_iter().collect(),
    };
    vec![one]
}

fn sentence(step: &str) -> String {
    let mut letters = step.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).chain(['.']).collect())
}

/// For each demand that fails: who would have to sign what, and what is wrong with the nearest piece.
fn missing(report: &Report, content: &str) -> Vec<String> {
    let mut next = Vec::new();
    let policies = report.judged.policies.iter().filter(|policy| !policy.exempt);
    for leaf in policies.flat_map(|policy| failing(&policy.require)) {
        let (verb, by) = match &leaf.what {
            What::Attestation { by, predicate_type, .. } => {
                (format!("attest --type {predicate_type} --predicate FILE"), by)
            }
            What::Signature { by, .. } => ("sign".into(), by),
            What::AllOf | What::AnyOf | What::AtLeast { .. } => continue,
        };
        let authority = report.authorities.iter().find(|authority| authority.name == *by);
        next.push(match authority {
            Some(AuthorityReport { identity: Some(identity), issuer: Some(issuer), .. }) => {
                format!("As {identity} of {issuer}: cosign {verb} {content}")
            }
            _ => format!("With the private key of `{by}`: cosign {verb} --key KEY {content}"),
        });
        next.extend(leaf.judgement.cause.and_then(|cause| nearest(cause, by)));
    }
    next.dedup();
    next.truncate(MOST);
    next
}

fn failing(node: &Node) -> Vec<&Node> {
    match node.of.as_slice() {
        [] if node.judgement.value == Value::Fails => vec![node],
        branches => branches.iter().flat_map(failing).collect(),
    }
}

/// What else may be the matter, where there is evidence that does not count.
fn nearest(cause: Reason, by: &str) -> Option<String> {
    Some(match cause {
        Reason::KeyMismatch => format!("If the key that signed may sign too, add it to `{by}`."),
        Reason::IdentityMismatch | Reason::IssuerMismatch | Reason::ExtensionMismatch => {
            format!("If who signed may sign too, let `{by}` name them.")
        }
        Reason::SubjectMismatch => "What is attached was made for another digest and cannot be moved.".into(),
        Reason::PredicateTypeMismatch => "What is attached says something else: an attestation is no signature.".into(),
        Reason::FormatNotAccepted => "It is there in a format that the policy's `formats` leave out.".into(),
        Reason::LogEntryMissing => {
            format!(
                "`{by}` demands a transparency log entry: sign with the log, or spell out `insecureSkipTransparencyLog`."
            )
        }
        _ => return None,
    })
}

/// Lines of advice.
const MOST: usize = 6;
