//! Whether a trusted root has what the authorities demand of it. What it lacks could not be missing in a signature.

use super::Root;
use crate::policy::{Authority, Kind, Name, Policies};

/// What authorities of `policies` demand of the root `name` and `root` does not have.
pub(super) fn unmet(policies: &Policies, name: &Name, root: &Root) -> Vec<String> {
    let using = policies.authorities().filter(|authority| authority.trust_root() == Some(name));
    using.flat_map(|authority| lacking(authority, root)).collect()
}

fn lacking(authority: &Authority, root: &Root) -> Vec<String> {
    let (name, content) = (authority.name(), root.content());
    let keyless = matches!(authority.kind(), Kind::Keyless(_));
    let mut lacking = Vec::new();
    if keyless && content.certificate_authorities.is_empty() {
        lacking.push(format!("it has no certificate authority, and the keyless authority `{name}` needs one"));
    }
    if !authority.skips_transparency_log() && content.tlogs.is_empty() {
        lacking.push(format!(
            "it has no transparency log, and authority `{name}` demands an entry in one; `insecureSkipTransparencyLog: \
             true` would do without"
        ));
    }
    if keyless && !authority.skips_certificate_transparency() && content.ctlogs.is_empty() {
        lacking.push(format!(
            "it has no certificate transparency log, and authority `{name}` demands that certificates are in one; \
             `insecureSkipCertificateTransparency: true` would do without"
        ));
    }
    let timeless = content.tlogs.is_empty() && content.timestamp_authorities.is_empty();
    if keyless && authority.skips_transparency_log() && timeless {
        lacking.push(format!(
            "it has neither a transparency log nor a time stamp authority: nothing could say when a certificate of \
             `{name}` was used"
        ));
    }
    lacking
}
