use std::collections::BTreeSet;

use super::super::tests::Scene;
use super::*;

/// Every function in the table is known to the evaluator, and only they: what is called wrongly is told so, never
/// that it does not exist.
#[test]
fn the_table_and_the_environment_agree() {
    let names: BTreeSet<_> = FUNCTIONS.iter().map(|function| function.name).collect();
    assert_eq!(names.len(), FUNCTIONS.len(), "a name is there twice");
    let scene = Scene::with("{}");
    for function in FUNCTIONS {
        if matches!(function.name, "has" | "all" | "exists" | "exists_one" | "map" | "filter" | "matches") {
            continue;
        }
        for count in function.arguments.0..=function.arguments.1 {
            let arguments = vec!["predicate"; count].join(", ");
            let call = match function.call {
                Call::Member => format!("predicate.{}({arguments})", function.name),
                Call::Global | Call::Both => format!("{}({arguments})", function.name),
            };
            if let Err(failure) = scene.ask(&format!("dyn({call}) == null")) {
                assert!(!failure.detail.contains("nothing is called"), "{call}: {}", failure.detail);
            }
        }
    }
}

#[test]
fn every_entry_is_documented() {
    for function in FUNCTIONS {
        assert!(function.signature.contains(function.name) && function.signature.contains("->"), "{function:?}");
        assert!(function.meaning.ends_with('.') && !function.meaning.contains("  "), "{function:?}");
    }
    for variable in VARIABLES {
        assert!(super::super::Condition::parse(&format!("{} == null", variable.name)).is_ok(), "{variable:?}");
    }
}
