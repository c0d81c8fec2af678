//! The whole of what is said and written for each fixture.

use super::*;

/// The name of what is expected, and what it is made of.
fn cases() -> Vec<(&'static str, Vec<Source>)> {
    let alone = ["actions", "attestors", "conditions", "identities", "references", "refused", "trust"];
    let alone = alone.into_iter().map(|name| (name, vec![fixture(&format!("{name}.yaml"))]));
    alone.chain([("company", company().to_vec())]).collect()
}

#[test]
fn every_fixture_is_translated_and_reported_as_expected() {
    for (name, sources) in cases() {
        let imported = import(&sources).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(imported.report.to_string(), fixture(&format!("{name}.report.txt")).text, "{name}");
        match imported.policy {
            Some(policy) => assert_eq!(policy, fixture(&format!("{name}.expected.yaml")).text, "{name}"),
            None => assert_eq!(name, "refused"),
        }
        assert_eq!(imported.report.is_complete(), name != "refused", "{name}");
    }
}

#[test]
fn what_is_written_is_what_the_loader_takes() {
    for (name, sources) in cases() {
        let Some(policy) = import(&sources).expect(name).policy else { continue };
        let names: Vec<String> = load(&policy).all().iter().map(|policy| policy.name().to_string()).collect();
        assert_eq!(names, import(&sources).expect(name).report.policies, "{name}");
    }
}

#[test]
fn the_same_attestor_is_one_authority_and_order_does_not_matter_to_it() {
    let [signatures, sbom, provenance] = company();
    let one = import(&[signatures.clone(), sbom.clone(), provenance.clone()]).expect("imports").policy;
    let other = import(&[sbom, provenance, signatures]).expect("imports").policy;
    for policy in [one, other].into_iter().flatten() {
        assert_eq!(load(&policy).authorities().count(), 1, "{policy}");
    }
}

/// What stands in one entry, or beside it, and what must be said about it.
#[test]
fn what_cannot_be_translated_is_told_where_it_stands() {
    let text = fixture("verify-signatures.yaml").text;
    for (from, to, line, said) in [
        ("issuer: \"https://gitlab.com\"", "isuer: \"https://gitlab.com\"", 29, "did you mean `issuer`?"),
        ("count: 1", "count: 2", 25, "expected a number from 0 to 1"),
        ("count: 1", "count: one", 25, "expected a number from 0 to 1"),
        ("kinds: [ Pod ]", "kinds: [ Pod ]\n              selector: {}", 18, "a pull has no resource"),
        ("required: true", "required: true\n          verified: true", 24, "it is no field that is known here"),
        ("mutateDigest: true", "annotations: { a: b }", 21, "it is deprecated"),
        ("background: false", "admission: false", 9, "refuses nothing"),
        ("failurePolicy: Fail", "failurePolicy: Open", 11, "neither `Fail` nor `Ignore`"),
        ("validationFailureAction: Enforce", "validationFailureAction: enforced", 8, "neither `Audit` nor `Enforce`"),
        ("url: https://rekor.sigstore.dev", "url: rekor", 31, "`rekor` is not a URL"),
        ("- \"registry.company.com/*\"", "- \"registry.company.com/[ab]\"", 20, "it can match no image"),
        ("- \"registry.company.com/*\"", "- \"a*b*c*d*e*f*g*/x\"", 20, "more than 6 wildcards"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let Imported { policy, report } =
            import(&[Source { name: "p.yaml".into(), text: changed }]).unwrap_or_else(|errors| panic!("{errors}"));
        let refused = report.findings.iter().filter(|finding| finding.class == Class::NotTranslatable);
        let told = refused.filter(|finding| finding.line == line && finding.text.contains(said)).count();
        assert_eq!(told, 1, "{to}: line {line}, {said}\n{report}");
        assert!(policy.is_none(), "{to}: what cannot be translated is left out as a whole");
        assert_eq!(report.left_out, ["verify-signatures"], "{to}");
    }
}

#[test]
fn a_file_that_is_no_yaml_is_shown_with_its_place() {
    for (text, said) in [
        ("a: [\n", "p.yaml:"),
        ("", "p.yaml: the file says nothing"),
        ("kind: ClusterPolicy\nkind: Policy\n", "p.yaml:2:1: duplicate key `kind`"),
        ("spec: {{ .Values.policy }}\n", "p.yaml:1:"),
    ] {
        let errors = import(&[Source { name: "p.yaml".into(), text: text.into() }]).expect_err(text);
        assert!(errors.to_string().starts_with(said), "{text}: {errors}");
    }
}
