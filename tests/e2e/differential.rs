//! Countersign's verdict, by the proxy and by `countersign verify`, beside that of real `cosign verify`, on evidence good,
//! foreign, crafted and bent. Where the two differ, `docs/cosign-differences.md` must say so, and why.

mod bend;
mod cases;
mod crafted;
mod listed;
mod material;
mod question;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::evidence::Evidence;
use material::Material;
use question::Question;

/// One image with evidence beside it, and what is asked about it.
struct Case {
    name: String,
    question: Question,
    evidence: Vec<Evidence>,
}

/// What both said.
struct Outcome {
    name: String,
    cosign: bool,
    ours: bool,
    reason: String,
}

#[test]
fn countersign_and_cosign_differ_only_as_documented() {
    let material = Material::make();
    let cases = cases::all(&material);
    let names: BTreeSet<_> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");

    let outcomes = judge_all(&material, &cases);
    let accepted = outcomes.iter().filter(|outcome| outcome.cosign).count();
    let refused = outcomes.len() - accepted;
    assert!(accepted >= 15 && refused >= 15, "too few cases of one kind: {accepted} accepted, {refused} refused");

    let listed = listed::read();
    let mut wrong = String::new();
    for Outcome { name, cosign, ours, reason } in &outcomes {
        let verdict = |accepts: &bool| if *accepts { "accepts" } else { "refuses" };
        match listed.iter().find(|difference| difference.covers(name)) {
            None if cosign == ours => {}
            Some(difference) if cosign != ours && difference.cosign_accepts == *cosign => {}
            Some(_) if cosign == ours => {
                let _ = writeln!(wrong, "{name}: listed, and both say `{}` ({reason})", verdict(ours));
            }
            _ => {
                let (cosign, ours) = (verdict(cosign), verdict(ours));
                let _ = writeln!(wrong, "{name}: cosign {cosign}, Countersign {ours} ({reason}): not listed so");
            }
        }
    }
    for difference in listed.iter().filter(|difference| !names.iter().any(|name| difference.covers(name))) {
        let _ = writeln!(wrong, "{}: listed, and no such case", difference.names.join(", "));
    }
    assert!(wrong.is_empty(), "of {} cases, of which cosign accepts {accepted}:\n{wrong}", outcomes.len());
}

fn judge_all(material: &Material, cases: &[Case]) -> Vec<Outcome> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = judge(material, case);
                    outcomes.lock().expect("no thread fails while it holds it").push(outcome);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().expect("all threads have ended");
    outcomes.sort_by(|one, other| one.name.cmp(&other.name));
    outcomes
}

fn judge(material: &Material, case: &Case) -> Outcome {
    let image = material.place(case.question);
    for evidence in &case.evidence {
        evidence.attach(&image);
    }
    let cosign = case.question.ask_cosign(material, &image);
    let answer = material.proxy.ask("HEAD", &image.manifest_path());
    assert!(matches!(answer.status, 200 | 403), "{}: could not tell: {answer:?}", case.name);
    let explained = material.proxy.explain(&image);
    assert_eq!(
        explained.is_success(),
        answer.status == 200,
        "{}: {answer:?}, explained as {}",
        case.name,
        explained.said()
    );
    Outcome { name: case.name.clone(), cosign: cosign.is_success(), ours: answer.status == 200, reason: answer.reason }
}
