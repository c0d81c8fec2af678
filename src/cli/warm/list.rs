//! The list of images: references separated by white space, each asked for once; `#` begins a comment.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::cli::verify::reference;
use crate::evidence::printable;
use crate::oci::Reference;
use crate::route::{ManifestPull, Registries};

/// What a list says.
#[derive(Debug, Default)]
pub(super) struct List {
    /// Each image once, in the order of the list.
    pub(super) entries: Vec<Entry>,
    /// What in it is no image, as `file:line: why`.
    pub(super) wrong: Vec<String>,
}

/// An image to ask for.
#[derive(Debug)]
pub(super) struct Entry {
    /// In full, with its registry.
    pub(super) reference: String,
    pub(super) pull: ManifestPull,
}

impl List {
    /// Reads the file at `path`, or what is left of standard input for `-`; also what errors call it.
    ///
    /// # Errors
    /// If it cannot be read, or is longer than any list of images.
    pub(super) fn read(path: &Path) -> io::Result<(Vec<u8>, String)> {
        let (name, from): (_, Box<dyn Read>) = match path.to_str() {
            Some("-") => ("standard input".to_string(), Box::new(io::stdin())),
            _ => (path.display().to_string(), Box::new(File::open(path)?)),
        };
        let mut bytes = Vec::new();
        from.take(LONGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LONGEST {
            return Err(io::Error::other(format!("it is longer than {LONGEST} bytes")));
        }
        Ok((bytes, name))
    }

    /// Parses a list called `name`; `known` are the configured registries.
    pub(super) fn parse(bytes: &[u8], name: &str, known: &Registries) -> Self {
        let (mut list, mut seen) = (Self::default(), BTreeSet::new());
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            let line = String::from_utf8_lossy(line);
            for text in line.split_whitespace().take_while(|text| !text.starts_with('#')) {
                match reference::parse(text, known) {
                    Ok(pull) => {
                        let entry = Entry::of(pull);
                        if seen.insert(entry.reference.clone()) {
                            list.entries.push(entry);
                        }
                    }
                    Err(why) => list.wrong.push(format!("{name}:{number}: {}", printable(&why))),
                }
            }
        }
        list
    }
}

impl Entry {
    fn of(pull: ManifestPull) -> Self {
        let separator = if matches!(pull.reference, Reference::Digest(_)) { '@' } else { ':' };
        Self { reference: format!("{}{separator}{}", pull.image, pull.reference), pull }
    }
}

const LONGEST: u64 = 64 << 20;
/// What some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    fn read(text: &[u8]) -> (Vec<String>, Vec<String>) {
        let list = List::parse(text, "list", &Registries::default());
        (list.entries.into_iter().map(|entry| entry.reference).collect(), list.wrong)
    }

    #[test]
    fn each_image_is_there_once_in_order() {
        let digest = Digest::of(b"x");
        let text = format!(
            "\u{feff}# what runs\r\n\r\nr.io/b:2 r.io/a\t# both\r\nr.io/b:2\n  docker.io/nginx:1\nr.io/b:2@{digest}\nr.io/b@{digest} r.io/a:latest"
        );
        let (entries, wrong) = read(text.as_bytes());
        let digest = format!("r.io/b@{digest}");
        assert_eq!(entries, ["r.io/b:2", "r.io/a:latest", "docker.io/library/nginx:1", &digest]);
        assert_eq!(wrong, [""; 0]);
        assert_eq!(read(b"# nothing\n\n"), (vec![], vec![]));
    }

    #[test]
    fn what_is_no_image_has_its_line_and_the_rest_goes_on() {
        let (entries, wrong) = read(b"r.io/a:1\nnginx:1\nr.io/\xff\xff:1\nr.io/B\x1b[31m\nr.io/c\n");
        assert_eq!(entries, ["r.io/a:1", "r.io/c:latest"]);
        assert_eq!(wrong.len(), 3);
        assert!(wrong[0].starts_with("list:2: `nginx` does not say which registry"), "{wrong:?}");
        assert!(wrong[1].starts_with("list:3: "), "{wrong:?}");
        assert!(wrong[2].starts_with("list:4: ") && !wrong[2].contains('\u{1b}'), "{wrong:?}");
    }
}
