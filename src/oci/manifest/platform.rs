//! The platform of a descriptor, as people read it. It decides nothing.

use serde::Deserialize;

/// What content is for.
#[derive(Deserialize)]
pub(super) struct Platform {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

impl Platform {
    /// `linux/arm/v7`, or as much of it as is there and can be shown.
    pub(super) fn text(&self) -> String {
        let shown =
            |part: &String| part.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).take(32).collect();
        let parts = [&self.os, &self.architecture, &self.variant].into_iter().flatten().map(shown);
        parts.filter(|part: &String| !part.is_empty()).collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn as_much_is_shown_as_can_be() {
        for (platform, expected) in [
            (json!({ "os": "linux", "architecture": "arm", "variant": "v7" }), "linux/arm/v7"),
            (json!({ "architecture": "amd64", "os": "linux", "os.version": "10", "features": [1] }), "linux/amd64"),
            (json!({ "os": "unknown", "architecture": "unknown" }), "unknown/unknown"),
            (json!({ "os": null, "architecture": "amd64" }), "amd64"),
            (json!({ "os": "li\nnux\u{202e}", "architecture": "a".repeat(99) }), &format!("linux/{}", "a".repeat(32))),
            (json!({}), ""),
        ] {
            let read: Platform = serde_json::from_value(platform.clone()).expect("a platform");
            assert_eq!(read.text(), expected, "{platform}");
        }
    }
}
