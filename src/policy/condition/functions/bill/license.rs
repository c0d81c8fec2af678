//! SPDX licence expressions, taken apart.

/// The identifiers in an expression: what is combined, without how. Exceptions are not licences.
pub(super) fn identifiers(expression: &str) -> impl Iterator<Item = &str> {
    let mut exception = false;
    expression.split(|c: char| c.is_whitespace() || c == '(' || c == ')').filter(move |word| {
        let is_exception = std::mem::take(&mut exception);
        match *word {
            "" => {
                exception = is_exception;
                false
            }
            word if word.eq_ignore_ascii_case("WITH") => {
                exception = true;
                false
            }
            "NOASSERTION" => false,
            word => !is_exception && !word.eq_ignore_ascii_case("AND") && !word.eq_ignore_ascii_case("OR"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_its_identifiers() {
        for (expression, expected) in [
            ("MIT", &["MIT"][..]),
            ("(MIT OR Apache-2.0) AND BSD-3-Clause", &["MIT", "Apache-2.0", "BSD-3-Clause"]),
            ("GPL-2.0-only WITH Classpath-exception-2.0", &["GPL-2.0-only"]),
            ("GPL-2.0-only WITH  ( x ) or MIT", &["GPL-2.0-only", "MIT"]),
            ("GPL-2.0+", &["GPL-2.0+"]),
            ("LicenseRef-ours", &["LicenseRef-ours"]),
            ("NOASSERTION", &[]),
            ("NONE", &["NONE"]),
            ("", &[]),
            ("AND", &[]),
        ] {
            assert_eq!(identifiers(expression).collect::<Vec<_>>(), expected, "{expression}");
        }
    }
}
