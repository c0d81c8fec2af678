//! Which part of a list is asked for. Beside the distribution specification's `n` and `last` a registry may put a
//! cursor of its own into the link to the next page, so other parameters are passed on as well, decoded and bounded.

use http::Uri;
use url::form_urlencoded::{Serializer, parse};

use super::{RouteError, cut};
use crate::reason::Reason;

/// Which part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The path of the list as the client asked for it: links to other pages lead there.
    pub path: String,
    /// What the registry is asked.
    pub parameters: Vec<(String, String)>,
    /// The `ns` of the request, which links repeat. It is not for the registry.
    pub ns: Option<String>,
}

impl Page {
    /// Reads the target of a request whose path is understood.
    ///
    /// # Errors
    /// `name_invalid`. A repeated parameter is refused: which of the two counts is not for us to guess.
    pub(super) fn of(uri: &Uri) -> Result<Self, RouteError> {
        let (parameters, ns) = read(uri.query().unwrap_or_default())?;
        Ok(Self { path: uri.path().into(), parameters, ns })
    }

    /// The next page of this list, if `query`, which the registry gave, is one that can be asked for here and leads on.
    pub fn next(&self, query: &str) -> Option<Self> {
        let (parameters, _) = read(query).ok()?;
        let itself =
            parameters.len() == self.parameters.len() && parameters.iter().all(|one| self.parameters.contains(one));
        (!itself).then(|| Self { parameters, ..self.clone() })
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How many entries are asked for, if that is said.
    pub fn n(&self) -> Option<usize> {
        self.parameter("n").and_then(|n| n.parse().ok())
    }

    /// What the registry is asked; nothing if there is nothing to say.
    pub fn query(&self) -> Option<String> {
        let query = Serializer::new(String::new()).extend_pairs(&self.parameters).finish();
        Some(query).filter(|query| !query.is_empty())
    }

    /// Where a client finds this page: on its own path, with the name by which it asked for the registry.
    pub fn target(&self) -> String {
        let ns = self.ns.iter().map(|ns| ("ns", ns.as_str()));
        let parameters = self.parameters.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let query = Serializer::new(String::new()).extend_pairs(parameters.chain(ns)).finish();
        format!("{}?{query}", self.path)
    }
}

type Parameters = Vec<(String, String)>;

fn read(query: &str) -> Result<(Parameters, Option<String>), RouteError> {
    let (mut parameters, mut ns) = (Parameters::new(), None);
    for (key, value) in parse(query.as_bytes()) {
        if key == "ns" {
            ns = Some(value.into_owned());
            continue;
        }
        let named = key.len() <= MAX_NAME && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        let repeated = parameters.iter().any(|(other, _)| *other == key);
        let value = if key == "n" { clamped(&value) } else { Some(value.into_owned()) };
        match value.filter(|value| value.len() <= MAX_VALUE) {
            Some(value) if named && !repeated && parameters.len() < MAX_PARAMETERS => {
                parameters.push((key.into_owned(), value));
            }
            _ => {
                let detail = format!("the parameter `{}` is not acceptable", cut(&key));
                return Err(RouteError::new(Reason::NameInvalid, detail));
            }
        }
    }
    Ok((parameters, ns))
}

/// A number of entries, at most [`MAX_ENTRIES`].
fn clamped(n: &str) -> Option<String> {
    let digits = !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| n.parse::<usize>().unwrap_or(MAX_ENTRIES).min(MAX_ENTRIES).to_string())
}

/// The most entries of one page that a registry is asked for: some refuse to be asked for more.
pub const MAX_ENTRIES: usize = 1000;

/// More parameters than any registry puts into a link.
const MAX_PARAMETERS: usize = 16;

const MAX_NAME: usize = 32;

/// The longest value of a parameter; cursors of some registries are encrypted.
const MAX_VALUE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn page(target: &str) -> Option<Page> {
        Page::of(&target.parse().expect(target)).ok()
    }

    #[test]
    fn a48_page_sizes_are_clamped() {
        for (n, asked) in [("0", "0"), ("5", "5"), ("1000", "1000"), ("2147483647", "1000"), (&"9".repeat(50), "1000")]
        {
            let page = page(&format!("/v2/a/tags/list?n={n}")).expect("a page");
            assert_eq!((page.query(), page.n()), (Some(format!("n={asked}")), asked.parse().ok()), "{n}");
        }
        for n in ["", "-1", "%2B1", "+1", "1e3", "0x1", "1.0", "%D9%A1", "a"] {
            assert_eq!(page(&format!("/v2/a/tags/list?n={n}")), None, "{n}");
        }
    }

    #[test]
    fn parameters_are_few_short_and_given_once() {
        let long = |length| format!("/v2/a/tags/list?last={}", "a".repeat(length));
        assert!(page(&long(MAX_VALUE)).is_some() && page(&long(MAX_VALUE + 1)).is_none());
        let many = |count| {
            let pairs: Vec<_> = (0..count).map(|n| format!("p{n}=x")).collect();
            format!("/v2/a/tags/list?{}", pairs.join("&"))
        };
        assert!(page(&many(MAX_PARAMETERS)).is_some() && page(&many(MAX_PARAMETERS + 1)).is_none());
        for query in ["n=1&n=1", "last=a&last=b", "artifactType=a&%61rtifactType=b", "a%00=1", "a%0A=1", "a;b=1"] {
            assert_eq!(page(&format!("/v2/a/tags/list?{query}")), None, "{query}");
        }
    }

    #[test]
    fn a_next_page_is_on_the_same_path_under_the_same_name_and_leads_on() {
        let first = page("/v2/r.io/a/tags/list?n=2&ns=r.io%3A443").expect("a page");
        let next = first.next("n=2&last=b%2F%3E&ns=evil.io").expect("another page");
        assert_eq!(next.target(), "/v2/r.io/a/tags/list?n=2&last=b%2F%3E&ns=r.io%3A443");
        assert_eq!(page(&next.target()), Some(next.clone()));
        assert_eq!(next.next("last=b/%3e&n=2"), None, "it leads to itself");
        assert_eq!(first.next("last=a&last=b"), None);
    }
}
