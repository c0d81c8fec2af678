//! How bad a finding is: one vocabulary for every scanner.

/// From the least to the worst. What a scanner does not know is named, and counts least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    Unknown,
    Negligible,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    const ALL: [Self; 6] = [Self::Unknown, Self::Negligible, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The severity that a scanner, or a condition, calls so; case does not count, nothing means unknown.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        if word.is_empty() {
            return Ok(Self::Unknown);
        }
        let known = Self::ALL.into_iter().find(|severity| severity.word().eq_ignore_ascii_case(word));
        known.ok_or_else(|| format!("`{word}` is not a severity such as `CRITICAL`"))
    }

    /// The severity of a score between 0 and 10, by the bounds of CVSS 3.
    pub(super) fn of_score(score: &str) -> Result<Self, String> {
        match score.parse::<f64>() {
            Ok(9.0..=10.0) => Ok(Self::Critical),
            Ok(7.0..9.0) => Ok(Self::High),
            Ok(4.0..7.0) => Ok(Self::Medium),
            Ok(0.1..4.0) => Ok(Self::Low),
            Ok(0.0..0.1) => Ok(Self::Unknown),
            _ => Err(format!("`{score}` is not a score from 0 to 10")),
        }
    }

    /// Its word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Negligible => "NEGLIGIBLE",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}
