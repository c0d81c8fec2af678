//! Virtual signers say of themselves what their certificates are to say, and policies can pin all of it.

use super::*;

/// Whether a policy that wants `wanted` takes the signature of `by`.
fn counts(wanted: &str, by: &str) -> Answer {
    let policy = format!(
        "trustRoots: {{ r: {{ file: none }} }}\nauthorities: {{ who: {{ keyless: {{ trustRoot: r, {wanted} }} }} }}\npolicies: [ {{ \
         name: p, match: [ \"**/**\" ], require: {{ signature: {{ by: who }} }} }} ]\n"
    );
    let tests = format!(
        "policy: ../policy.yaml\ncases: [ {{ name: a, image: r.io/app:1, evidence: [ {{ signature: {{ by: {by} }} }} ], expect: allow }} ]\n"
    );
    let folder = folder(&policy, &tests);
    let suites = loaded(&folder).unwrap_or_else(|errors| panic!("{errors}"));
    let outcomes = suites[0].run().expect("randomness");
    outcomes[0].answer.clone()
}

#[test]
fn certificates_say_what_the_case_says() {
    let gitlab = "issuer: https://gitlab.com, identity: \"https://gitlab.com/myorg/app//.gitlab-ci.yml@";
    let github = "issuer: https://token.actions.githubusercontent.com, identity: \"https://github.com/myorg/app/.github/workflows/release.yml@";
    for (wanted, by) in [
        (format!("{gitlab}refs/heads/main\""), "{ gitlab: myorg/app }"),
        (format!("{gitlab}refs/tags/v1\", sourceRef: refs/tags/v1"), "{ gitlab: myorg/app, sourceRef: refs/tags/v1 }"),
        (
            format!("{gitlab}refs/heads/main\", sourceRepository: https://gitlab.com/evil/app"),
            "{ gitlab: myorg/app, sourceRepository: https://gitlab.com/evil/app }",
        ),
        (format!("{gitlab}refs/heads/main\", trigger: schedule"), "{ gitlab: myorg/app, trigger: schedule }"),
        (
            format!("{gitlab}refs/heads/main\", sourceRepository: https://gitlab.com/evil/app"),
            "{ gitlab: evil/app, identity: https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main }",
        ),
        (format!("{github}refs/heads/main\", trigger: push"), "{ github: myorg/app }"),
        (
            format!(
                "{github}refs/tags/v1\", buildConfig: \"https://github.com/myorg/app/.github/workflows/release.yml@refs/tags/v1\""
            ),
            "{ github: myorg/app, sourceRef: refs/tags/v1 }",
        ),
        (
            "issuer: https://i.test, identity: alice@company.com".into(),
            "{ identity: alice@company.com, issuer: https://i.test }",
        ),
        (
            "issuer: https://i.test, identity: https://x.test/y, tokenSubject: z".into(),
            "{ identity: https://x.test/y, issuer: https://i.test, tokenSubject: z }",
        ),
        ("issuer: https://i.test, identity: alice!i.test".into(), "{ identity: alice!i.test, issuer: https://i.test }"),
        (
            "issuer: https://own.test, identity: \"https://gitlab.com/**\"".into(),
            "{ gitlab: myorg/app, issuer: https://own.test }",
        ),
    ] {
        let answer = counts(&wanted, by);
        assert_eq!(answer.verdict, Verdict::Allow, "{wanted} {by}: {answer:?}");
    }
}

#[test]
fn others_do_not_count() {
    let wanted = "issuer: https://gitlab.com, identity: \"https://gitlab.com/myorg/**\", sourceRepository: \"https://gitlab.com/myorg/**\"";
    for (by, cause) in [
        ("{ gitlab: other/app }", "identity_mismatch"),
        ("{ gitlab: myorg/app, issuer: https://gitlab.evil }", "issuer_mismatch"),
        ("{ gitlab: myorg/app, sourceRepository: https://gitlab.com/evil/app }", "extension_mismatch"),
        ("{ identity: https://gitlab.com/myorg/app, issuer: https://gitlab.com }", "extension_mismatch"),
        ("{ stranger: x }", "identity_mismatch"),
    ] {
        let answer = counts(wanted, by);
        assert_eq!(answer.verdict, Verdict::Deny, "{by}: {answer:?}");
        if !by.contains("stranger") {
            assert_eq!(answer.cause.map(|cause| cause.to_string()).as_deref(), Some(cause), "{by}: {answer:?}");
        }
    }
}
