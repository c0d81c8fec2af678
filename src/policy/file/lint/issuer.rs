//! What is known of issuers: what Fulcio makes of their tokens.

use crate::policy::Pattern;
use crate::policy::scope::Glob;

/// What is known of an issuer's certificates.
pub(super) struct Shape {
    /// Their subject alternative names.
    pub(super) identity: String,
    /// One of them.
    pub(super) example: String,
    /// Whether a certificate names the file that was run, which a foreign project may include, and the project too.
    pub(super) ci: Option<Ci>,
    /// Whose issuer it is: a stranger's identity, if anybody can get one.
    pub(super) stranger: Option<String>,
}

/// What is known of certificates for pipelines.
pub(super) struct Ci {
    /// Where source repositories are, such as `https://gitlab.com`.
    pub(super) host: String,
    /// What the runners are called that are not one's own.
    pub(super) hosted: &'static str,
}

impl Shape {
    fn of(identity: &str, example: &str, stranger: Option<&str>) -> Self {
        let stranger = stranger.map(str::to_string);
        Self { identity: identity.into(), example: example.into(), ci: None, stranger }
    }

    /// Whether no identity looks so.
    pub(super) fn excludes(&self, pattern: &Pattern) -> bool {
        excludes(&self.identity, pattern)
    }
}

/// Whether no text of this shape matches `pattern`. Of a regular expression only its beginning is looked at.
pub(super) fn excludes(shape: &str, pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Glob(glob) => !glob.meets(&Glob::parse(shape)),
        Pattern::Regex(regex) => {
            let begins = literal_beginning(regex.as_str());
            !Glob::parse(&format!("{begins}**")).meets(&Glob::parse(&format!("{shape}**")))
        }
    }
}

/// What is known of `issuer`: the shapes that Fulcio's public instance gives to its certificates.
pub(super) fn shape(issuer: &str) -> Option<Shape> {
    let host = issuer.strip_prefix("https://")?;
    let gitlab =
        (host.starts_with("gitlab.") || ["dev.gitlab.org", "ops.gitlab.net"].contains(&host)) && !host.contains('/');
    if gitlab {
        let of = |path: &str| format!("{issuer}/{path}//.gitlab-ci.yml@refs/heads/main");
        return Some(Shape {
            identity: format!("{issuer}/**//**@**"),
            example: of("group/project"),
            ci: Some(Ci { host: issuer.into(), hosted: "gitlab-hosted" }),
            stranger: (host == "gitlab.com").then(|| of(STRANGER)),
        });
    }
    if is_or_below(issuer, GITHUB) {
        let of = |path: &str| format!("https://github.com/{path}/.github/workflows/build.yml@refs/heads/main");
        return Some(Shape {
            identity: "https://github.com/*/*/.github/workflows/**@**".into(),
            example: of("owner/repository"),
            ci: Some(Ci { host: "https://github.com".into(), hosted: "github-hosted" }),
            stranger: Some(of(STRANGER)),
        });
    }
    if EMAIL.contains(&issuer) {
        return Some(Shape::of("**@**", "somebody@company.com", Some("stranger-5b1f@elsewhere-77.example")));
    }
    if issuer == "https://agent.buildkite.com" {
        let stranger = format!("https://buildkite.com/{STRANGER}");
        return Some(Shape::of("https://buildkite.com/*/*", "https://buildkite.com/org/pipeline", Some(&stranger)));
    }
    if is_or_below(issuer, "https://oidc.circleci.com") {
        let example = "https://circleci.com/api/v2/projects/ID/pipeline-definitions/ID";
        let stranger = example.replace("ID", "5b1f77aa");
        return Some(Shape::of(&example.replace("ID", "*"), example, Some(&stranger)));
    }
    let kubernetes = KUBERNETES.iter().any(|known| Glob::parse(known).matches(issuer.as_bytes()));
    kubernetes.then(|| {
        let example = "https://kubernetes.io/namespaces/default/serviceaccounts/builder";
        Shape::of("https://kubernetes.io/namespaces/*/serviceaccounts/*", example, None)
    })
}

/// What was meant by an issuer that no certificate names.
pub(super) fn misspelled(issuer: &str) -> Option<String> {
    let known = |text: &str| shape(text).is_some().then(|| text.to_string());
    let bare = issuer.trim_end_matches('/');
    let bare = bare.strip_prefix("http://").unwrap_or(bare);
    let candidates = [bare.to_string(), format!("https://{bare}")];
    candidates.iter().filter(|candidate| *candidate != issuer).find_map(|candidate| known(candidate))
}

/// Whose identity it is, if nobody says.
pub(super) fn of_identity(identity: &str) -> String {
    if identity.starts_with("https://github.com/") {
        return GITHUB.into();
    }
    identity.split('/').take(3).collect::<Vec<_>>().join("/")
}

/// The text that everything which a regular expression matches begins with.
fn literal_beginning(regex: &str) -> String {
    // The pattern was anchored when it was parsed.
    let inner = regex.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$")).unwrap_or(regex);
    let mut text = String::new();
    if inner.contains('|') || inner.contains("(?") {
        return text;
    }
    let mut characters = inner.trim_start_matches('^').chars().peekable();
    while let Some(character) = characters.next() {
        let literal = match character {
            '\\' => characters.next().filter(char::is_ascii_punctuation),
            '.' | '[' | '(' | ')' | '^' | '$' | '*' | '+' | '?' | '{' => None,
            other => Some(other),
        };
        // A `*` of the text would be a wildcard of the glob: it ends there.
        let Some(literal) = literal.filter(|literal| *literal != '*') else { break };
        if characters.peek().is_some_and(|next| ['*', '?', '{', '+'].contains(next)) {
            break;
        }
        text.push(literal);
    }
    text
}

fn is_or_below(issuer: &str, known: &str) -> bool {
    issuer.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') && rest.len() > 1)
}

/// The issuer of GitHub's workflows; enterprises have their own below it.
const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// Nobody's project.
pub(super) const STRANGER: &str = "stranger-5b1f/anything-77";

/// Issuers that vouch for mail addresses, as certificates name them.
const EMAIL: [&str; 4] = [
    "https://accounts.google.com",
    "https://github.com/login/oauth",
    "https://login.microsoftonline.com",
    "https://oauth2.sigstore.dev/auth",
];

/// Issuers of Kubernetes clusters.
const KUBERNETES: [&str; 6] = [
    "https://oidc.eks.*.amazonaws.com/id/*",
    "https://container.googleapis.com/v1/projects/*/locations/*/clusters/*",
    "https://oidc.prod-aks.azure.com/*",
    "https://*.oic.prod-aks.azure.com/**",
    "https://kubernetes.default.svc",
    "https://kubernetes.default.svc.*",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_and_strangers_have_the_shape_of_their_issuer() {
        for issuer in [
            "https://gitlab.com",
            "https://gitlab.company.com",
            GITHUB,
            "https://token.actions.githubusercontent.com/company",
            "https://accounts.google.com",
            "https://agent.buildkite.com",
            "https://oidc.circleci.com/org/1",
            "https://oidc.eks.eu-west-1.amazonaws.com/id/X",
            "https://kubernetes.default.svc.cluster.local",
        ] {
            let shape = shape(issuer).expect(issuer);
            for one in shape.stranger.iter().chain([&shape.example]) {
                assert!(Glob::parse(&shape.identity).matches(one.as_bytes()), "{issuer}: {one}");
            }
        }
        for issuer in
            ["https://gitlab.com/", "https://accounts.test", "https://gitlab.com/x", GITHUB.trim_end_matches('m')]
        {
            assert!(shape(issuer).is_none(), "{issuer}");
        }
    }

    #[test]
    fn what_a_regular_expression_begins_with_is_known_if_it_is_certain() {
        for (regex, expected) in [
            (r"https://gitlab\.com/org/.*", "https://gitlab.com/org/"),
            (r"https://gitlab\.com/orgs?/.*", "https://gitlab.com/org"),
            (r"^https://x$", "https://x"),
            ("a|b", ""),
            ("(?i)a", ""),
            (r"a\*b", "a"),
            (r"ab\d", "ab"),
            ("", ""),
        ] {
            assert_eq!(literal_beginning(&format!("^(?:{regex})$")), expected, "{regex}");
        }
    }

    #[test]
    fn an_issuer_is_named_exactly() {
        for (issuer, expected) in [
            ("gitlab.com", Some("https://gitlab.com")),
            ("http://gitlab.com/", Some("https://gitlab.com")),
            ("https://accounts.google.com/", Some("https://accounts.google.com")),
            ("https://gitlab.com", None),
            ("https://tenant.accounts.test/", None),
        ] {
            assert_eq!(misspelled(issuer).as_deref(), expected, "{issuer}");
        }
    }
}
