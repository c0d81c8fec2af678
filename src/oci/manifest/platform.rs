//! The platform of a descriptor, as people read it. It decides nothing, so whatever stands there, the manifest is read.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `linux/arm/v7`, or as much of it as is there and can be shown.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let platform = Value::deserialize(deserializer)?;
    let parts = ["os", "architecture", "variant"].map(|part| platform.get(part).and_then(Value::as_str));
    let shown =
        |part: &str| part.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).take(32).collect();
    let parts: Vec<String> = parts.into_iter().flatten().map(shown).filter(|part: &String| !part.is_empty()).collect();
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_stands_there_can_be_read() {
        for (platform, expected) in [
            (json!({ "os": "linux", "architecture": "arm", "variant": "v7" }), "linux/arm/v7"),
            (json!({ "architecture": "amd64", "os": "linux", "os.version": "10", "features": [1] }), "linux/amd64"),
            (json!({ "os": "unknown", "architecture": "unknown" }), "unknown/unknown"),
            (json!({ "os": 1, "architecture": "amd64" }), "amd64"),
            (json!({ "os": "li\nnux\u{202e}", "architecture": "a".repeat(99) }), &format!("linux/{}", "a".repeat(32))),
            (json!(null), ""),
            (json!([]), ""),
            (json!("linux"), ""),
        ] {
            assert_eq!(text(&platform).expect("text"), expected, "{platform}");
        }
    }
}
