//! What verification establishes: which authority signed which subject. What policy makes of it is not said here.

use crate::clock::Timestamp;
use crate::evidence::Unread;
use crate::policy::{Format, Name};
use crate::reason::Reason;

pub mod bundle;

pub mod simple_signing;

pub mod statement;

pub mod verified;

pub use verified::{Claim, Verified};

/// Everything that verification learned about one subject.
#[derive(Debug)]
pub struct Findings {
    /// What holds.
    pub verified: Vec<Verified>,
    /// What was found and does not count, for each authority that was tried.
    pub rejected: Vec<Rejected>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Whether a limit ended the reading early.
    pub incomplete: bool,
    /// When the evidence was read.
    pub read_at: Timestamp,
}

/// Why one candidate does not count for one authority. It never leaves as an answer by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// For whom it was tried.
    pub authority: Name,
    /// How it was stored.
    pub format: Format,
    /// Where it was found.
    pub location: String,
    /// Why it does not count.
    pub reason: Reason,
    /// The same for people.
    pub detail: String,
}
