//! Error codes of the distribution specification and their form on the wire.

use serde::Serialize;

/// A code of the distribution specification, section "Error codes", and the ones that registries add to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// A blob is not known to the registry.
    BlobUnknown,
    /// The policy says no.
    Denied,
    /// The digest cannot be parsed.
    DigestInvalid,
    /// The manifest is not known to the registry.
    ManifestUnknown,
    /// The repository's name cannot be parsed.
    NameInvalid,
    /// The repository is not known to the registry.
    NameUnknown,
    /// The caller has to say who it is.
    Unauthorized,
    /// No answer can be given now.
    Unavailable,
    /// The operation is not offered.
    Unsupported,
}

/// The body of an error response: `{"errors":[{"code":…,"message":…}]}`.
pub fn body(code: ErrorCode, message: &str) -> Vec<u8> {
    serde_json::json!({ "errors": [{ "code": code, "message": message }] }).to_string().into_bytes()
}
