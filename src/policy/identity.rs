//! Who a certificate must name: an issuer, an identity, and pins on what Fulcio says of the build.

use std::fmt;

/// What a keyless signature's certificate must say. All of it, on the same certificate; without issuer and identity it
/// cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyless {
    /// The OIDC issuer, exactly.
    pub issuer: String,
    /// The one subject alternative name.
    pub identity: Pattern,
    /// Further extensions that are pinned.
    pub pins: Vec<Pin>,
}

/// An extension of the certificate and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Which one.
    pub extension: Extension,
    /// Its value.
    pub value: Pattern,
}

macro_rules! extensions {
    ($($variant:ident $key:literal $number:literal $meaning:literal)*) => {
        /// An extension that Fulcio writes under `1.3.6.1.4.1.57264.1`, by its name in the policy file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Extension {
            $(#[doc = $meaning] $variant,)*
        }

        impl Extension {
            /// Every one that can be pinned.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its key in the policy file.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }

            /// Its last number, as `formats.md` 1.5 and Fulcio's `oid-info` list them.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }
        }
    };
}

extensions! {
    BuildSigner "buildSigner" 9 "The build configuration that asked for the certificate."
    BuildSignerDigest "buildSignerDigest" 10 "Its commit."
    RunnerEnvironment "runnerEnvironment" 11 "The kind of runner."
    SourceRepository "sourceRepository" 12 "The repository that was built."
    SourceDigest "sourceDigest" 13 "The commit that was built."
    SourceRef "sourceRef" 14 "The ref that was built."
    SourceRepositoryId "sourceRepositoryId" 15 "The repository's unchanging number."
    SourceRepositoryOwner "sourceRepositoryOwner" 16 "The repository's owner."
    SourceRepositoryOwnerId "sourceRepositoryOwnerId" 17 "The owner's unchanging number."
    BuildConfig "buildConfig" 18 "The build configuration that ran."
    BuildConfigDigest "buildConfigDigest" 19 "Its commit."
    Trigger "trigger" 20 "The event that began the build."
    RunInvocation "runInvocation" 21 "The run."
    SourceRepositoryVisibility "sourceRepositoryVisibility" 22 "Whether the repository was public."
    DeploymentEnvironment "deploymentEnvironment" 23 "The environment that was deployed to."
    TokenSubject "tokenSubject" 24 "The identity token's subject."
}

/// A pattern over a whole text: anchored at both ends, or it does not exist.
#[derive(Clone)]
pub enum Pattern {
    /// `*` stays between slashes, `**` crosses them, everything else is literal.
    Glob(super::scope::Glob),
    /// A regular expression that must match the whole.
    Regex(regex::Regex),
}

impl Pattern {
    /// Parses a glob.
    ///
    /// # Errors
    /// If it is empty or too long.
    pub fn glob(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() || text.len() > MAX_LENGTH {
            return Err(PatternError("a pattern has 1 to 1024 characters".into()));
        }
        Ok(Self::Glob(super::scope::Glob::parse(text)))
    }

    /// Parses a regular expression, and anchors it.
    ///
    /// # Errors
    /// If it is empty, not a regular expression, or too large when compiled.
    pub fn regex(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() || text.len() > MAX_LENGTH {
            return Err(PatternError("a pattern has 1 to 1024 characters".into()));
        }
        let anchored = format!("^(?:{text})$");
        let built = regex::RegexBuilder::new(&anchored).size_limit(MAX_COMPILED).build();
        // Checked alone as well: `a)|(b` would escape the anchors.
        regex::Regex::new(text).map_err(|error| PatternError(in_a_line(&error)))?;
        built.map(Self::Regex).map_err(|error| PatternError(in_a_line(&error)))
    }

    /// Whether the pattern covers the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Glob(glob) => glob.matches(text.as_bytes()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glob(glob) => fmt::Display::fmt(glob, f),
            Self::Regex(regex) => write!(f, "/{}/", regex.as_str()),
        }
    }
}

/// Unlike the text for people, it tells a glob from a regular expression: revisions are made of it.
impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glob(glob) => write!(f, "glob {glob}"),
            Self::Regex(regex) => write!(f, "regex {}", regex.as_str()),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

impl Eq for Pattern {}

/// The text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

/// What is wrong with a regular expression, without the drawing around it.
fn in_a_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default();
    format!("not a regular expression: {}", last.strip_prefix("error: ").unwrap_or(last))
}

/// The longest pattern, in bytes.
const MAX_LENGTH: usize = 1024;

/// The largest compiled regular expression, in bytes.
const MAX_COMPILED: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored() {
        let glob = |text| Pattern::glob(text).expect(text);
        let regex = |text| Pattern::regex(text).expect(text);
        let real = "https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main";
        for (pattern, text, expected) in [
            (glob("https://gitlab.com/myorg/**"), real, true),
            (glob("https://gitlab.com/myorg/*"), real, false),
            (glob("https://gitlab.com/myorg/**"), "https://gitlab.com/myorg-evil/app//x@y", false),
            (glob("https://gitlab.com/myorg/**"), "https://evil.example/?https://gitlab.com/myorg/a", false),
            (glob("a.c"), "abc", false),
            (regex(r"https://gitlab\.com/myorg/.*"), real, true),
            (regex("gitlab"), real, false),
            (regex("a|b"), "ab", false),
            (regex("(?m)x"), "x\nevil", false),
            (regex("x"), "x\n", false),
        ] {
            assert_eq!(pattern.matches(text), expected, "{pattern} {text}");
        }
        for bad in ["", "(", "a)|(b"] {
            assert!(Pattern::regex(bad).is_err(), "{bad}");
        }
        assert!(Pattern::glob("").is_err());
    }
}
