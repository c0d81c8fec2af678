//! `Link: <…>; rel="next"`: where a list goes on, per the distribution specification.
//!
//! Only the query is taken from it. A target on another host or path is never asked; it only says that there is more.

use http::HeaderMap;
use http::header::LINK;
use url::Url;

use crate::oci::Registry;

/// What the headers say about the next page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// This was the last one.
    None,
    /// The same list with this query.
    Query(String),
    /// There is more, but not where the list was asked for, or it cannot be read where.
    Foreign,
}

/// Reads the next page out of the answer to `asked`. The registry may name itself as it is dialled or by its own name.
pub(crate) fn next(headers: &HeaderMap, asked: &Url, registry: &Registry) -> Next {
    let mut found = Next::None;
    for value in headers.get_all(LINK) {
        let Some(links) = value.to_str().ok().and_then(parse) else {
            return Next::Foreign;
        };
        for (target, _) in links.iter().filter(|(_, relation)| is_next(relation)) {
            match (query(target, asked, registry), &found) {
                (Some(query), Next::None) => found = Next::Query(query),
                (Some(query), Next::Query(known)) if query == *known => {}
                _ => return Next::Foreign,
            }
        }
    }
    found
}

/// The query of `target`, if it is the list that was asked for.
fn query(target: &str, asked: &Url, registry: &Registry) -> Option<String> {
    let target = asked.join(target).ok()?;
    let host = target.host_str()?;
    let ours = asked.host_str() == Some(host) || registry.as_str().split(':').next() == Some(host);
    let plain = target.username().is_empty() && target.password().is_none();
    let same = ours && plain && matches!(target.scheme(), "http" | "https") && target.path() == asked.path();
    target.query().filter(|query| same && !query.is_empty()).map(str::to_string)
}

fn is_next(relation: &str) -> bool {
    relation.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next"))
}

/// The targets and relations of one header (RFC 8288 section 3), or nothing if it is malformed.
fn parse(text: &str) -> Option<Vec<(&str, String)>> {
    let mut links = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let (parameters, after) = split_unquoted(after, ',')?;
        let mut relation = String::new();
        let mut left = parameters;
        while !left.is_empty() {
            let (parameter, more) = split_unquoted(left, ';')?;
            if let Some((name, value)) = parameter.split_once('=')
                && name.trim().eq_ignore_ascii_case("rel")
                && relation.is_empty()
            {
                relation = value.trim().trim_matches('"').to_string();
            }
            left = more;
        }
        links.push((target, relation));
        rest = after.trim_start_matches([' ', '\t', ',']);
    }
    Some(links)
}

/// Splits at the first `separator` outside of quotes; nothing if a quote is never closed.
fn split_unquoted(text: &str, separator: char) -> Option<(&str, &str)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            other if other == separator && !quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    (!quoted).then_some((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_of(links: &[&str]) -> Next {
        let mut headers = HeaderMap::new();
        for link in links {
            headers.append(LINK, link.parse().expect("a header"));
        }
        let asked = Url::parse("https://internal.company.com:8443/v2/a/tags/list?n=2").expect("a URL");
        next(&headers, &asked, &"registry.company.com".parse().expect("a registry"))
    }

    #[test]
    fn takes_the_query_of_the_same_list() {
        let expected = Next::Query("n=2&last=b".to_string());
        for link in [
            r#"</v2/a/tags/list?n=2&last=b>; rel="next""#,
            "</v2/a/tags/list?n=2&last=b>;rel=next",
            r#"<?n=2&last=b>; title="a, b; rel=prev"; REL="prev next""#,
            r#"<https://internal.company.com:8443/v2/a/tags/list?n=2&last=b>; rel="next""#,
            r#"<http://registry.company.com/v2/a/tags/list?n=2&last=b>; rel="next""#,
            r#"</v2/a/tags/list>; rel="prev", </v2/a/tags/list?n=2&last=b>; rel="next""#,
        ] {
            assert_eq!(next_of(&[link]), expected, "{link}");
        }
    }

    #[test]
    fn anything_else_is_foreign() {
        for link in [
            r#"<https://evil/v2/a/tags/list?n=2>; rel="next""#,
            r#"<//evil/v2/a/tags/list?n=2>; rel="next""#,
            r#"<https://registry.company.com.evil/v2/a/tags/list?n=2>; rel="next""#,
            r#"<https://registry.company.com@evil/v2/a/tags/list?n=2>; rel="next""#,
            r#"</v2/b/tags/list?n=2>; rel="next""#,
            r#"</v2/a/tags/list/../../../b?n=2>; rel="next""#,
            r#"</v2/a/tags/list>; rel="next""#,
            r#"<file:///v2/a/tags/list?n=2>; rel="next""#,
            r#"</v2/a/tags/list?n=2; rel="next""#,
            r#"</v2/a/tags/list?n=2>; rel="next"#,
            "next",
        ] {
            assert_eq!(next_of(&[link]), Next::Foreign, "{link}");
        }
        assert_eq!(next_of(&["<?a>; rel=next", "<?b>; rel=next"]), Next::Foreign);
    }

    #[test]
    fn no_next_is_the_end() {
        for links in [&[][..], &[r#"</v2/a/tags/list?n=2>; rel="prev""#], &["<?a>; title=next"], &[""]] {
            assert_eq!(next_of(links), Next::None, "{links:?}");
        }
    }
}
