use super::super::super::tests::Scene;

#[test]
fn builder_and_source_stand_where_each_writes_them() {
    let runner = "https://gitlab.com/myorg/cart/-/runners/4711";
    let generator = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/v2.1.0";
    for (name, builder, source) in [
        ("slsa-0.2-github.json", generator, "https://github.com/myorg/cart"),
        ("slsa-0.2-gitlab.json", runner, "https://gitlab.com/myorg/cart"),
        (
            "slsa-1-github.json",
            "https://github.com/myorg/cart/.github/workflows/release.yml@refs/heads/main",
            "https://github.com/myorg/cart",
        ),
        ("slsa-1-gitlab.json", runner, "https://gitlab.com/myorg/cart"),
        ("slsa-1-buildkit.json", "", "https://github.com/myorg/cart"),
    ] {
        let scene = Scene::fixture(name);
        assert!(scene.value(&format!("source(predicate) == '{source}'")), "{name}");
        assert!(scene.value("glob(source(predicate), 'https://*/myorg/**')"), "{name}");
        if builder.is_empty() {
            assert!(scene.error("builder(predicate) == ''").contains("the provenance names no builder"));
        } else {
            assert!(scene.value(&format!("builder(predicate) == '{builder}'")), "{name}");
        }
    }
}

#[test]
fn materials_have_a_uri_and_digests() {
    let commit = "0123456789012345678901234567890123456789";
    for (name, source) in [
        ("slsa-0.2-github.json", format!("materials(predicate)[0].digest.sha1 == '{commit}'")),
        (
            "slsa-0.2-github.json",
            "materials(predicate).map(m, m.uri) == ['git+https://github.com/myorg/cart@refs/heads/main']".into(),
        ),
        ("slsa-0.2-gitlab.json", "materials(predicate) == []".into()),
        (
            "slsa-1-gitlab.json",
            format!(
                "materials(predicate).exists(m, m.uri == source(predicate) && m.digest['gitCommit'] == '{commit}')"
            ),
        ),
        ("slsa-1-buildkit.json", "materials(predicate).all(m, m.uri.startsWith('pkg:docker/'))".into()),
    ] {
        assert!(Scene::fixture(name).value(&source), "{name}: {source}");
    }
}

#[test]
fn a_source_is_a_repository_without_its_ref() {
    for (uri, expected) in [
        ("git+https://github.com/o/r@refs/heads/main", "https://github.com/o/r"),
        ("https://github.com/o/r.git#refs/heads/main", "https://github.com/o/r"),
        ("https://github.com/o/r?ref=x", "https://github.com/o/r"),
        ("git+ssh://git@host.example/o/r.git@v1", "ssh://git@host.example/o/r"),
        ("https://github.com@evil.example/o/r", "https://github.com@evil.example/o/r"),
        ("https://github.com", "https://github.com"),
        ("github.com/o/r@v1", "github.com/o/r"),
        ("pkg:docker/x", "pkg:docker/x"),
    ] {
        let scene =
            Scene::with(&format!(r#"{{"builder":{{"id":"x"}},"invocation":{{"configSource":{{"uri":"{uri}"}}}}}}"#));
        assert!(scene.value(&format!("source(predicate) == '{expected}'")), "{uri}");
    }
}

#[test]
fn what_is_not_provenance_or_says_nothing_is_refused() {
    let one = |definition: &str| format!(r#"{{"buildDefinition":{definition},"runDetails":{{}}}}"#);
    let parameters = |parameters: &str| one(&format!(r#"{{"externalParameters":{parameters}}}"#));
    let no_source = "names no source where one is known to stand";
    for (predicate, source, why) in [
        ("{}".to_string(), "builder(predicate) == ''", "it is not SLSA provenance"),
        ("{}".into(), "source(predicate) == ''", "it is not SLSA provenance"),
        ("{}".into(), "materials(predicate) == []", "it is not SLSA provenance"),
        ("7".into(), "builder(predicate) == ''", "it reads an object, this is an int"),
        (
            r#"{"builder":{"id":"a"},"buildDefinition":{}}"#.into(),
            "builder(predicate) == 'a'",
            "as provenance 0.2 and as provenance 1",
        ),
        (r#"{"builder":"a"}"#.into(), "builder(predicate) == 'a'", "it is not SLSA provenance"),
        (r#"{"builder":{}}"#.into(), "builder(predicate) == ''", "the provenance names no builder"),
        (r#"{"builder":{"id":""}}"#.into(), "builder(predicate) == ''", "the provenance names no builder"),
        (one("{}"), "builder(predicate) == ''", "the provenance names no builder"),
        (one("{}"), "source(predicate) == ''", no_source),
        (parameters("{}"), "source(predicate) == ''", no_source),
        (parameters(r#"{"source":""}"#), "source(predicate) == ''", no_source),
        (parameters(r#"{"source":7}"#), "source(predicate) == ''", no_source),
        (
            parameters(r#"{"source":"https://a/b","workflow":{"repository":"https://c/d"}}"#),
            "source(predicate) == 'https://a/b'",
            no_source,
        ),
        (r#"{"builder":{"id":"a"}}"#.into(), "source(predicate) == ''", no_source),
        (one("{}"), "materials(predicate) == []", "has no list `buildDefinition.resolvedDependencies`"),
        (r#"{"builder":{"id":"a"},"materials":{}}"#.into(), "materials(predicate) == []", "has no list `materials`"),
        (r#"{"builder":{"id":"a"},"materials":["x"]}"#.into(), "materials(predicate) == []", "a material is no object"),
        (
            r#"{"builder":{"id":"a"},"materials":[{"uri":"x","digest":"y"}]}"#.into(),
            "materials(predicate) == []",
            "a material is no object",
        ),
    ] {
        let error = Scene::with(&predicate).error(source);
        assert!(error.contains(why), "{predicate} {source}: {error}");
    }
    let agreed = parameters(r#"{"source":"https://a/b","configSource":{"uri":"git+https://a/b.git@main"}}"#);
    assert!(Scene::with(&agreed).value("source(predicate) == 'https://a/b'"));
}
