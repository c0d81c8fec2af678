//! `{"name": …, "tags": […]}`: the list of a repository's tags, as the distribution specification has it.

use serde::Deserialize;

use super::Tag;
use crate::strict_json::{self, Object};

#[derive(Deserialize)]
struct List {
    /// `null` where a registry means none; it is always there.
    #[serde(deserialize_with = "Option::deserialize")]
    tags: Option<Vec<String>>,
}

/// The tags of a list, in its order, without what is no tag: nothing could be pulled by it.
///
/// # Errors
/// If `bytes` are no such list, or one that can be read in two ways.
pub fn parse(bytes: &[u8]) -> Result<Vec<Tag>, serde_json::Error> {
    let Object(List { tags }) = strict_json::parse(bytes)?;
    Ok(tags.unwrap_or_default().iter().flat_map(|tag| tag.parse()).collect())
}
