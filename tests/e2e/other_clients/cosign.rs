//! cosign, which saves an image with its signatures, and verifies them.

use tempfile::tempdir;

use crate::support::cosign::Cosign;
use crate::support::lab::RELEASE;
use crate::support::pulls::{IMAGES, INDEXES, Pulled, Wanted, comes, files, is_refused, pulls};

pulls! { super::save }

#[test]
fn what_comes_verifies() {
    for shelf in [&IMAGES, &INDEXES] {
        comes(shelf, false, |wanted| verify(wanted, &shelf.signed.part));
    }
}

/// (By tag: of a digest cosign asks for the signatures alone, and finds none.)
#[test]
fn of_what_is_refused_there_is_nothing_to_verify() {
    for shelf in [&IMAGES, &INDEXES] {
        is_refused(shelf, false, |wanted| verify(wanted, &shelf.unsigned.part));
    }
}

fn save(wanted: &Wanted) -> Pulled {
    let folder = tempdir().expect("a temporary folder");
    let to = folder.path().to_str().expect("the path is UTF-8");
    let ran = Cosign::Bundle.read(&["save", "--dir", to, &wanted.at_proxy()]);
    Pulled { ran, kept: files(folder.path()) }
}

/// Nothing is kept but the knowledge that this part is signed.
fn verify(wanted: &Wanted, part: &str) -> Pulled {
    let key = wanted.lab.public_key(RELEASE);
    let ran = Cosign::Bundle.read(&["verify", "--key", &key, "--insecure-ignore-tlog", &wanted.at_proxy()]);
    let kept = if ran.is_success() { part.to_owned() } else { String::new() };
    Pulled { ran, kept }
}
