//! oras, which copies into a layout, pulls files and fetches manifests.

use tempfile::tempdir;

use crate::support::process::{Ran, command, run, tool};
use crate::support::pulls::{IMAGES, INDEXES, Pulled, Wanted, comes, files, is_refused, pulls};

pulls! { super::copy }

#[test]
fn the_manifest_of_a_signed_one_is_fetched() {
    comes(&IMAGES, true, |wanted| {
        let ran = oras(&["manifest", "fetch", "--plain-http", &wanted.at_proxy()]);
        Pulled { kept: ran.stdout().to_owned(), ran }
    });
}

#[test]
fn neither_manifest_nor_files_of_an_unsigned_one_are_had() {
    for shelf in [&IMAGES, &INDEXES] {
        for words in [&["manifest", "fetch"][..], &["pull", "--output", "/dev/null"]] {
            is_refused(shelf, false, |wanted| {
                let ran = oras(&[words, &["--plain-http", &wanted.at_proxy()]].concat());
                Pulled { kept: ran.stdout().to_owned(), ran }
            });
        }
    }
}

fn copy(wanted: &Wanted) -> Pulled {
    let folder = tempdir().expect("a temporary folder");
    let to = format!("{}:pulled", folder.path().display());
    let ran = oras(&["copy", "--from-plain-http", &wanted.at_proxy(), "--to-oci-layout", &to]);
    Pulled { ran, kept: files(folder.path()) }
}

fn oras(arguments: &[&str]) -> Ran {
    run(&command(tool("bin/oras"), arguments))
}
