//! Evidence in other repositories, as cosign writes it under `COSIGN_REPOSITORY`: read as well as beside the image.
//!
//! Cosign appends nothing to the repository that it is given: the tags of all images, and the referrers of manifests
//! that are not there, stand in that one repository. All places are read at once, but each counts for those policies only
//! that look there, as does what could not be read in it: another policy could allow more otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Place;
use crate::evidence::Unread;
use crate::oci::{Image, Registry};
use crate::reason::Reason;
use crate::upstream::Upstream;

/// The image's own repository and those `elsewhere`, each once; and those that cannot be asked.
pub(super) fn places<'a>(
    upstreams: &'a BTreeMap<Registry, Arc<Upstream>>,
    own: &'a Image,
    elsewhere: &'a [Image],
) -> (Vec<Place<'a, Upstream>>, Vec<Unread>) {
    let (mut places, mut unknown) = (Vec::new(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    for image in std::iter::once(own).chain(elsewhere).filter(|image| seen.insert(image.to_string())) {
        let name = (image != own).then(|| image.to_string());
        if let Some(source) = upstreams.get(&image.registry) {
            places.push(Place { source: &**source, repository: &image.repository, name });
        } else {
            let why = format!("the registry `{}` is not among the `upstreams`", image.registry);
            let unread = Unread::new(image.to_string(), Reason::EvidenceUnreadable, &why);
            unknown.push(Unread { elsewhere: name.map(Into::into), ..unread });
        }
    }
    (places, unknown)
}

/// Shares `total` out to places that list so many pieces each: who lists few leaves the rest to others, and a flood in
/// one place takes nothing from what another may have.
pub(super) fn shares(total: usize, listed: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..listed.len()).collect();
    order.sort_by_key(|at| listed[*at]);
    let (mut left, mut shares) = (total, vec![0; listed.len()]);
    for (served, at) in order.into_iter().enumerate() {
        shares[at] = listed[at].min(left / (listed.len() - served));
        left -= shares[at];
    }
    shares
}
