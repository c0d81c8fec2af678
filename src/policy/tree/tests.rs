//! The tree's truth tables.

use super::*;

fn why(reason: Reason) -> Shortfall {
    Shortfall { reason, cause: None, detail: String::new() }
}

/// A leaf whose authority's name says its value: `h:alice,bob` holds, `f` fails, `u` is unknown.
fn leaf(text: &str) -> Requirement {
    Requirement::Leaf(Leaf::Signature {
        by: Name::new(text).expect("a name"),
        on: On::Index,
        annotations: BTreeMap::new(),
    })
}

fn value(leaf: &Leaf) -> Truth {
    match leaf.by().as_str().split_once(':') {
        Some((_, signers)) => Truth::Holds(Held {
            signers: signers.split(',').map(|s| Signer(s.into())).collect(),
            until: Timestamp::FOREVER,
            more: leaf.by().as_str().starts_with("m:").then(|| why(Reason::EvidenceIncomplete)),
        }),
        None if leaf.by().as_str() == "u" => Truth::Unknown(why(Reason::EvidenceUnreadable)),
        None => Truth::Fails(why(Reason::Unsigned)),
    }
}

fn word(requirement: &Requirement) -> &'static str {
    match requirement.evaluate(&value) {
        Truth::Fails(_) => "fails",
        Truth::Holds(_) => "holds",
        Truth::Unknown(_) => "unknown",
    }
}

#[test]
fn three_values_all_the_way_up() {
    let (h, f, u) = (|| leaf("h:a"), || leaf("f"), || leaf("u"));
    let all = Requirement::AllOf;
    let any = Requirement::AnyOf;
    for (tree, expected) in [
        (all(vec![]), "fails"),
        (any(vec![]), "fails"),
        (all(vec![h(), h()]), "holds"),
        (all(vec![h(), u()]), "unknown"),
        (all(vec![u(), f()]), "fails"),
        (any(vec![u(), h()]), "holds"),
        (any(vec![u(), f()]), "unknown"),
        (any(vec![f(), f()]), "fails"),
        (all(vec![any(vec![f(), h()]), h()]), "holds"),
    ] {
        assert_eq!(word(&tree), expected, "{tree:?}");
    }
}

#[test]
fn a_threshold_counts_distinct_signers() {
    let at_least = |n, of: &[&str]| Requirement::AtLeast { n, of: of.iter().map(|text| leaf(text)).collect() };
    for (tree, expected) in [
        (at_least(2, &["h:a", "h:a"]), "fails"),
        (at_least(2, &["h:a", "h:a,b"]), "holds"),
        (at_least(2, &["h:a,b", "h:a"]), "holds"),
        (at_least(3, &["h:a,b", "h:a", "h:b"]), "fails"),
        (at_least(2, &["h:a", "u"]), "unknown"),
        (at_least(3, &["h:a", "u", "f"]), "fails"),
        (at_least(0, &["f"]), "fails"),
        (at_least(2, &["m:a", "h:a"]), "unknown"),
        (at_least(3, &["m:a", "h:a", "f"]), "fails"),
        (at_least(2, &["m:a", "h:b"]), "holds"),
    ] {
        assert_eq!(word(&tree), expected, "{tree:?}");
    }
}

#[test]
fn the_branch_that_came_closest_explains() {
    let told = |leaf: &Leaf| {
        Truth::Fails(match leaf.by().as_str() {
            "nobody" => why(Reason::Unsigned),
            "stranger" => Shortfall { cause: Some(Reason::KeyMismatch), ..why(Reason::SignatureMissing) },
            _ => why(Reason::ConditionFalse),
        })
    };
    for (branches, expected) in [
        (["nobody", "stranger", "false"], Reason::ConditionFalse),
        (["false", "stranger", "nobody"], Reason::ConditionFalse),
        (["nobody", "stranger", "nobody"], Reason::SignatureMissing),
        (["nobody", "nobody", "nobody"], Reason::Unsigned),
    ] {
        let tree = Requirement::AnyOf(branches.map(leaf).into());
        let Truth::Fails(why) = tree.evaluate(&told) else { panic!("{tree:?}") };
        assert_eq!(why.reason, expected, "{branches:?}");
    }
}
