//! What was looked at to judge one manifest: its own evidence, and for an index that of the manifests it lists.

use crate::clock::Timestamp;
use crate::evidence::Unread;
use crate::policy::Shortfall;
use crate::policy::condition::ImageFacts;
use crate::reason::Reason;
use crate::verify::Findings;

/// What was found about a manifest, and about those that it lists, as far as its policies ask.
#[derive(Debug, Clone)]
pub struct Examined {
    /// About the manifest itself.
    pub own: Part,
    /// About what it lists.
    pub children: Children,
}

/// What was found about one manifest.
#[derive(Debug, Clone)]
pub struct Part {
    /// The manifest, as conditions ask for it.
    pub image: ImageFacts,
    /// What an index says it is for, such as `linux/arm64`; for people.
    pub platform: String,
    /// What verification found.
    pub findings: Findings,
}

/// What an index lists.
#[derive(Debug, Clone)]
pub enum Children {
    /// It is no index, or nothing was asked about its children.
    NotAsked,
    /// Every image that it lists, at any depth.
    Read(Vec<Part>),
    /// Not all of them could be read, or one cannot be served, and why.
    Unread(Shortfall),
}

impl Part {
    /// How people call it: `linux/arm64 (sha256:…)`.
    pub fn name(&self) -> String {
        match self.platform.as_str() {
            "" => self.image.digest.to_string(),
            platform => format!("{platform} ({})", self.image.digest),
        }
    }
}

impl Examined {
    /// About a manifest that lists nothing of interest.
    pub fn alone(own: Part) -> Self {
        Self { own, children: Children::NotAsked }
    }

    /// What could not be read, and whether a limit ended the reading.
    pub fn missing(&self) -> (Vec<Unread>, bool) {
        let parts = || std::iter::once(&self.own).chain(self.read());
        let mut unread: Vec<_> = parts().flat_map(|part| part.findings.unread.iter().cloned()).collect();
        let mut incomplete = parts().any(|part| part.findings.incomplete);
        if let Children::Unread(why) = &self.children {
            incomplete |= why.reason == Reason::EvidenceIncomplete;
            if why.reason == Reason::EvidenceUnreadable {
                unread.push(Unread::new("what the index lists", why.reason, &why.detail));
            }
        }
        (unread, incomplete)
    }

    /// If all that is missing is missing because a registry or a TUF repository cannot be asked now: that reason.
    pub fn outage(&self) -> Option<Reason> {
        let of = |part: &Part| {
            let findings = &part.findings;
            let unread = findings.unread.iter().map(|unread| unread.reason);
            let unjudged = findings.unjudged.iter().map(|unjudged| unjudged.reason);
            let cut_off = findings.incomplete.then_some(Reason::EvidenceIncomplete);
            unread.chain(unjudged).chain(cut_off).collect::<Vec<_>>()
        };
        let listed = match &self.children {
            Children::Unread(why) => Some(why.cause.unwrap_or(why.reason)),
            Children::NotAsked | Children::Read(_) => None,
        };
        let mut missing = std::iter::once(&self.own).chain(self.read()).flat_map(of).chain(listed).peekable();
        let first = missing.peek().copied();
        first.filter(|_| missing.all(Reason::is_outage))
    }

    /// When the oldest of it was read.
    pub fn read_at(&self) -> Timestamp {
        self.read().iter().map(|part| part.findings.read_at).fold(self.own.findings.read_at, Timestamp::min)
    }

    fn read(&self) -> &[Part] {
        match &self.children {
            Children::Read(parts) => parts,
            Children::NotAsked | Children::Unread(_) => &[],
        }
    }
}
