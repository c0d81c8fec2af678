//! Predicate types, and the short names that cosign's `--type` has for some of them.

use url::Url;

use crate::yaml::did_you_mean;

/// Expands one of cosign's short names, and takes any other absolute URI as it is: types compare exactly.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(text: &str) -> Result<String, String> {
    if let Some((_, uri)) = SHORT.iter().find(|(short, _)| *short == text) {
        return Ok((*uri).into());
    }
    if Url::parse(text).is_ok() {
        return Ok(text.into());
    }
    let hint = did_you_mean(text, SHORT.iter().map(|(short, _)| *short));
    Err(format!("`{text}` is neither a URI nor a predicate type that cosign has a name for{hint}"))
}

/// `cmd/cosign/cli/options/predicate.go` of cosign 2 and 3.
pub(super) const SHORT: [(&str, &str); 10] = [
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("link", "https://in-toto.io/Link/v1"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("openvex", "https://openvex.dev/ns"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_expand_and_uris_stay() {
        assert_eq!(parse("vuln").as_deref(), Ok("https://cosign.sigstore.dev/attestation/vuln/v1"));
        assert_eq!(parse("https://slsa.dev/provenance/v1/").as_deref(), Ok("https://slsa.dev/provenance/v1/"));
        assert!(parse("cyclonedex").is_err_and(|why| why.ends_with("did you mean `cyclonedx`?")));
        assert!(parse("slsa.dev/provenance/v1").is_err());
        assert!(parse("").is_err());
    }
}
