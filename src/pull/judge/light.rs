//! Judgements that take less time than to have another thread make them.

use crate::policy::Leaf;
use crate::pull::Case;

/// Whether all that `case` may have to verify are a few signatures of the manifest by keys, over few bytes, of which no
/// log has to say anything.
pub(super) fn is_light(case: &Case) -> bool {
    let (policies, own) = (&case.snapshot.policies, &case.evidence.own.evidence);
    let keys = |leaf: &Leaf| match leaf {
        Leaf::Signature { by, .. } => {
            let authority = policies.authority(by).filter(|authority| authority.skips_transparency_log())?;
            Some(authority.keys().len()).filter(|keys| *keys > 0)
        }
        Leaf::Attestation(_) => None,
    };
    let leaves = case.governing.remaining().flat_map(|policy| policy.require().leaves());
    let keys: Option<usize> = leaves.map(keys).sum();
    let few = keys.is_some_and(|keys| keys.saturating_mul(own.candidates.len()) <= SIGNATURES);
    few && case.evidence.children.is_none() && own.size() <= BYTES
}

/// Each takes about as long as to wake a thread and to be woken by it.
const SIGNATURES: usize = 4;
const BYTES: usize = 32 << 10;
