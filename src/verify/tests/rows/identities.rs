//! Whom a certificate names: names that look alike, and pipelines that run another's file.

use super::*;
use crate::demo::sigstore::identity::fulcio;
use crate::demo::sigstore::{Extension as X509Extension, San, der};

fn by(identity: &Identity) -> Candidate {
    bundle(&keyless(identity).sign(statement()).expect("signs"))
}

/// Wanted is this pattern for GitHub's issuer, without pins.
fn github(identity: Pattern) -> Stage {
    let issuer = "https://token.actions.githubusercontent.com".to_string();
    Stage { wanted: Wanted::Identity(Keyless { issuer, identity, pins: vec![] }), ..Stage::keyless() }
}

fn glob(text: &str) -> Pattern {
    Pattern::glob(text).expect("a pattern")
}

fn regex(text: &str) -> Pattern {
    Pattern::regex(text).expect("a pattern")
}

fn named(name: &str) -> Candidate {
    by(&Identity { names: vec![San::Uri(name.into())], ..Identity::github("org/repo") })
}

/// Patterns are for identities; whoever vouches for them is one text.
#[test]
pub(super) fn a21_an_issuer_is_no_pattern() {
    let wanting = |issuer: &str| {
        let wanted = Keyless { issuer: issuer.into(), identity: glob("**"), pins: vec![] };
        Stage { wanted: Wanted::Identity(wanted), ..Stage::keyless() }
    };
    let evidence = by(&Identity::email("a@myorg.test", "https://accounts.test"));
    wanting("https://accounts.test").accepts(&evidence);
    for issuer in ["https://accounts.*", "https://**", ".*", "https://accounts", "accounts.test"] {
        wanting(issuer).refuses([(issuer, evidence.clone(), IssuerMismatch)]);
    }
}

#[test]
pub(super) fn a33_a_regular_expression_is_not_ignored() {
    let stage = github(regex("https://github\\.com/org/.*"));
    stage.accepts(&by(&Identity::github("org/repo")));
    stage.refuses([("another", by(&Identity::github("other/repo")), IdentityMismatch)]);
}

#[test]
pub(super) fn o05_patterns_match_the_whole_name() {
    let evil = [
        "https://github.com/org-evil/x/.github/workflows/a.yml@refs/heads/main",
        "https://evil.example/?https://github.com/org/repo",
        "https://github.com.evil.example/org/repo",
        "https://githubXcom/org/repo",
        "https://github.com/ORG/repo",
        "xhttps://github.com/org/repo",
    ];
    for stage in [github(glob("https://github.com/org/**")), github(regex("https://github\\.com/org/.*"))] {
        stage.accepts(&named("https://github.com/org/repo"));
        stage.refuses_all(evil.map(|name| (name, named(name), IdentityMismatch)));
    }
    // A name of several lines is no URI at all.
    let lines = named("https://evil.example/\nhttps://github.com/org/repo");
    github(regex("https://github\\.com/org/.*")).refuses([("two lines", lines, CertificateInvalid)]);
    for exact in [github(glob("https://github.com/org")), github(regex("https://github\\.com/org"))] {
        exact.accepts(&named("https://github.com/org"));
        exact.refuses([
            ("longer", named("https://github.com/org/repo"), IdentityMismatch),
            (
                "a pull request",
                named("https://github.com/org/repo/.github/workflows/evil.yml@refs/heads/pr"),
                IdentityMismatch,
            ),
        ]);
    }
    // An alternative does not get out of its anchors.
    let either = github(regex("https://github\\.com/a|https://github\\.com/b"));
    either.accepts(&named("https://github.com/b"));
    either.refuses([("behind it", named("https://github.com/b/evil"), IdentityMismatch)]);
}

#[test]
pub(super) fn o06_refs_that_look_like_others() {
    let file = "https://github.com/org/repo/.github/workflows/release.yml";
    let stage = github(glob(&format!("{file}@refs/tags/v*")));
    let at = |reference: &str| named(&format!("{file}@{reference}"));
    stage.accepts(&at("refs/tags/v1.2.3"));
    stage.refuses([
        ("a branch that is called so", at("refs/heads/refs/tags/v1"), IdentityMismatch),
        ("a path back", at("refs/tags/v1/../../heads/x"), IdentityMismatch),
        ("two refs", at("refs/heads/x@refs/tags/v1"), IdentityMismatch),
        ("two refs, ours first", at("refs/tags/v1@refs/heads/x/y"), IdentityMismatch),
        ("another tag", at("refs/tags/x1"), IdentityMismatch),
    ]);
}

#[test]
pub(super) fn o07_issuers_that_look_alike_or_differ() {
    let stage = github(glob("https://github.com/org/**"));
    let good = Identity::github("org/repo");
    stage.accepts(&by(&good));
    let url = good.issuer.clone();
    let issued = |url: &str| by(&good.clone().issued_by(url));
    let with = |number: u64, value: Vec<u8>| {
        let recipe = keyless(&good);
        let recipe = recipe.with_template(|one| one.with(X509Extension::new(&fulcio(number), value)));
        bundle(&recipe.sign(statement()).expect("signs"))
    };
    stage.refuses([
        ("a longer host", issued(&format!("{url}.evil")), IssuerMismatch),
        ("a slash after", issued(&format!("{url}/")), IssuerMismatch),
        ("upper case", issued(&url.to_uppercase()), IssuerMismatch),
        ("another scheme", issued(&url.replace("https", "http")), IssuerMismatch),
        ("none", issued(""), IssuerMismatch),
        ("the old one right, the new one wrong", with(8, der::utf8("https://evil.test")), CertificateInvalid),
        ("the new one right, the old one wrong", with(1, b"https://evil.test".to_vec()), CertificateInvalid),
    ]);
    let without = |numbers: &[u64]| {
        let recipe = keyless(&good);
        let recipe = recipe.with_template(|one| numbers.iter().fold(one, |one, number| one.without(&fulcio(*number))));
        bundle(&recipe.sign(statement()).expect("signs"))
    };
    stage.accepts(&without(&[1]));
    stage.accepts(&without(&[8]));
    stage.refuses([("neither", without(&[1, 8]), CertificateInvalid)]);
}

#[test]
pub(super) fn o08_names_of_other_kinds_and_several() {
    let uri = "https://github.com/org/repo".to_string();
    let stage = github(glob("https://github.com/org/**"));
    let names = |names: Vec<San>| by(&Identity { names, ..Identity::github("org/repo") });
    let good = || San::Uri(uri.clone());
    let evil = || San::Uri("https://github.com/evil/repo".into());
    stage.accepts(&names(vec![good()]));
    stage.refuses([
        ("an e-mail address that reads as one", names(vec![San::Email(uri.clone())]), CertificateInvalid),
        ("a user name that reads as one", names(vec![San::Other(uri.clone())]), CertificateInvalid),
        ("a host name that reads as one", names(vec![San::Dns(uri.clone())]), CertificateInvalid),
        ("the allowed one first", names(vec![good(), evil()]), CertificateInvalid),
        ("the allowed one last", names(vec![evil(), good()]), CertificateInvalid),
        ("the allowed one twice", names(vec![good(), good()]), CertificateInvalid),
        ("an address beside it", names(vec![good(), San::Email("a@b.test".into())]), CertificateInvalid),
        ("none", names(vec![]), CertificateInvalid),
        ("garbage", names(vec![San::Raw(vec![0x86, 0x7f])]), CertificateInvalid),
    ]);
    let person = |wanted: &str| Stage {
        wanted: Wanted::Identity(Keyless {
            issuer: "https://accounts.test".into(),
            identity: glob(wanted),
            pins: vec![],
        }),
        ..Stage::keyless()
    };
    let by_address = |address: &str| by(&Identity::email(address, "https://accounts.test"));
    person("a@myorg.test").accepts(&by_address("a@myorg.test"));
    person("*@myorg.test").refuses([
        ("two at signs", by_address("a@evil.test@myorg.test"), CertificateInvalid),
        ("another host", by_address("a@myorg.test.evil.test"), IdentityMismatch),
    ]);
}

/// GitLab's name is the CI file's, which any project may include: only the source says who ran it.
#[test]
pub(super) fn o09_our_file_run_by_a_foreign_project() {
    let stage = Stage::keyless();
    stage.accepts(&by(&Identity::gitlab("myorg/app")));
    let file = "https://gitlab.com/myorg/ci//release.yml@refs/heads/main";
    stage.accepts(&by(&Identity::gitlab_including("myorg/app", file)));
    let foreign = by(&Identity::gitlab_including("evil/app", file));
    stage.refuses([
        ("a foreign project", foreign.clone(), ExtensionMismatch),
        ("one with a longer name", by(&Identity::gitlab_including("myorg-evil/app", file)), ExtensionMismatch),
    ]);
    // Without the pin it would pass, which is what `policy check` warns about.
    let Wanted::Identity(wanted) = stage.wanted.clone() else { unreachable!("it is keyless") };
    let unpinned = Stage { wanted: Wanted::Identity(Keyless { pins: vec![], ..wanted }), ..stage.clone() };
    unpinned.accepts(&foreign);
    let recipe = myorg();
    let sourceless = recipe.with_template(|one| one.without(&fulcio(12))).sign(statement()).expect("signs");
    stage.refuses([("no source at all", bundle(&sourceless), ExtensionMismatch)]);
}

/// Evidence of who is revoked counts no more, and takes nothing away from what others signed.
#[test]
pub(super) fn o20_a_signer_who_was_revoked_since() {
    let key = key();
    let stage = Stage::of(&[&key]);
    let good = stage.good(&SIGSTORE.keyed(&key, NOW));
    let revoked = Stage { revoked_keys: vec![Digest::of(&key.spki())], ..stage.clone() };
    revoked.refuses([("a key", bundle(&good), Revoked)]);
    let ended = Stage { validity: Validity { not_after: at(NOW), ..Validity::ALWAYS }, ..stage };
    ended.refuses([("a key that had ended", bundle(&good), KeyMismatch)]);
}
