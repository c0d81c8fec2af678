//! `{"name": …, "tags": […]}`.

use serde::Deserialize;
use serde_json::json;

use crate::oci::Tag;
use crate::strict_json::{self, Object};
use crate::upstream::UpstreamError;

#[derive(Deserialize)]
struct List {
    /// `null` where a registry means none; it is always there.
    #[serde(deserialize_with = "Option::deserialize")]
    tags: Option<Vec<String>>,
}

/// The same list under the name by which the client asked for it, without what is no tag: nothing could be pulled by it.
pub(super) fn rewritten(bytes: &[u8], path: &str) -> Result<Vec<u8>, UpstreamError> {
    const MALFORMED: UpstreamError = UpstreamError::Malformed("it is not a list of tags");
    let Object(List { tags }) = strict_json::parse(bytes).map_err(|_| MALFORMED)?;
    let tags: Vec<_> = tags.unwrap_or_default().into_iter().filter(|tag| tag.parse::<Tag>().is_ok()).collect();
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
