//! A fleet: replicas that share a Redis behind nginx. They verify once for all, answer for each other, and neither they
//! nor their store can be killed, held still or filled so that a wrong answer comes.

mod flip;
mod herd;
mod kills;
mod members;
mod outages;

use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::lab::{Cell, Lab};
use crate::support::registry::Kind;

/// Where the images come from.
fn lab() -> &'static Lab {
    Cell { containerd: Version::V2, registry: Kind::Referrers, cosign: Cosign::Bundle }.lab()
}
