//! Laws: nothing is governed less, nothing is spared more, and no text whatever breaks the import.

use super::super::references;
use super::super::wildcard::Wildcard;
use super::*;
use crate::oci::Image;
use crate::policy::file::parse_scope;
use crate::test_support::Dice;

/// Repositories as they are called here, and as pods may call them.
const REPOSITORIES: [(&str, &[&str]); 7] = [
    ("r.io/app", &["r.io/app"]),
    ("r.io/a-app", &["r.io/a-app"]),
    ("r.io/team/app", &["r.io/team/app"]),
    ("r.io/sha256", &["r.io/sha256"]),
    ("localhost:5000/a/b/c", &["localhost:5000/a/b/c"]),
    ("docker.io/library/nginx", &["docker.io/nginx", "docker.io/library/nginx"]),
    ("docker.io/team/app", &["docker.io/team/app"]),
];

fn references_of(names: &[&str]) -> Vec<String> {
    let ends = [
        ":1".to_string(),
        ":latest".into(),
        ":v1.0-app".into(),
        ":sha256-ab".into(),
        format!("@sha256:{}", "0a".repeat(32)),
        format!("@sha512:{}", "ff".repeat(64)),
    ];
    names.iter().flat_map(|name| ends.iter().map(move |end| format!("{name}{end}"))).collect()
}

/// A reference with some of it replaced by wildcards, so that it often matches something.
fn pattern(dice: &mut Dice) -> String {
    let (_, names) = REPOSITORIES[usize::try_from(dice.below(7)).expect("small")];
    let all = references_of(names);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut pattern = dice.pick(&all).to_string();
    for _ in 0..dice.below(4) {
        let from = usize::try_from(dice.below(pattern.len() as u64 + 1)).expect("small");
        let to = (from + usize::try_from(dice.below(12)).expect("small")).min(pattern.len());
        pattern.replace_range(from..to, dice.pick(&["*", "?", "", "*", ":*", "/*"]));
    }
    pattern
}

#[test]
fn scopes_govern_no_less_and_spare_no_more() {
    let mut seen = (0, 0);
    Dice::for_each(2_000, |dice| {
        let pattern = pattern(dice);
        let wildcard = Wildcard::parse(&pattern);
        let read = references::read(&pattern);
        let scopes = |all: Option<&std::collections::BTreeSet<String>>| -> Vec<_> {
            all.into_iter()
                .flatten()
                .map(|scope| parse_scope(scope).unwrap_or_else(|why| panic!("{scope}: {why}")))
                .collect()
        };
        let some = scopes(read.as_ref().ok().map(|read| &read.some));
        let every = scopes(read.as_ref().ok().map(|read| &read.every));
        for (name, names) in REPOSITORIES {
            let (registry, repository) = name.split_once('/').expect("two parts");
            let image = Image { registry: registry.parse().expect(name), repository: repository.parse().expect(name) };
            let matching = references_of(names).iter().filter(|reference| wildcard.matches(reference)).count();
            let governed = some.iter().any(|scope| scope.matches(&image));
            let spared = every.iter().any(|scope| scope.matches(&image));
            let unsaid = read.is_err();
            assert!(matching == 0 || governed || unsaid, "`{pattern}` covers some of {name}, and {read:?} does not");
            assert!(
                !spared || matching == references_of(names).len(),
                "`{pattern}` covers not all of {name}: {read:?}"
            );
            assert!(!spared || governed, "{pattern}");
            seen = (seen.0 + usize::from(matching > 0), seen.1 + usize::from(spared));
        }
    });
    assert!(seen.0 > 1_000 && seen.1 > 100, "the law was hardly tried: {seen:?}");
}

#[test]
fn patterns_that_are_used_everywhere_become_what_one_expects() {
    for (pattern, some, every) in [
        ("registry.company.com/*", "registry.company.com/**", "registry.company.com/**"),
        (
            "registry.company.com/team*",
            "registry.company.com/team registry.company.com/team**",
            "registry.company.com/team registry.company.com/team**",
        ),
        ("registry.company.com/app:*", "registry.company.com/app", ""),
        (
            "registry.company.com/app*:*",
            "registry.company.com/app registry.company.com/app**",
            "registry.company.com/app registry.company.com/app**",
        ),
        ("registry.company.com/app@*", "registry.company.com/app", ""),
        ("registry.company.com/app", "registry.company.com/app", ""),
        ("registry.company.com/*-prod:*", "registry.company.com/**-prod", ""),
        // The star reaches into the tag.
        ("registry.company.com/*-prod", "registry.company.com/**", ""),
        ("*", "**", "**"),
        ("*/app:*", "**/app", ""),
        ("index.docker.io/team/*", "docker.io/team/**", ""),
        ("docker.io/*", "docker.io/**", "docker.io/**"),
        ("docker.io/nginx:*", "docker.io/library/nginx", ""),
        ("docker.io/library/*", "docker.io/library/**", ""),
        ("nginx:1.*", "docker.io/library/nginx", ""),
        ("nginx", "docker.io/library/nginx", ""),
        ("localhost:5000/*", "localhost:5000/**", "localhost:5000/**"),
        (
            "registry.company.com*",
            "registry.company.com**/** registry.company.com/**",
            "registry.company.com**/** registry.company.com/**",
        ),
        ("registry.company.com:443/*", "registry.company.com/**", ""),
    ] {
        let read = references::read(pattern).expect(pattern);
        let text = |scopes: &std::collections::BTreeSet<String>| scopes.iter().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!((text(&read.some).as_str(), text(&read.every).as_str()), (some, every), "{pattern}");
    }
}

/// Pieces that a text may be made of.
const PIECES: [&str; 24] = [
    "*",
    "?",
    "{{ a }}",
    "{{ a[].b }}",
    "null",
    "true",
    "5",
    "[]",
    "{}",
    "- x",
    "\n",
    ": ",
    "\"",
    "'",
    "#",
    "&a",
    "*a",
    "|",
    "\t",
    "é",
    "\u{0}",
    "AnyIn",
    "-----BEGIN PUBLIC KEY-----",
    "^(a|b)$",
];

#[test]
fn no_text_breaks_the_import_and_what_is_written_loads() {
    let fixtures: Vec<String> = ["actions", "attestors", "conditions", "identities", "references", "refused", "trust"]
        .map(|name| fixture(&format!("{name}.yaml")).text)
        .to_vec();
    let mut written = 0;
    Dice::for_each(250, |dice| {
        let texts: Vec<&str> = fixtures.iter().map(String::as_str).collect();
        let mut text = dice.pick(&texts).to_string();
        for _ in 0..=dice.below(3) {
            let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let at = usize::try_from(dice.below(bounds.len() as u64)).expect("small");
            let end = (at + usize::try_from(dice.below(20)).expect("small")).min(bounds.len() - 1);
            text.replace_range(bounds[at]..bounds[end], dice.pick(&PIECES));
        }
        let Ok(imported) = import(&[Source { name: "p.yaml".into(), text }]) else { return };
        let Some(policy) = imported.policy else { return };
        load(&policy);
        written += 1;
        assert!(!imported.report.policies.is_empty());
    });
    assert!(written > 20, "hardly anything was imported: {written}");
}
