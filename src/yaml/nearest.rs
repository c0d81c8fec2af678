//! What somebody may have meant.

/// `; did you mean `x`?` if one of `known` is close to `word`, else nothing.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let close = |known: &'a str| (distance(word, known), known);
    match known.into_iter().map(close).min() {
        Some((far, known)) if far <= word.chars().count() / 3 => format!("; did you mean `{known}`?"),
        _ => String::new(),
    }
}

/// The words in quotes, after "one of" if there are several.
pub fn one_of(known: &[&str]) -> String {
    let quoted: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
    format!("{}{}", if known.len() > 1 { "one of " } else { "" }, quoted.join(", "))
}

/// How many letters must be changed, added, taken away or swapped with their neighbour; case does not count.
fn distance(a: &str, b: &str) -> usize {
    let lower = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let (a, b) = (lower(a), lower(b));
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_close() {
        for (word, expected) in [
            ("bye", "; did you mean `by`?"),
            ("singature", "; did you mean `signature`?"),
            ("Signature", "; did you mean `signature`?"),
            ("attestations", "; did you mean `attestation`?"),
            ("cel", ""),
            ("", ""),
            ("bx", ""),
        ] {
            assert_eq!(did_you_mean(word, ["by", "signature", "attestation"]), expected, "{word}");
        }
    }
}
