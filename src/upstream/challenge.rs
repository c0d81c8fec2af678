//! `WWW-Authenticate`: what a 401 asks for, parsed as RFC 9110 section 11.6.1 writes it.
//!
//! A header that does not parse to its end, or names a parameter twice, asks for nothing.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// One challenge: a scheme and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Every challenge of every such header.
    pub(crate) fn all(headers: &HeaderMap) -> Vec<Self> {
        let readable = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        readable.filter_map(parse).flatten().collect()
    }

    /// Whether it is of this scheme.
    pub(crate) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The scheme and the parameters, as they were read.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn parts(&self) -> (&str, &[(String, String)]) {
        (&self.scheme, &self.parameters)
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// `#challenge`, or nothing.
fn parse(text: &str) -> Option<Vec<Challenge>> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let mut rest = Cursor(text);
    let mut challenges = Vec::new();
    loop {
        rest.skip(|c| c == ',' || is_space(c));
        if rest.0.is_empty() {
            return Some(challenges);
        }
        let mut challenge = Challenge { scheme: rest.token()?.to_string(), parameters: Vec::new() };
        rest.skip(is_space);
        if !rest.token68() {
            while let Some(name) = rest.parameter_name() {
                let value = rest.value()?;
                if challenge.parameter(name).is_some() {
                    return None;
                }
                challenge.parameters.push((name.to_string(), value));
                rest.skip(is_space);
                if rest.0.is_empty() {
                    break;
                }
                if !rest.0.starts_with(',') {
                    return None;
                }
                rest.skip(|c| c == ',' || is_space(c));
            }
        }
        challenges.push(challenge);
    }
}

/// What is left to read. Headers are ASCII when they come here, so that every index is a character's.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !belongs(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    fn skip(&mut self, belongs: impl Fn(char) -> bool) {
        self.take(belongs);
    }

    fn token(&mut self) -> Option<&'a str> {
        let token = self.take(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
        (!token.is_empty()).then_some(token)
    }

    /// Takes the credentials form of a challenge, such as Negotiate's; what it says is of no use here.
    fn token68(&mut self) -> bool {
        let before = self.0;
        let word = self.take(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        self.skip(|c| c == '=');
        self.skip(is_space);
        let whole = !word.is_empty() && (self.0.is_empty() || self.0.starts_with(','));
        if !whole {
            self.0 = before;
        }
        whole
    }

    /// Takes `name =`; a token without the sign is the next scheme and stays.
    fn parameter_name(&mut self) -> Option<&'a str> {
        let before = self.0;
        let name = self.token();
        self.skip(is_space);
        if name.is_some() && self.0.starts_with('=') {
            self.0 = &self.0[1..];
            self.skip(is_space);
            return name;
        }
        self.0 = before;
        None
    }

    /// A token or a quoted string, in which a backslash escapes one character.
    fn value(&mut self) -> Option<String> {
        let Some(quoted) = self.0.strip_prefix('"') else {
            return self.token().map(str::to_string);
        };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.0 = &quoted[at + 1..];
                    return Some(value);
                }
                '\\' => value.push(characters.next()?.1),
                other => value.push(other),
            }
        }
        None
    }
}

fn is_space(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// Longer than any registry's.
const MAX_LENGTH: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_registries_send() {
        let text = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let [bearer] = parse(text).expect("parses").try_into().expect("one");
        assert!(bearer.is("bearer") && !bearer.is("basic"));
        assert_eq!(bearer.parameter("realm"), Some("https://auth.docker.io/token"));
        assert_eq!(bearer.parameter("Service"), Some("registry.docker.io"));
        assert_eq!(bearer.parameter("scope"), Some("repository:a/b:pull,push"));
        assert_eq!(bearer.parameter("error"), None);
    }

    #[test]
    fn reads_several_in_one_header_and_in_several() {
        let schemes = |text| parse(text).map(|all| all.into_iter().map(|one| one.scheme).collect::<Vec<_>>());
        for text in [
            r#"Basic realm="a, b", Bearer realm="c""#,
            "Basic, Bearer realm=c",
            "Basic realm = \"a\" ,\t, Bearer realm= c,",
            "Basic YWJj==, Bearer realm=c",
            "Basic realm=, Bearer",
        ] {
            assert_eq!(schemes(text), Some(vec!["Basic".to_string(), "Bearer".to_string()]), "{text}");
        }
        let mut headers = HeaderMap::new();
        for value in ["Basic realm=\"unclosed", "Negotiate", "Bearer realm=x"] {
            headers.append(WWW_AUTHENTICATE, http::HeaderValue::from_static(value));
        }
        let schemes: Vec<_> = Challenge::all(&headers).into_iter().map(|one| one.scheme).collect();
        assert_eq!(schemes, ["Negotiate", "Bearer"]);
    }

    #[test]
    fn unescapes_quoted_strings() {
        let all = parse(r#"Bearer realm="a\"b\\c,\x" , service="""#).expect("parses");
        assert_eq!(all[0].parameter("realm"), Some(r#"a"b\c,x"#));
        assert_eq!(all[0].parameter("service"), Some(""));
    }

    #[test]
    fn asks_for_nothing_when_malformed() {
        for text in [
            r#"Bearer realm="a"#,
            r#"Bearer realm="a\"#,
            r#"Bearer realm="a" service="b""#,
            r#"Bearer realm="a",realm="b""#,
            r#"Bearer realm="a",REALM="a""#,
            r#"Bearer realm="a"x"#,
            r#""Bearer" realm="a""#,
            "Bearer=x",
            "Bearer realm=,service=\"b\"",
            "=",
            "Bearer realm=(a)",
            &format!("Bearer realm={}", "a".repeat(MAX_LENGTH)),
        ] {
            assert_eq!(
                parse(text).filter(|all| all.iter().any(|one| one.parameter("realm").is_some())),
                None,
                "{text}"
            );
        }
        assert_eq!(parse(""), Some(Vec::new()));
        assert_eq!(parse(" , ,"), Some(Vec::new()));
    }

    /// Whatever stands in a header, what is read of it can be written and is read as the same; nothing panics. The texts
    /// are pieces of challenges in an order that comes of counting.
    #[test]
    fn what_is_read_is_read_again() {
        const PIECES: [&str; 16] = [
            "Bearer",
            " ",
            "realm",
            "=",
            "\"",
            "https://a/?b=c",
            ",",
            "\\",
            "Basic",
            "service",
            "YIIJ+/==",
            "\t",
            "é",
            "\"x\"",
            "(",
            "realm=\"y\"",
        ];
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..state % 12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text += PIECES[usize::try_from(state >> 60).expect("four bits")];
            }
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 3;
            crate::fuzz::challenge(text.as_bytes());
        }
    }
}
