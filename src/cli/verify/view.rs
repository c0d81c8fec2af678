//! What was seen of an image, as one policy looks at it: at the manifest itself, or at one image that an index lists.

use crate::examined::{Children, Part};
use crate::policy::{Leaf, On, Policy, Shortfall, Truth};
use crate::pull::{Considered, Sight};
use crate::reason::{Class, Reason};

/// One policy's look.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    sight: &'a Sight,
    policy: &'a Policy,
    /// The image that is looked at, of those that an index lists.
    part: Option<&'a Part>,
}

impl<'a> View<'a> {
    /// `policy` on the manifest itself.
    pub(super) fn of(sight: &'a Sight, policy: &'a Policy) -> Self {
        Self { sight, policy, part: None }
    }

    /// The same on each image that it lists, if the policy asks for them and they could be read.
    pub(super) fn platforms(&self) -> Vec<Self> {
        match &self.sight.examined().children {
            Children::Read(parts) if self.policy.require().asks_platforms() => {
                parts.iter().map(|part| Self { part: Some(part), ..*self }).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The image that is looked at, of those that an index lists.
    pub(super) fn part(&self) -> Option<&'a Part> {
        self.part
    }

    /// What all that the policy demands comes to.
    pub(super) fn whole(&self) -> Truth {
        self.sight.required(self.policy)
    }

    /// What one demand comes to; of an index whose images are asked for, on all of them.
    pub(super) fn weigh(&self, leaf: &Leaf) -> Truth {
        let on = |part| self.sight.weigh(self.policy, leaf, part);
        if let Some(part) = self.looked_at(leaf) {
            return on(part);
        }
        match &self.sight.examined().children {
            Children::Read(parts) => {
                let none = || Shortfall {
                    reason: Reason::ChildDenied,
                    cause: None,
                    detail: "the index lists no image, and an image is required".into(),
                };
                parts.iter().map(on).reduce(Truth::and).unwrap_or_else(|| Truth::Fails(none()))
            }
            Children::Unread(why) if why.reason.class() == Class::Deny => Truth::Fails(why.clone()),
            Children::Unread(why) => Truth::Unknown(why.clone()),
            Children::NotAsked => on(&self.sight.examined().own),
        }
    }

    /// The evidence that counts for one demand; of all images of an index together, none is told.
    pub(super) fn considered(&self, leaf: &Leaf) -> Vec<Considered<'a>> {
        let part = self.looked_at(leaf);
        part.map(|part| self.sight.considered(self.policy, leaf, part)).unwrap_or_default()
    }

    /// The one manifest that `leaf` is about here.
    fn looked_at(&self, leaf: &Leaf) -> Option<&'a Part> {
        let examined = self.sight.examined();
        match (leaf.on(), &examined.children) {
            (On::Index, _) | (On::Platform, Children::NotAsked) => Some(&examined.own),
            (On::Platform, _) => self.part,
        }
    }
}
