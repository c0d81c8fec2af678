//! Identities that match less, or more, than their author thinks.

use crate::policy::scope::Glob;
use crate::policy::{Extension, Keyless, Pattern, RevokedIdentity};

/// What is known of an issuer's certificates.
struct Shape {
    /// Their subject alternative names.
    identity: String,
    /// Their source repositories and owners.
    source: String,
}

/// What deserves a look.
pub(super) fn warnings(keyless: &Keyless) -> impl Iterator<Item = String> {
    let mut warnings = Vec::new();
    if let Pattern::Regex(regex) = &keyless.identity
        && has_bare_dot(regex.as_str())
    {
        warnings.push("in `identityRegex` a `.` between two letters is any character; write `\\.`".to_string());
    }
    let Some(shape) = shape(&keyless.issuer) else { return warnings.into_iter() };
    if !keyless.pins.iter().any(|pin| SOURCE.contains(&pin.extension)) {
        warnings.push(
            "the identity names the pipeline's file, which a foreign project may include; pin `sourceRepository` too"
                .into(),
        );
    }
    let misses = |pattern: &Pattern, shape: &str| match pattern {
        Pattern::Glob(glob) => !glob.meets(&Glob::parse(shape)),
        Pattern::Regex(_) => false,
    };
    let mut expect = |key: &str, pattern: &Pattern, shape: &str| {
        if misses(pattern, shape) {
            warnings.push(format!("no `{key}` of {} matches `{pattern}`; they look like `{shape}`", keyless.issuer));
        }
    };
    expect("identity", &keyless.identity, &shape.identity);
    for pin in &keyless.pins {
        if matches!(pin.extension, Extension::SourceRepository | Extension::SourceRepositoryOwner) {
            expect(pin.extension.key(), &pin.value, &shape.source);
        }
    }
    warnings.into_iter()
}

/// A revocation that revokes nobody, because its pattern does not reach as far as its author thinks.
pub(super) fn idle(revoked: &RevokedIdentity) -> Option<String> {
    let Pattern::Glob(glob) = &revoked.identity else { return None };
    let text = glob.to_string();
    let issuer = match &revoked.issuer {
        Some(issuer) => issuer.clone(),
        None if text.starts_with("https://github.com/") => GITHUB.into(),
        None => text.split('/').take(3).collect::<Vec<_>>().join("/"),
    };
    let shape = shape(&issuer)?.identity;
    let idle = !glob.meets(&Glob::parse(&shape));
    idle.then(|| format!("the revoked identity `{text}` is nobody's: those of {issuer} look like `{shape}`"))
}

/// The shape that Fulcio gives to what GitHub's and GitLab's tokens say; other issuers are not known.
fn shape(issuer: &str) -> Option<Shape> {
    if issuer == GITHUB {
        let identity = "https://github.com/*/*/.github/workflows/**@**".into();
        return Some(Shape { identity, source: "https://github.com/**".into() });
    }
    let host = issuer.strip_prefix("https://")?;
    let gitlab = host.starts_with("gitlab.") && !host.contains('/');
    gitlab.then(|| Shape { identity: format!("{issuer}/**//**@**"), source: format!("{issuer}/**") })
}

/// The issuer of GitHub's workflows.
const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// Whether a dot that means any character stands where a host's name has its dots.
fn has_bare_dot(regex: &str) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric();
    regex.as_bytes().windows(3).any(|three| word(&three[0]) && three[1] == b'.' && word(&three[2]))
}

/// Pins that say whose project was built.
const SOURCE: [Extension; 4] = [
    Extension::SourceRepository,
    Extension::SourceRepositoryId,
    Extension::SourceRepositoryOwner,
    Extension::SourceRepositoryOwnerId,
];
