//! What a condition may cost: refused before it runs, by the document that it is asked about.

use std::fmt::Write;

use super::*;

/// A bill of materials of so many components, each with two licences.
fn bom(count: usize) -> Scene {
    let mut all = String::new();
    for n in 0..count {
        let comma = if n > 0 { "," } else { "" };
        let licenses = r#"[{"license":{"id":"MIT"}},{"expression":"Apache-2.0"}]"#;
        let _ = write!(all, r#"{comma}{{"type":"library","name":"c{n}","version":"1.{n}","licenses":{licenses}}}"#);
    }
    Scene::with(&format!(r#"{{"bomFormat":"CycloneDX","components":[{all}],"allowed":["MIT","Apache-2.0"]}}"#))
}

fn refused(scene: &Scene, source: &str) -> String {
    match scene.ask(source) {
        Err(Failure { reason: Reason::ConditionBudget, detail }) => detail,
        other => panic!("{source}: {other:?}"),
    }
}

/// 3,000 components in a nested loop ran for seconds; nothing of it runs now.
#[test]
fn o80_a_condition_that_loops_is_refused_before_it_runs() {
    let scene = bom(3000);
    let nested = "predicate.components.all(a, predicate.components.all(b, a.name != b.name || a == b))";
    let why = refused(&scene, nested);
    assert_eq!(
        why,
        "the condition would take more than 3000000 steps on this document: it walks `predicate.components` (3000 items), for \
         each of them `predicate.components` (3000 items)"
    );
    // The same condition is as good as any on a document that is small.
    assert!(bom(100).value(nested));
}

#[test]
fn a_pass_over_many_components_runs() {
    let many = bom(50_000);
    for source in ["predicate.components.all(c, c.name != 'banned')", "!('banned' in componentNames(predicate))"] {
        assert_eq!(many.once(source), Ok(true), "{source}");
    }
    let scene = bom(10_000);
    for source in [
        "predicate.components.filter(c, c.name.contains('c77')).all(c, c.version != '0')",
        "predicate.components.map(c, c.name).all(n, n != 'banned')",
        "predicate.components.all(c, c.licenses.all(l, has(l.license) || has(l.expression)))",
        "['a', 'b', 'c'].all(banned, !(banned in componentNames(predicate)))",
        "licenses(predicate) == ['Apache-2.0', 'MIT']",
    ] {
        assert_eq!(scene.once(source), Ok(true), "{source}");
    }
    let small = bom(2000);
    for source in [
        "components(predicate).all(c, c.licenses.all(l, l in predicate.allowed))",
        "['x', 'y', 'z'].all(banned, !predicate.components.exists(c, c.name == banned))",
        "predicate.components.all(c, !hasComponent(predicate, 'x'))",
        "predicate.components.all(c, c.name.matches('^c[0-9]+$') && glob(c.version, '1.*'))",
    ] {
        assert!(small.value(source), "{source}");
    }
}

/// Every way that was thought of to make little text do much.
#[test]
fn o80_nothing_that_multiplies_gets_around_the_bound() {
    let numbers = format!("[{}0]", "1,".repeat(299));
    let words = format!("[{}]", vec!["\"word\""; 300].join(","));
    let long = "abc".repeat(1 << 20);
    let scene = Scene::with(&format!(r#"{{"l":{numbers},"words":{words},"s":"{long}","o":{{"l":{numbers}}}}}"#));
    for source in [
        // Three deep, through a list that the condition makes, and through one bound to a name.
        "predicate.l.all(a, predicate.l.all(b, predicate.l.all(c, true)))",
        "[predicate.l].all(l, l.all(a, l.all(b, l.all(c, true))))",
        "[predicate.l.map(x, x)].all(l, l.all(a, l.all(b, l.all(c, true))))",
        "[predicate.l + predicate.l].all(l, l.all(a, l.all(b, l.all(c, true))))",
        "(true ? predicate.l : []).all(a, predicate.o.l.all(b, predicate['l'].all(c, true)))",
        "predicate.o.all(k, predicate.l.all(a, predicate.o[k].all(b, predicate.l.all(c, true))))",
        "predicate.l.map(a, predicate.l.map(b, predicate.l.map(c, c))).size() > 0",
        "predicate.l.exists_one(a, predicate.l.filter(b, predicate.l.exists(c, c == 7)).size() > 0)",
        "predicate.l.all(a, predicate.l.all(b, [a, b, a, b].all(x, [x, x, x].all(y, y == x))))",
        // Large texts.
        "predicate.l.all(x, predicate.s.contains('z') || true)",
        "predicate.l.all(x, predicate.s + 'x' != '')",
        "predicate.l.map(x, predicate.s).size() > 0",
        "predicate.l.all(x, size(predicate.s) > 0 && predicate.s == predicate.s)",
        "predicate.l.all(x, predicate.s < predicate.s || true)",
        "predicate.l.all(x, predicate.s.startsWith(predicate.s) || predicate.s in [predicate.s])",
        "predicate.s.matches('(a.{30}b|b.{40}c)z')",
        "predicate.l.all(x, predicate.s.matches('z') || true)",
        "glob(predicate.s, '*a*b*c**') || glob(predicate.s, '**c*b*a*')",
        "predicate.l.all(x, glob(predicate.s, predicate.s) || true)",
        "[predicate.s].map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).size() > 0",
        // Whole documents.
        "predicate.l.all(x, predicate.words.all(y, predicate == statement.predicate))",
        "predicate.l.all(x, predicate.words.all(y, y in predicate.words && y in predicate.words))",
        "predicate.l.all(x, predicate.words.all(y, (predicate.words + predicate.words).size() > 0))",
        "predicate.l.all(x, predicate.words.all(y, hasComponent(predicate, y)))",
    ] {
        let why = refused(&scene, source);
        assert!(why.contains("more than 3000000 steps") && why.len() < 400, "{source}: {why}");
    }
}

/// A document is bounded as well: in its values when it is read, in its depth by the reader.
#[test]
fn deep_documents_do_not_exhaust_the_stack() {
    let deep = format!("{}7{}", r#"{"a":["#.repeat(60), "]}".repeat(60));
    let scene = Scene::with(&deep);
    assert!(scene.value("predicate == statement.predicate && predicate in [predicate]"));
    assert!(scene.value("predicate.a[0].a[0].a[0] != predicate"));
    let nested = format!(
        r#"{{"bomFormat":"CycloneDX","components":[{}{}]}}"#,
        r#"{"name":"n","components":["#.repeat(58),
        "]}".repeat(58)
    );
    assert!(Scene::with(&nested).value("components(predicate).size() == 58"));
    // The deepest condition that is accepted, on three quarters of the stack that threads have.
    let deepest = (1..40).rev().map(|n| format!("{}true{}", "[true].all(x, ".repeat(n), ")".repeat(n)));
    let source = deepest.into_iter().find(|source| Condition::parse(source).is_ok()).expect("a condition");
    std::thread::Builder::new()
        .stack_size(3 << 19)
        .spawn(move || assert!(Scene::with("{}").value(&source)))
        .expect("a thread")
        .join()
        .expect("no overflow");
}
