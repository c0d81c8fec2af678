//! Where a record stands in the file.

use aws_lc_rs::digest::{SHA256, digest};

use crate::store::{Place, Shelf};

/// A shelf and the SHA-256 of a name: keys of one length keep the tree flat. That two names never share one is not relied
/// on: what is read is authenticated against its whole name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot(pub(super) [u8; SPOT]);

/// Bytes of a spot.
pub(super) const SPOT: usize = 33;

impl Spot {
    /// The first byte of a list's.
    pub(super) const MEMBERS: u8 = rank(Shelf::Members);

    /// The spot of `place`.
    pub(super) fn of(place: &Place) -> Self {
        let mut spot = [0; SPOT];
        spot[0] = rank(place.shelf);
        spot[1..].copy_from_slice(digest(&SHA256, &place.name).as_ref());
        Self(spot)
    }

    /// The first byte: shelves in the order in which they are forgotten.
    pub(super) const fn rank(self) -> u8 {
        self.0[0]
    }
}

/// Evidence can be fetched again and verdicts come to again; without members a blob is refused until its image is pulled
/// again.
const fn rank(shelf: Shelf) -> u8 {
    match shelf {
        Shelf::Evidence => 0,
        Shelf::Verdicts => 1,
        Shelf::Leases => 2,
        Shelf::Members => 3,
    }
}
