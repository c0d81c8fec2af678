//! Whatever a file looks like, it says the same afterwards and one exemption more, or it is left alone.

use super::*;
use crate::oci::{Digest, Image};
use crate::policy::file::parse;
use crate::test_support::Dice;

fn exemption(dice: &mut Dice) -> NewExemption {
    let image = Image { registry: "r.io".parse().expect("r"), repository: "team/app".parse().expect("n") };
    let reason = dice.pick(&["INC-1", "a \"b\" \\ c", "# no comment", "é: [ ]", "- x", "null", "1e3", "'", "{"]);
    NewExemption {
        subject: image.at(Digest::of(&[u8::try_from(dice.below(250)).expect("small")])),
        policies: dice.some(&["p", "q"]).into_iter().map(str::to_string).collect(),
        reason: reason.into(),
        expires: dice.coin().then(|| Timestamp(2_000_000_000 + dice.below(1000))),
        remark: dice.coin().then(|| "r.io/team/app:1".into()),
    }
}

/// A policy file in some style: sections in any order, comments and empty lines anywhere, with or without exemptions.
fn file(dice: &mut Dice) -> String {
    let policies = dice.pick(&[
        "policies:\n  - { name: p, match: [ r.io/** ], require: { signature: { by: a } } }\n  - name: q\n    match:\n    - r.io/**\n    require: { signature: { by: a } }\n",
        "policies: [ { name: p, match: [ r.io/** ], require: { signature: { by: a } } },\n  { name: q, match: [ r.io/x ], require: { signature: { by: a } } } ]\n",
    ]);
    let key = "authorities:\n  a:\n    key:\n      insecureSkipTransparencyLog: true\n      inline: |\n";
    let pem = crate::test_support::KEY_A.public_pem();
    let authorities = pem.lines().fold(key.to_string(), |text, line| text + "        " + line + "\n");
    let mut sections = vec![policies.to_string(), authorities, "default: deny\n".into()];
    if dice.coin() {
        sections.push(existing(dice));
    }
    if dice.coin() {
        sections.push("revoked:\n  digests: [ ]\n".into());
    }
    dice.shuffle(&mut sections);
    let mut text = dice.pick(&["", "# About this file\n\n", "---\n", "\u{feff}# A mark\n"]).to_string();
    for section in sections {
        text.push_str(&section);
        text.push_str(dice.pick(&["", "", "\n", "\n\n", "# Next\n", "\n# exemptions:\n#   - match: [ x ]\n\n"]));
    }
    text.push_str(dice.pick(&["", "", "...\n", "# The end", "\n\n", "  # Indented, the end\n"]));
    if dice.below(4) == 0 {
        text = text.trim_end_matches('\n').into();
    }
    if dice.below(4) == 0 { text.replace('\n', "\r\n") } else { text }
}

fn existing(dice: &mut Dice) -> String {
    let head = dice.pick(&["exemptions:", "exemptions:  # until they end", "\"exemptions\":", "exemptions :"]);
    if dice.below(4) == 0 {
        let flow = dice.pick(&["[]", "[ ]", "[ ] # none", "[ { match: [ r.io/a ], reason: x } ]", "\n  [ ]"]);
        return format!("{head} {flow}\n").replace("# until they end [", "[");
    }
    let dash = dice.pick(&["  - ", "- ", "    -   "]);
    let indent = " ".repeat(dash.len());
    let mut text = format!("{head}\n{}", dice.pick(&["", "\n", "  # The first\n", "# At the margin\n"]));
    for n in 0..=dice.below(2) {
        let reason = dice.pick(&[
            "x",
            "'it''s'",
            "\"two\\n\"",
            "|\n{}  # lines\n{}  more",
            ">-\n{}  folded\n{}  - x",
            "|+\n{}  kept\n\n",
        ]);
        let (start, comment) = if dice.coin() { (dash, "") } else { (dash.trim_end(), " # why") };
        let first = if comment.is_empty() { "" } else { "\n" };
        let gap = if comment.is_empty() { "" } else { &indent };
        let item = format!("{start}{comment}{first}{gap}match: [ \"r.io/app{n}\" ]\n{indent}reason: {reason}\n");
        text.push_str(&item.replace("{}", &indent));
        text.push_str(dice.pick(&["", "\n", "  # Between\n", "# - match: [ \"r.io/old\" ]\n"]));
    }
    text
}

#[test]
fn a_text_says_the_same_and_one_exemption_more() {
    let (mut edited, mut left) = (0, 0);
    Dice::for_each(400, |dice| {
        let (text, new) = (file(dice), exemption(dice));
        let Ok(before) = parse(&text, "p.yaml", std::path::Path::new(".")) else { return };
        let after = match with_exemption(&text, "p.yaml", &new) {
            Ok(after) => after,
            Err(WriteError::Unusual) => return left += 1,
            Err(WriteError::Wrong(errors)) => panic!("{errors}\n{text}"),
        };
        edited += 1;
        let policies = parse(&after, "p.yaml", std::path::Path::new(".")).unwrap_or_else(|e| panic!("{e}\n{after}"));
        let contents = |policies: &crate::policy::Policies| {
            policies.exemptions().iter().map(|exemption| exemption.content).collect::<Vec<_>>()
        };
        let (mut old, now) = (contents(&before), contents(&policies));
        assert_eq!(now.len(), old.len() + 1, "{text}\n=>\n{after}");
        old.extend(now.iter().find(|content| !contents(&before).contains(content)));
        let sorted = |mut list: Vec<Digest>| {
            list.sort();
            list
        };
        assert_eq!(sorted(old), sorted(now), "{text}\n=>\n{after}");
        let all = |policies: &crate::policy::Policies| policies.all().iter().map(|p| p.content).collect::<Vec<_>>();
        assert_eq!(all(&before), all(&policies));
        let added = policies.exemptions().iter().find(|exemption| !contents(&before).contains(&exemption.content));
        let added = added.expect("it is new");
        assert_eq!((added.reason(), added.expires()), (new.reason.as_str(), new.expires));
        assert_eq!(added.covers_all(), new.policies.is_empty());

        assert!(kept(&text, &after, &new), "{text}\n=>\n{after}");
    });
    assert!(edited > 280 && left < edited / 3, "{edited} edited, {left} left alone");
}

/// Whether `after` is `text`, byte for byte, but for the lines of the item, and for the list's own where it was not there.
fn kept(text: &str, after: &str, new: &NewExemption) -> bool {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let without = (0..8).find_map(|indent| {
        let item = new.item(indent, newline);
        let at = after.find(&item).filter(|at| *at == 0 || after[..*at].ends_with('\n'))?;
        Some([&after[..at], &after[at + item.len()..]].concat())
    });
    let Some(without) = without else { return false };
    let list = format!("exemptions:{newline}");
    let same = |text: &str| {
        let empty = |line: &&str| line.contains("exemptions") && line.contains('[') && !line.contains("match");
        without == text
            || without == [text, &list].concat()
            || without == [text, newline, &list].concat()
            || text.lines().zip(without.lines()).all(|(old, new)| old == new || empty(&old))
                && text.lines().count() == without.lines().count()
    };
    same(text) || !text.ends_with('\n') && same(&[text, newline].concat())
}

#[test]
fn an_item_looks_like_this() {
    let mut new = exemption(&mut Dice::seeded(1));
    new.policies = vec!["p".into()];
    (new.reason, new.expires) = ("INC-1".into(), Some(Timestamp(2_000_000_000)));
    new.remark = Some("r.io/team/app:1".into());
    let digest = new.subject.digest;
    let item = format!(
        "  - match: [ \"r.io/team/app@{digest}\" ] # r.io/team/app:1\n    policies: [ \"p\" ]\n    reason: \"INC-1\"\n    \
         expires: 2033-05-18T03:33:20Z\n"
    );
    for (before, after) in [
        ("default: deny\n", format!("default: deny\n\nexemptions:\n{item}")),
        ("default: deny # the end", format!("default: deny # the end\n\nexemptions:\n{item}")),
        ("exemptions: [ ]  # none\ndefault: deny\n", format!("exemptions: # none\n{item}default: deny\n")),
        (
            "exemptions:\n  - match: [ r.io/a ]\n    reason: x\n\n# Else\ndefault: deny\n",
            format!("exemptions:\n  - match: [ r.io/a ]\n    reason: x\n{item}\n# Else\ndefault: deny\n"),
        ),
    ] {
        assert_eq!(with_exemption(before, "p.yaml", &new).expect(before), after);
    }
    assert!(alone(&new).ends_with(&format!("exemptions:\n{item}")));
}

#[test]
fn a_text_that_is_not_understood_is_left_alone() {
    let new = exemption(&mut Dice::seeded(1));
    for text in [
        "{ default: deny }",
        "exemptions: [ { match: [ r.io/a ], reason: x } ]\n",
        "exemptions: &all\n  - match: [ r.io/a ]\n    reason: x\n",
        "default: deny\n...\n",
    ] {
        assert!(matches!(with_exemption(text, "p.yaml", &new), Err(WriteError::Unusual)), "{text}");
    }
    assert!(matches!(with_exemption("defualt: deny\n", "p.yaml", &new), Err(WriteError::Wrong(_))));
}
