//! What is remembered of a repository is what the text says of it, for any policies, images, digests and times.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::policy::file::parse;
use crate::test_support::{KEY_A, KEY_B};

/// A small generator of numbers: the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("a small number")
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn scopes(&mut self) -> String {
        let all = ["r.io/**", "r.io/*", "r.io/a", "r.io/a/**", "r.io/*/b", "s.io/**", "**", "r.io/team-*"];
        let scopes: Vec<_> = (0..=self.below(2)).map(|_| format!("'{}'", self.one(&all))).collect();
        scopes.join(", ")
    }

    fn instant(&mut self) -> u64 {
        86_400 * (1 + self.below(6) as u64)
    }

    /// A policy text, and how many policies it has.
    fn policies(&mut self) -> Policies {
        let mut text = String::from("authorities:\n");
        for (name, key) in [("a", &KEY_A), ("b", &KEY_B)] {
            let indented = key.public_pem().trim_end().replace('\n', "\n        ");
            let _ = write!(text, "  {name}:\n    key:\n      insecureSkipTransparencyLog: true\n");
            if self.below(2) == 0 {
                let _ = writeln!(text, "      notAfter: '{}'", Timestamp(self.instant()));
            }
            let _ = writeln!(text, "      inline: |\n        {indented}");
        }
        let policies = self.below(5);
        if policies > 0 {
            text.push_str("policies:\n");
        }
        for number in 0..policies {
            let (mode, by) = (self.one(&["enforce", "audit"]), self.one(&["a", "b"]));
            let _ = write!(text, "- name: p{number}\n  match: [ {} ]\n  mode: {mode}\n", self.scopes());
            if self.below(3) == 0 {
                let _ = writeln!(text, "  except: [ {} ]", self.scopes());
            }
            let _ = writeln!(text, "  require: {{ signature: {{ by: {by} }} }}");
        }
        let exemptions = self.below(4);
        if exemptions > 0 {
            text.push_str("exemptions:\n");
        }
        for number in 0..exemptions {
            let digest = format!("'r.io/**@{}', 'r.io/a@{}'", digest(self.below(3)), digest(self.below(3)));
            let scopes = match self.below(3) {
                0 => digest,
                1 => self.scopes(),
                _ => format!("{digest}, {}", self.scopes()),
            };
            let _ = writeln!(text, "- match: [ {scopes} ]\n  reason: because of {number}");
            if policies > 0 && self.below(2) == 0 {
                let _ = writeln!(text, "  policies: [ p{} ]", self.below(policies));
            }
            if self.below(2) == 0 {
                let _ = writeln!(text, "  expires: '{}'", Timestamp(self.instant()));
            }
        }
        if self.below(3) == 0 {
            let _ = writeln!(text, "revoked: {{ digests: [ '{}' ] }}", digest(self.below(3)));
        }
        let _ = writeln!(text, "default: {}", self.one(&["deny", "audit"]));
        parse(&text, "policy.yaml", Path::new(".")).expect(&text)
    }
}

fn digest(number: usize) -> Digest {
    Digest::of(&[u8::try_from(number).expect("a small number")])
}

/// The same, gone through anew and put together as it is written.
fn plainly(policies: &Policies, subject: &Subject, now: Timestamp) -> Governing {
    let covers = |scopes: &[crate::policy::Scope]| scopes.iter().any(|scope| scope.matches(&subject.image));
    let governs = |policy: &&Arc<Policy>| covers(&policy.matches) && !covers(&policy.except);
    let governing: Vec<_> = policies.all.iter().filter(governs).cloned().collect();
    let exempts = |exemption: &&Arc<Exemption>| {
        exemption.scopes.iter().any(|scope| {
            scope.scope.matches(&subject.image) && scope.digest.is_none_or(|digest| digest == subject.digest)
        })
    };
    let matching: Vec<_> = policies.exemptions.iter().filter(exempts).cloned().collect();
    let revision = policies.revision(&governing, matching.iter());
    let (exemptions, expired) = matching.into_iter().partition(|one| one.expires.is_none_or(|end| now < end));
    let enforced = governing.iter().filter(|policy| policy.mode() == Mode::Enforce);
    let ends = enforced.flat_map(|policy| policy.authorities()).map(|one| one.validity.not_after.0.saturating_add(1));
    let keys_end = ends.filter(|end| now.0 < *end).min().map_or(Timestamp::FOREVER, Timestamp);
    Governing {
        subject: subject.clone(),
        rules: Arc::new(Rules::new(policies, &subject.image)),
        exemptions,
        expired,
        revoked: policies.revoked.digests().contains(&subject.digest),
        default: policies.default,
        audit: policies.audit,
        revision,
        keys_end,
    }
    .with_policies(governing)
}

impl Governing {
    /// The same under these policies, so that nothing of what is remembered is compared with itself.
    fn with_policies(mut self, policies: Vec<Arc<Policy>>) -> Self {
        let rules = Arc::get_mut(&mut self.rules).expect("nobody else has it");
        rules.policies = policies;
        let roots = rules.policies.iter().flat_map(|policy| policy.authorities());
        rules.trust_roots =
            roots.filter_map(|one| one.trust_root.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        self
    }
}

/// Everything that can be asked of what governs.
fn said(governing: &Governing) -> String {
    let names = |exemptions: &[Arc<Exemption>]| exemptions.iter().map(|one| one.reason.clone()).collect::<Vec<_>>();
    format!(
        "{} {:?} {:?} {:?} {:?} {:?} {:?} {} {} {} {} {:?} {:?} {:?}",
        governing.subject(),
        governing.policies().iter().map(|policy| policy.name().clone()).collect::<Vec<_>>(),
        governing.remaining().map(|policy| policy.name().clone()).collect::<Vec<_>>(),
        governing.exempting().map(|one| one.reason.clone()),
        names(governing.exemptions()),
        names(&governing.expired),
        governing.expired(None).map(|one| one.reason.clone()),
        governing.holds_until(),
        governing.revoked(),
        governing.left_to_audit(),
        governing.audits_all(),
        governing.trust_roots(),
        governing.evidence_elsewhere(),
        governing.revision(),
    )
}

#[test]
fn what_is_remembered_of_a_repository_is_what_the_text_says() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        let policies = random.policies();
        for _ in 0..150 {
            let registry = random.one(&["r.io", "s.io"]).parse().expect("a registry");
            let repository = random.one(&["a", "b", "a/b", "team-x", "a/b/c"]).parse().expect("a repository");
            let subject = Image { registry, repository }.at(digest(random.below(4)));
            let now = Timestamp(random.instant() + random.below(3) as u64 - 1);
            let expected = said(&plainly(&policies, &subject, now));
            assert_eq!(said(&policies.governing(&subject, now)), expected);
            seen.insert(expected);
        }
    }
    assert!(seen.len() > 1000, "{}", seen.len());
}

#[test]
fn more_repositories_than_are_remembered_are_each_governed_by_their_own() {
    let text = format!(
        "authorities:\n  a: {{ key: {{ insecureSkipTransparencyLog: true, inline: {:?} }} }}\npolicies:\n\
         - {{ name: p, match: [ 'r.io/even/**' ], require: {{ signature: {{ by: a }} }} }}\n",
        KEY_A.public_pem()
    );
    let policies = parse(&text, "policy.yaml", Path::new(".")).expect(&text);
    for number in (0..10_000).chain(0..10_000) {
        let half = if number % 2 == 0 { "even" } else { "odd" };
        let image = Image::parse("r.io".parse().expect("a registry"), &format!("{half}/{number}"));
        let governing = policies.governing(&image.expect("an image").at(digest(0)), Timestamp(1));
        assert_eq!(governing.policies().len(), usize::from(number % 2 == 0), "{number}");
    }
    assert!(policies.remembered.len() <= 4096, "{}", policies.remembered.len());
}
