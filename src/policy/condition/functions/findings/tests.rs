use super::super::super::tests::{Scene, fixture};

#[test]
fn trivy_grype_and_sarif_are_read_alike() {
    for (name, sources) in [
        (
            "vuln-trivy.json",
            &[
                "severities(predicate) == ['HIGH', 'LOW']",
                "vulnerabilityCount(predicate) == 2 && vulnerabilityCount(predicate, 'HIGH') == 1",
                "vulnerabilityCount(predicate, 'CRITICAL') == 0 && vulnerabilityCount(predicate, 'low') == 1",
                "worstSeverity(predicate) == 'HIGH'",
                "vulnerabilities(predicate)[0].id == 'CVE-2026-0001' && vulnerabilities(predicate)[0].fixed == '1.2-4'",
                "vulnerabilities(predicate)[1].package == 'libother' && vulnerabilities(predicate)[1].version == '7'",
                "!vulnerabilities(predicate).exists(v, v.severity == 'LOW' && v.fixed != '')",
                "vulnerabilities(predicate.scanner.result) == vulnerabilities(predicate)",
            ][..],
        ),
        (
            "vuln-grype.json",
            &[
                "severities(predicate) == ['CRITICAL', 'NEGLIGIBLE'] && worstSeverity(predicate) == 'CRITICAL'",
                "vulnerabilities(predicate)[0].fixed == '4.17.21, 5.0.1' && vulnerabilities(predicate)[1].fixed == ''",
                "vulnerabilities(predicate)[0].package == 'some-lib' && vulnerabilities(predicate)[0].version == '4.17.20'",
                "vulnerabilities(predicate).filter(v, v.severity in ['HIGH', 'CRITICAL']).map(v, v.id) == ['GHSA-aaaa-bbbb-cccc']",
            ],
        ),
        (
            "vuln-sarif.json",
            &[
                "severities(predicate) == ['CRITICAL', 'MEDIUM', 'LOW', 'CRITICAL'] && vulnerabilityCount(predicate) == 4",
                "vulnerabilities(predicate).map(v, v.id) == ['CVE-2026-0001', 'CVE-2026-0002', 'CVE-2026-0003', 'CVE-2026-0004']",
                "severities(predicate.scanner.result) == severities(predicate)",
            ],
        ),
    ] {
        let scene = Scene::fixture(name);
        for source in sources {
            assert!(scene.value(source), "{name}: {source}");
        }
    }
}

/// What each scanner writes when it found nothing, and what only looks like it.
#[test]
fn nothing_found_is_told_from_nothing_understood() {
    let trivy = |results: &str| format!(r#"{{"SchemaVersion":2,"ArtifactName":"x"{results}}}"#);
    let grype = |matches: &str| format!(r#"{{"matches":{matches},"descriptor":{{"name":"grype"}}}}"#);
    let sarif = |runs: &str| format!(r#"{{"version":"2.1.0","runs":{runs}}}"#);
    for clean in [
        trivy(r#","Results":[{"Target":"x (debian 13.1)","Class":"os-pkgs","Type":"debian"}]"#),
        trivy(r#","Results":[{"Target":"app","Class":"lang-pkgs","Vulnerabilities":null}]"#),
        trivy(r#","Results":[{"Target":"app","Class":"lang-pkgs","Vulnerabilities":[]}]"#),
        grype("[]"),
        sarif(r#"[{"tool":{"driver":{"name":"Trivy","rules":[]}},"results":[]}]"#),
        sarif(r#"[{"invocations":[{"executionSuccessful":true}],"results":[]}]"#),
    ] {
        for report in [clean.clone(), format!(r#"{{"scanner":{{"uri":"x","result":{clean}}}}}"#)] {
            let scene = Scene::with(&report);
            for source in [
                "severities(predicate) == []",
                "vulnerabilityCount(predicate) == 0",
                "worstSeverity(predicate) == 'NONE'",
            ] {
                assert!(scene.value(source), "{report}: {source}");
            }
        }
    }
    let not_one = "it is not a report of trivy, grype or in SARIF";
    let no_packages = "trivy scanned no packages";
    for (report, why) in [
        ("{}".to_string(), not_one),
        ("[]".into(), "it reads an object, this is a list"),
        (r#"{"Results":[]}"#.into(), not_one),
        (r#"{"matches":[]}"#.into(), not_one),
        (r#"{"matches":[],"descriptor":{"name":"other"}}"#.into(), not_one),
        (r#"{"runs":[]}"#.into(), not_one),
        (r#"{"version":"2.0.0","runs":[{"results":[]}]}"#.into(), not_one),
        (r#"{"vulnerabilities":[]}"#.into(), not_one),
        (fixture("cyclonedx-1.5.json"), not_one),
        (r#"{"scanner":{"result":"{}"}}"#.into(), "its `scanner.result` is not a report in JSON"),
        (r#"{"scanner":{}}"#.into(), "its `scanner.result` is not a report in JSON"),
        (
            r#"{"scanner":"trivy","SchemaVersion":2,"Results":[]}"#.into(),
            "its `scanner.result` is not a report in JSON",
        ),
        (
            r#"{"scanner":{"result":{"SchemaVersion":2,"matches":[],"descriptor":{"name":"grype"}}}}"#.into(),
            "the report of two scanners",
        ),
        (trivy(""), no_packages),
        (trivy(r#","Results":null"#), no_packages),
        (trivy(r#","Results":[]"#), no_packages),
        (trivy(r#","Results":[{"Target":"x","Class":"secret"}]"#), no_packages),
        (trivy(r#","Results":[{"Target":"x","Class":"config","Misconfigurations":[]}]"#), no_packages),
        (trivy(r#","Results":{}"#), "trivy's `Results` is no list"),
        (trivy(r#","Results":[7]"#), "an item of a list is no object"),
        (trivy(r#","Results":[{"Class":"os-pkgs","Vulnerabilities":{}}]"#), "trivy's `Vulnerabilities` is no list"),
        (trivy(r#","Results":[{"Class":"os-pkgs","Vulnerabilities":[{}]}]"#), "has no `VulnerabilityID`"),
        (
            trivy(
                r#","Results":[{"Class":"os-pkgs","Vulnerabilities":[{"VulnerabilityID":"x","Severity":"SEVERE"}]}]"#,
            ),
            "`SEVERE` is not a severity",
        ),
        (
            trivy(r#","Results":[{"Class":"os-pkgs","Vulnerabilities":[{"VulnerabilityID":"x","Severity":3}]}]"#),
            "a `Severity` is no text",
        ),
        (r#"{"SchemaVersion":1,"Results":[]}"#.into(), "trivy's schema 1 is not known"),
        (grype("null"), "grype's `matches` is no list"),
        (grype("[{}]"), "a match of grype has no `vulnerability`"),
        (grype(r#"[{"vulnerability":{"severity":"Low"},"artifact":{}}]"#), "has no `id`"),
        (grype(r#"[{"vulnerability":{"id":"x","severity":"Bad"},"artifact":{}}]"#), "`Bad` is not a severity"),
        (sarif("[]"), "there is no run in SARIF"),
        (sarif("[{}]"), "a run in SARIF has no list of results"),
        (sarif(r#"[{"results":null}]"#), "a run in SARIF has no list of results"),
        (sarif(r#"[{"results":[]},{"tool":{}}]"#), "a run in SARIF has no list of results"),
        (sarif(r#"[{"results":[{"ruleId":"x","ruleIndex":3}]}]"#), "names a rule that is not there"),
        (
            sarif(r#"[{"tool":{"driver":{"rules":[{"id":"y"}]}},"results":[{"ruleId":"x","ruleIndex":0}]}]"#),
            "names two rules",
        ),
        (sarif(r#"[{"results":[{"ruleId":"x","level":"fatal"}]}]"#), "`fatal` is not a level in SARIF"),
        (sarif(r#"[{"results":[{"ruleId":"x","properties":{"security-severity":"11"}}]}]"#), "`11` is not a score"),
        (sarif(r#"[{"results":[{"ruleId":"x","properties":{"security-severity":true}}]}]"#), "is not a score"),
        (sarif(r#"[{"results":[{}]}]"#), "names no rule"),
        (sarif(r#"[{"invocations":[{"executionSuccessful":false}],"results":[]}]"#), "did not succeed"),
        (
            sarif(r#"[{"results":[{"ruleId":"x","level":"none","rule":{"toolComponent":{"index":0}}}]}]"#),
            "a rule of an extension",
        ),
    ] {
        for source in [
            "severities(predicate) == []",
            "vulnerabilityCount(predicate) == 0",
            "vulnerabilityCount(predicate, 'CRITICAL') == 0",
            "worstSeverity(predicate) == 'NONE'",
            "vulnerabilities(predicate) == []",
        ] {
            let error = Scene::with(&report).error(source);
            assert!(error.contains(why), "{report} {source}: {error}");
        }
    }
}

#[test]
fn a_list_of_in_toto_is_read() {
    let report = |result: &str| format!(r#"{{"scanner":{{"uri":"x","result":{result}}}}}"#);
    let found = report(
        r#"[{"id":"CVE-1","severity":[{"method":"nvd","score":"medium"},{"method":"cvss_score","score":"9.1"}]},{"id":"CVE-2"}]"#,
    );
    let scene = Scene::with(&found);
    assert!(scene.value("severities(predicate) == ['CRITICAL', 'UNKNOWN']"));
    assert!(scene.value("vulnerabilities(predicate).map(v, v.id) == ['CVE-1', 'CVE-2']"));
    assert!(Scene::with(&report("[]")).value("vulnerabilityCount(predicate) == 0"));
    for (result, why) in [
        ("[7]", "an item of a list is no object"),
        ("[{}]", "a result has no `id`"),
        (r#"[{"id":"x","severity":"high"}]"#, "a `severity` is no list"),
        (r#"[{"id":"x","severity":[{"score":9.1}]}]"#, "a severity has no `score`"),
        (r#"[{"id":"x","severity":[{"score":"bad"}]}]"#, "`bad` is not a score from 0 to 10"),
    ] {
        let error = Scene::with(&report(result)).error("severities(predicate) == []");
        assert!(error.contains(why), "{result}: {error}");
    }
}

#[test]
fn severities_are_one_vocabulary() {
    let trivy = |severity: &str| {
        format!(
            r#"{{"SchemaVersion":2,"Results":[{{"Class":"os-pkgs","Vulnerabilities":[{{"VulnerabilityID":"x"{severity}}}]}}]}}"#
        )
    };
    for (written, expected) in [
        (r#","Severity":"CRITICAL""#, "CRITICAL"),
        (r#","Severity":"Medium""#, "MEDIUM"),
        (r#","Severity":"unknown""#, "UNKNOWN"),
        (r#","Severity":"""#, "UNKNOWN"),
        ("", "UNKNOWN"),
    ] {
        assert!(Scene::with(&trivy(written)).value(&format!("severities(predicate) == ['{expected}']")), "{written}");
    }
    let sarif = |result: &str| format!(r#"{{"version":"2.1.0","runs":[{{"results":[{{"ruleId":"x"{result}}}]}}]}}"#);
    for (written, expected) in [
        (r#","properties":{"security-severity":"9.0"}"#, "CRITICAL"),
        (r#","properties":{"security-severity":8.9}"#, "HIGH"),
        (r#","properties":{"security-severity":7}"#, "HIGH"),
        (r#","properties":{"security-severity":"6.9"}"#, "MEDIUM"),
        (r#","properties":{"security-severity":"3.9"}"#, "LOW"),
        (r#","properties":{"security-severity":"0.0"}"#, "UNKNOWN"),
        (r#","level":"error""#, "CRITICAL"),
        (r#","level":"note""#, "LOW"),
        (r#","level":"none""#, "UNKNOWN"),
        ("", "MEDIUM"),
    ] {
        assert!(Scene::with(&sarif(written)).value(&format!("severities(predicate) == ['{expected}']")), "{written}");
    }
}
