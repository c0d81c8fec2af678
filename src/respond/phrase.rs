//! Text that a status line can carry, and a terminal show.

/// One line of at most `most` bytes, without what controls a terminal or turns its text around.
pub(super) fn printable(text: &str, most: usize) -> String {
    let mut line: String = text.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect();
    if line.len() > most {
        line.truncate(line.floor_char_boundary(most.saturating_sub(ELLIPSIS.len())));
        line.push_str(ELLIPSIS);
    }
    line
}

fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

const ELLIPSIS: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_line_and_cut_between_characters() {
        assert_eq!(printable("a\r\nb\u{1b}[31m\u{7f}\u{85}\u{202e}c\u{2028}d", 100), "a  b [31m   c d");
        for most in 3..40 {
            let cut = printable(&"äöü€𝄞".repeat(8), most);
            assert!(cut.len() <= most && cut.ends_with('…'), "{most}: {cut}");
        }
        assert_eq!(printable("äöü", 6), "äöü");
    }
}
