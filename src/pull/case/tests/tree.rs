//! Chance requirements, and others that demand more than they do.

use crate::test_support::Dice;

use super::world::{AUTHORITIES, SBOM, SCAN};

#[derive(Debug, Clone)]
pub(super) enum Tree {
    All(Vec<Self>),
    Any(Vec<Self>),
    AtLeast(u64, Vec<Self>),
    Leaf(Leaf),
}

#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) by: &'static str,
    pub(super) platform: bool,
    /// Nothing for a signature.
    pub(super) attestation: Option<Attestation>,
}

#[derive(Debug, Clone)]
pub(super) struct Attestation {
    kind: &'static str,
    pub(super) select: &'static str,
    condition: Option<&'static str>,
    max_age: Option<&'static str>,
    age_from: bool,
}

/// Their values differ from piece to piece, and one is an error for some of them.
const CONDITIONS: [&str; 4] =
    ["predicate.n == 0", "predicate.n < 2", "predicate.n == 'none' || predicate.n > 0", "true"];

impl Tree {
    pub(super) fn any(dice: &mut Dice) -> Self {
        let depth = dice.pick(&[&0, &0, &1, &3]);
        Self::of_depth(dice, *depth)
    }

    fn of_depth(dice: &mut Dice, depth: u64) -> Self {
        if depth == 0 || dice.below(3) == 0 {
            return Self::Leaf(Leaf::any(dice));
        }
        let of: Vec<_> = (0..=dice.below(3)).map(|_| Self::of_depth(dice, depth - 1)).collect();
        match dice.below(4) {
            0 => Self::All(of),
            1 | 2 => Self::Any(of),
            _ => Self::AtLeast(1 + dice.below(of.len() as u64), of),
        }
    }

    /// The same where every attestation is selected so.
    pub(super) fn selecting(&self, select: &'static str) -> Self {
        match self {
            Self::All(of) => Self::All(of.iter().map(|tree| tree.selecting(select)).collect()),
            Self::Any(of) => Self::Any(of.iter().map(|tree| tree.selecting(select)).collect()),
            Self::AtLeast(n, of) => Self::AtLeast(*n, of.iter().map(|tree| tree.selecting(select)).collect()),
            Self::Leaf(leaf) => {
                let attestation = leaf.attestation.clone();
                let attestation = attestation.map(|attestation| Attestation { select, ..attestation });
                Self::Leaf(Leaf { attestation, ..*leaf })
            }
        }
    }

    /// One that demands more somewhere, or the same. In a threshold nothing is put beside a leaf: who signs that, too, is
    /// one more to be counted.
    pub(super) fn stricter(&self, dice: &mut Dice) -> Self {
        self.with_more(dice, false)
    }

    fn with_more(&self, dice: &mut Dice, counted: bool) -> Self {
        let more = |dice: &mut Dice, of: &[Self], counted| -> Vec<Self> {
            of.iter().map(|tree| if dice.coin() { tree.with_more(dice, counted) } else { tree.clone() }).collect()
        };
        match self {
            Self::All(of) => {
                let mut of = more(dice, of, counted);
                if !counted && dice.coin() {
                    of.push(Self::of_depth(dice, 1));
                }
                Self::All(of)
            }
            Self::Any(of) => {
                let mut of = more(dice, of, counted);
                if of.len() > 1 && dice.coin() {
                    of.remove(usize::try_from(dice.below(of.len() as u64)).expect("small"));
                }
                Self::Any(of)
            }
            Self::AtLeast(n, of) => {
                let n = if dice.coin() { (n + 1).min(of.len() as u64) } else { *n };
                Self::AtLeast(n, more(dice, of, true))
            }
            Self::Leaf(leaf) if counted || dice.coin() => Self::Leaf(leaf.stricter(dice)),
            Self::Leaf(_) => Self::All(vec![self.clone(), Self::of_depth(dice, 1)]),
        }
    }

    /// As the policy file writes it.
    pub(super) fn text(&self) -> String {
        let list = |of: &[Self]| of.iter().map(Self::text).collect::<Vec<_>>().join(", ");
        match self {
            Self::All(of) => format!("{{ allOf: [ {} ] }}", list(of)),
            Self::Any(of) => format!("{{ anyOf: [ {} ] }}", list(of)),
            Self::AtLeast(n, of) => format!("{{ atLeast: {{ n: {n}, of: [ {} ] }} }}", list(of)),
            Self::Leaf(leaf) => leaf.text(),
        }
    }
}

impl Leaf {
    fn any(dice: &mut Dice) -> Self {
        let by = dice.pick(&AUTHORITIES);
        let attestation = (dice.below(3) > 0).then(|| {
            let rarely = |dice: &mut Dice| dice.below(3) == 0;
            let attestation = Attestation {
                kind: dice.pick(&[SBOM, SBOM, SCAN]),
                select: dice.pick(&["newest", "any", "all"]),
                condition: dice.coin().then(|| dice.pick(&CONDITIONS)),
                max_age: rarely(dice).then(|| dice.pick(&["30h", "6d", "30d"])),
                age_from: dice.coin(),
            };
            attestation.loadable(by)
        });
        Self { by, platform: dice.below(4) == 0, attestation }
    }

    fn stricter(&self, dice: &mut Dice) -> Self {
        let attestation = self.attestation.clone().map(|mut attestation| {
            let select = attestation.select;
            match dice.below(3) {
                0 => attestation.condition = attestation.condition.or(Some(dice.pick(&CONDITIONS))),
                1 => attestation.max_age = Some(if attestation.max_age == Some("30d") { "6d" } else { "30h" }),
                _ => attestation.select = if select == "any" { "newest" } else { "all" },
            }
            attestation
        });
        let stricter = Self { attestation, ..*self };
        // A key's age needs the field that says it: without it, it would be another order and no stricter one.
        match &stricter.attestation {
            Some(attestation) if attestation.clone().loadable(self.by).age_from != attestation.age_from => self.clone(),
            _ => stricter,
        }
    }

    fn text(&self) -> String {
        let on = if self.platform { "platform" } else { "index" };
        let Some(Attestation { kind, select, condition, max_age, age_from }) = &self.attestation else {
            return format!("{{ signature: {{ by: {}, on: {on} }} }}", self.by);
        };
        let mut text = format!("{{ attestation: {{ by: {}, on: {on}, type: \"{kind}\", select: {select}", self.by);
        let keys =
            [("condition", condition.map(|text| format!("\"{text}\""))), ("maxAge", max_age.map(str::to_string))];
        for (key, value) in keys {
            text.extend(value.map(|value| format!(", {key}: {value}")));
        }
        text + if *age_from { ", ageFrom: at } }" } else { " } }" }
    }
}

impl Attestation {
    /// The same, so that a policy file may say it of this authority.
    fn loadable(mut self, by: &str) -> Self {
        let orders = self.condition.is_some() && self.select == "newest";
        self.age_from |= by != "ci" && (self.max_age.is_some() || orders);
        self
    }
}

/// A policy that governs the subject.
pub(super) fn policy(name: &str, mode: &str, tree: &Tree, also: &str) -> String {
    let require = tree.text();
    format!("{{ name: {name}, match: [ \"r.io/**\" ], mode: {mode}, require: {require}{also} }}")
}

/// Something else that a policy may say.
pub(super) fn more(dice: &mut Dice) -> &'static str {
    dice.pick(&["", "", ", formats: [ bundle ]", ", evidence: { repository: r.io/evidence }"])
}
