//! `{"name": …, "tags": […]}`.

use serde_json::json;

use crate::oci::{Tag, tags};
use crate::upstream::UpstreamError;

/// The same list under the name by which the client asked for it.
pub(super) fn rewritten(bytes: &[u8], path: &str) -> Result<Vec<u8>, UpstreamError> {
    let tags = tags::parse(bytes).map_err(|_| UpstreamError::Malformed("it is not a list of tags"))?;
    let tags: Vec<_> = tags.iter().map(Tag::as_str).collect();
    let name = path.trim_start_matches("/v2/").trim_end_matches("/tags/list");
    Ok(json!({ "name": name, "tags": tags }).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &str) -> Option<String> {
        let bytes = rewritten(bytes.as_bytes(), "/v2/r.io/a/tags/list").ok()?;
        Some(String::from_utf8(bytes).expect("text"))
    }

    #[test]
    fn only_tags_are_relayed_under_the_name_that_was_asked_for() {
        for (sent, tags) in [
            (r#"{"name":"a","tags":["1","v2"]}"#, r#"["1","v2"]"#),
            (r#"{"tags":null}"#, "[]"),
            (r#"{"name":7,"tags":[],"manifest":{"sha256:x":{}}}"#, "[]"),
            (r#"{"tags":["1","a/b","","<script>","x\u0000"]}"#, r#"["1"]"#),
        ] {
            assert_eq!(read(sent).as_deref(), Some(format!(r#"{{"name":"r.io/a","tags":{tags}}}"#).as_str()), "{sent}");
        }
        for sent in [
            "",
            "<html>",
            "[]",
            r#"{"errors":[]}"#,
            r#"{"tags":"1"}"#,
            r#"{"tags":[1]}"#,
            r#"{"tags":[],"tags":["1"]}"#,
            "{}{}",
        ] {
            assert_eq!(read(sent), None, "{sent}");
        }
    }
}
