//! CEL over our facts: variables, numbers, lists, times.

use super::*;

#[test]
fn every_fact_can_be_asked_about() {
    let scene = Scene::with(r#"{"a":{"b-c":[1,2]},"n":null}"#);
    for source in [
        "statement.predicateType == 'test'",
        "statement.predicate == predicate",
        "predicate.a['b-c'][1] == 2",
        "predicate.n == null",
        "signer.identity.startsWith('https://gitlab.com/myorg/')",
        "signer.issuer == 'https://gitlab.com'",
        "signer.key == ''",
        "signer.extensions.sourceRepository == 'https://gitlab.com/' + 'myorg/cart'",
        "!has(signer.extensions.sourceRef)",
        "image.registry == 'registry.company.com' && image.repository == 'shop/cart'",
        "image.digest.startsWith('sha256:') && size(image.digest) == 71",
        "image.annotations['org.opencontainers.image.source'] == signer.extensions.sourceRepository",
        "now == timestamp('2027-01-15T08:00:00Z')",
        "type(predicate.a) == map && type(predicate.a['b-c']) == list && type(predicate.n) == null_type",
        "true",
    ] {
        assert!(scene.value(source), "{source}");
    }
}

#[test]
fn times_are_compared_and_subtracted() {
    let scene = Scene::with(r#"{"metadata":{"scanFinishedOn":"2027-01-14T09:00:00.5+01:00"},"at":1800000000}"#);
    for (source, expected) in [
        ("now - signer.time < duration('24h')", true),
        ("now - signer.time < duration('1h')", false),
        ("now - signer.time == duration('1h')", true),
        ("signer.time + duration('1h') == now && duration('1h') + signer.time == now", true),
        ("now - duration('1d') < signer.time", true),
        ("now - timestamp(predicate.metadata.scanFinishedOn) <= duration('23h59m59.5s')", true),
        ("now - timestamp(predicate.metadata.scanFinishedOn) < duration('23h59m59.4s')", false),
        ("timestamp(predicate.at) == now && int(now) == predicate.at", true),
        ("string(now) == '2027-01-15T08:00:00Z'", true),
        ("timestamp(now) == now && duration(duration('2h')) - duration('1h') == duration('1h')", true),
        ("duration('1h') + duration('30m') > duration('89m')", true),
        ("[now, signer.time].exists(t, t < now)", true),
        ("now == 1800000000", false),
    ] {
        assert_eq!(scene.value(source), expected, "{source}");
    }
    let mut keyed = Scene::with("{}");
    keyed.signer.time = None;
    assert!(keyed.value("signer.time == null"));
    assert!(
        keyed.error("now - signer.time < duration('24h')").contains("`-` does not apply to (timestamp, null_type)")
    );
}

#[test]
fn numbers_are_compared_by_value() {
    let scene = Scene::with(r#"{"int":7,"big":18446744073709551615,"double":9.8,"whole":7.0,"minus":-3}"#);
    for source in [
        "predicate.int == 7 && predicate.int == 7.0 && predicate.whole == 7 && predicate.whole == predicate.int",
        "predicate.double >= 7 && predicate.double < 10 && predicate.double > predicate.int",
        "predicate.big > 9223372036854775807 && predicate.big == 18446744073709551615u",
        "predicate.minus < 0 && -predicate.minus == 3 && predicate.minus + predicate.int == 4",
        "predicate.int % 2 == 1 && predicate.int * 2 / 7 == 2",
        "type(predicate.whole) == double && type(predicate.int) == int && type(predicate.big) == uint",
        "[7, 9.8].all(n, n in [predicate.whole, predicate.double])",
        "int('12') == 12 && double('1.5') == 1.5 && string(7) == '7' && uint(7) == 7u && bool('true')",
    ] {
        assert!(scene.value(source), "{source}");
    }
    for (source, why) in [
        ("predicate.int + predicate.double > 1", "`+` does not apply to (int, float)"),
        ("predicate.int / 0 == 1", "a division by zero"),
        ("predicate.int * 9223372036854775807 > 0", "a number is too large"),
    ] {
        assert!(scene.error(source).contains(why), "{source}: {}", scene.error(source));
    }
}

/// A list of the condition's own equals a list of the document, whichever side it is on.
#[test]
fn lists_are_one_kind() {
    let scene = Scene::with(r#"{"l":["a","b"],"deep":[["a"],["b"]],"o":[{"n":"a"},{"n":"b"}],"empty":[]}"#);
    for source in [
        "predicate.l == ['a', 'b'] && ['a', 'b'] == predicate.l",
        "['a'] != predicate.l && predicate.l != ['b', 'a']",
        "[['a'], ['b']] == predicate.deep && predicate.deep == [['a'], ['b']]",
        "['a'] in predicate.deep && predicate.deep[0] in [['a']] && [predicate.deep[0]] == [['a']]",
        "predicate.o.map(o, o.n) == predicate.l && predicate.l == predicate.o.map(o, o.n)",
        "predicate.l.filter(x, x != 'a') == ['b'] && predicate.l.map(x, x == 'a', x + '!') == ['a!']",
        "predicate.o.filter(o, o.n == 'a')[0] == predicate.o[0]",
        "predicate.l + ['c'] == ['a', 'b', 'c'] && ['c'] + predicate.l == ['c', 'a', 'b']",
        "[] == predicate.empty && predicate.empty == [] && size(predicate.empty) == 0",
        "predicate.l.size() == 2 && size(['x']) == 1 && size(predicate.o[0]) == 1",
        "predicate.l.exists_one(x, x == 'a') && !predicate.l.exists_one(x, x < 'c')",
        "predicate.o[0].exists(key, key == 'n') && 'n' in predicate.o[0] && !(1 in predicate.o[0])",
        "[1, 'x', null, true, 1.5, [2], predicate.l].size() == 7",
        "predicate.l.all(x, ['a', 'b', x].filter(y, y == x).size() == 2)",
        "[predicate.l[0], 'b'] == predicate.l",
        "predicate.empty.all(x, false) && !predicate.empty.exists(x, true)",
        "predicate.l.map(x, [x, x]) == [['a', 'a'], ['b', 'b']]",
    ] {
        assert!(scene.value(source), "{source}");
    }
}

#[test]
fn texts_and_patterns() {
    let scene = Scene::with(r#"{"url":"https://gitlab.com/myorg/cart","p":"https://gitlab.com/*/cart"}"#);
    for (source, expected) in [
        ("glob(predicate.url, 'https://gitlab.com/myorg/**')", true),
        ("glob(predicate.url, 'https://gitlab.com/*')", false),
        ("glob(predicate.url, 'gitlab.com/**')", false),
        ("glob(predicate.url, predicate.p)", true),
        ("glob(signer.identity, predicate.url + '//**')", true),
        ("glob(predicate.url, 'https://gitlab.com/myorg/' + image.repository.map(x, x)[0])", false),
        ("predicate.url.matches('gitlab')", true),
        ("predicate.url.matches('^gitlab')", false),
        ("matches(predicate.url, '^https://gitlab\\\\.com/(?:my)?org/[a-z]+$')", true),
        ("predicate.url.contains('://') && predicate.url.endsWith('cart') && !predicate.url.startsWith('http:')", true),
        ("['a', 'b'].exists(x, 'abc'.matches('^a'))", true),
    ] {
        match scene.ask(source) {
            Ok(value) => assert_eq!(value, expected, "{source}"),
            Err(failure) => assert!(!expected && source.contains(".map("), "{source}: {failure:?}"),
        }
    }
}

fn shared<T: Send + Sync + Clone>() {}

#[test]
fn a_condition_is_known_by_its_source() {
    let (a, b) = (Condition::parse("true"), Condition::parse("true"));
    assert_eq!(a, b);
    assert_ne!(a, Condition::parse("true "));
    assert_eq!(format!("{:?}", a.expect("a condition")), r#"Condition("true")"#);
    shared::<Condition>();
}

#[test]
fn what_a_condition_speaks_of_is_known() {
    for (source, fields, functions, now) in [
        ("predicate.metadata.scanFinishedOn != ''", &["predicate.metadata.scanFinishedOn"][..], &[][..], false),
        (
            "predicate.components.all(c, c.name != 'x')",
            &["predicate.components", "predicate.components.name"],
            &[],
            false,
        ),
        (
            "predicate.Results.filter(r, has(r.Vulnerabilities)).all(r, r.Vulnerabilities[0].Severity == 'LOW')",
            &["predicate.Results", "predicate.Results.Vulnerabilities", "predicate.Results.Vulnerabilities.Severity"],
            &[],
            false,
        ),
        ("predicate['a-b'].c[0].d == 1", &["predicate.a-b.c.d"], &[], false),
        ("now - signer.time < duration('1h')", &["signer.time"], &[], true),
        (
            "componentNames(predicate).size() > 0 && licenses(predicate.sbom) == []",
            &["predicate.sbom"],
            &["componentNames", "licenses"],
            false,
        ),
        ("[1].all(x, x == 1)", &[], &[], false),
        ("predicate.l.map(x, x.y).all(z, z.w == 1)", &["predicate.l", "predicate.l.y"], &[], false),
    ] {
        let condition = Condition::parse(source).expect(source);
        assert_eq!(condition.fields(), fields, "{source}");
        assert_eq!(condition.functions(), functions, "{source}");
        assert_eq!(condition.uses_now(), now, "{source}");
    }
}
