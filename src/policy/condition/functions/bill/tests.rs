use super::super::super::tests::{Scene, fixture};

#[test]
fn cyclonedx_lists_nested_components_too() {
    let scene = Scene::fixture("cyclonedx-1.5.json");
    for (source, expected) in [
        (
            "componentNames(predicate) == ['alpine', 'left-pad', 'log4j-core', 'org.apache.logging.log4j/log4j-core', 'padding-core']",
            true,
        ),
        ("components(predicate).map(c, c.name) == ['log4j-core', 'left-pad', 'padding-core', 'alpine']", true),
        (
            "components(predicate)[0].version == '2.24.1' && components(predicate)[0].group == 'org.apache.logging.log4j'",
            true,
        ),
        ("components(predicate)[0].purl.startsWith('pkg:maven/') && components(predicate)[2].purl == ''", true),
        ("components(predicate)[2].licenses == ['GPL-2.0-only', 'MIT']", true),
        ("components(predicate)[3].licenses == []", true),
        ("licenses(predicate) == ['Apache-2.0', 'Do What You Like', 'GPL-2.0-only', 'MIT']", true),
        ("hasComponent(predicate, 'left-pad')", true),
        ("hasComponent(predicate, 'padding-core')", true),
        ("hasComponent(predicate, 'left-pad', '1.3.0')", true),
        ("hasComponent(predicate, 'left-pad', '1.3')", false),
        ("hasComponent(predicate, 'org.apache.logging.log4j/log4j-core', '2.24.1')", true),
        ("hasComponent(predicate, 'Left-Pad')", false),
        ("hasComponent(predicate, 'left')", false),
        // What made the document, and what it is about, are not in it.
        (
            "hasComponent(predicate, 'our-sbom-tool') || hasComponent(predicate, 'registry.company.com/shop/cart')",
            false,
        ),
        ("!('banned-package' in componentNames(predicate))", true),
        ("['left-pad', 'event-stream'].all(banned, !hasComponent(predicate, banned))", false),
        ("predicate.components.all(c, c.name != 'banned-package')", true),
    ] {
        assert_eq!(scene.value(source), expected, "{source}");
    }
    let scene = Scene::fixture("cyclonedx-1.6.json");
    for source in [
        "componentNames(predicate) == ['@company/ui', 'AES-128-GCM', 'openssl-wrapper', 'ui']",
        "licenses(predicate) == ['Apache-2.0', 'MIT']",
        "hasComponent(predicate, '@company/ui', '9.0.0')",
    ] {
        assert!(scene.value(source), "{source}");
    }
}

#[test]
fn spdx_is_read_alike() {
    let scene = Scene::fixture("spdx-2.3.json");
    for source in [
        "componentNames(predicate) == ['busybox', 'inhouse', 'registry.company.com/shop/cart']",
        "components(predicate)[1].purl == 'pkg:apk/alpine/busybox@1.37.0-r18'",
        "components(predicate)[1].licenses == ['GPL-2.0-only', 'bzip2-1.0.4']",
        "components(predicate)[0].licenses == [] && components(predicate)[2].licenses == ['NONE']",
        "licenses(predicate).exists(l, l.startsWith('GPL-'))",
        "hasComponent(predicate, 'busybox', '1.37.0-r18') && !hasComponent(predicate, 'zlib')",
    ] {
        assert!(scene.value(source), "{source}");
    }
    let scene = Scene::fixture("spdx-3.0.json");
    for source in [
        "componentNames(predicate) == ['busybox', 'inhouse']",
        "components(predicate)[0].version == '1.37.0-r18' && components(predicate)[0].purl.startsWith('pkg:apk/')",
        "licenses(predicate) == ['GPL-2.0-only', 'bzip2-1.0.4'] && components(predicate)[1].licenses == []",
    ] {
        assert!(scene.value(source), "{source}");
    }
}

/// cosign 1 wrapped the document.
#[test]
fn a_wrapped_document_is_read() {
    let scene = Scene::with(&format!(r#"{{"Data":{}}}"#, fixture("cyclonedx-1.5.json")));
    assert!(scene.value("hasComponent(predicate, 'left-pad')"));
}

/// Nothing that is not understood passes for a document that lists nothing.
#[test]
fn each_document_that_is_not_understood_is_refused() {
    let cyclonedx = |rest: &str| format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6"{rest}}}"#);
    let spdx = |rest: &str| format!(r#"{{"spdxVersion":"SPDX-2.3"{rest}}}"#);
    for (predicate, why) in [
        ("{}".to_string(), "neither CycloneDX nor SPDX"),
        (r#"{"components":[]}"#.into(), "neither CycloneDX nor SPDX"),
        (r#"{"bomFormat":"cyclonedx","components":[]}"#.into(), "neither CycloneDX nor SPDX"),
        (r#"{"Data":"SPDXVersion: SPDX-2.3"}"#.into(), "neither CycloneDX nor SPDX"),
        (r#""SPDXVersion: SPDX-2.3""#.into(), "it reads an object, this is a string"),
        ("[]".into(), "it reads an object, this is a list"),
        (cyclonedx(""), "no `components`; has(predicate.components) tests for it"),
        (cyclonedx(r#","components":null"#), "no `components`"),
        (cyclonedx(r#","components":{}"#), "the `components` of the CycloneDX document is no list"),
        (cyclonedx(r#","components":["x"]"#), "an item of `components` is no object"),
        (cyclonedx(r#","components":[{"version":"1"}]"#), "a component has no `name`"),
        (cyclonedx(r#","components":[{"name":7}]"#), "a component has no `name`"),
        (cyclonedx(r#","components":[{"name":""}]"#), "a component has no `name`"),
        (cyclonedx(r#","components":[{"name":"a","version":1}]"#), "the `version` of a component is no text"),
        (cyclonedx(r#","components":[{"name":"a","components":7}]"#), "the `components` of a component is no list"),
        (cyclonedx(r#","components":[{"name":"a","components":[{}]}]"#), "a component has no `name`"),
        (cyclonedx(r#","components":[{"name":"a","licenses":[{}]}]"#), "a licence has no `id`, `name` or `expression`"),
        (cyclonedx(r#","components":[{"name":"a","licenses":["MIT"]}]"#), "an item of `licenses` is no object"),
        (spdx(""), "no `packages`; has(predicate.packages) tests for it"),
        (spdx(r#","packages":[{}]"#), "a package has no `name`"),
        (spdx(r#","packages":[{"name":"a","licenseConcluded":[]}]"#), "the `licenseConcluded` of a package is no text"),
        (spdx(r#","packages":[{"name":"a","externalRefs":[{"referenceType":"purl"}]}]"#), "has no `referenceLocator`"),
        (r#"{"spdxVersion":"SPDX-1.2","packages":[]}"#.into(), "neither CycloneDX nor SPDX"),
        (r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}"#.into(), "no `@graph`"),
        (r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#.into(), "lists no packages"),
    ] {
        for function in ["components", "componentNames", "licenses"] {
            let error = Scene::with(&predicate).error(&format!("{function}(predicate) == []"));
            assert!(error.contains(why), "{function} {predicate}: {error}");
        }
        assert!(Scene::with(&predicate).error("!hasComponent(predicate, 'x')").contains(why));
    }
    assert!(
        Scene::with(&cyclonedx(r#","components":[]"#))
            .value("components(predicate) == [] && licenses(predicate) == []")
    );
}
