//! crane, which pulls into a layout and copies from registry to registry.

use tempfile::tempdir;

use crate::support::http::ask;
use crate::support::image::{Image, crane};
use crate::support::process::{command, run, tool};
use crate::support::pulls::{IMAGES, INDEXES, Pulled, Wanted, comes, files, is_refused, pulls};

pulls! { super::pull }

#[test]
fn what_is_copied_is_what_was_signed() {
    for shelf in [&IMAGES, &INDEXES] {
        let image = &shelf.signed.image;
        let target = image.in_repository(format!("{}/copied", image.repository));
        comes(shelf, false, |wanted| copy(wanted, &target, &shelf.signed.part));
        assert_eq!(crane(["digest", &target.tagged(target.registry())]).trim(), image.digest);
    }
}

#[test]
fn nothing_unsigned_is_copied() {
    for shelf in [&IMAGES, &INDEXES] {
        let image = &shelf.unsigned.image;
        let target = image.in_repository(format!("{}/copied", image.repository));
        is_refused(shelf, true, |wanted| copy(wanted, &target, &shelf.unsigned.part));
    }
}

/// What is kept is what the other repository has then of this part.
fn copy(wanted: &Wanted, target: &Image, part: &str) -> Pulled {
    let to = target.tagged(target.registry());
    let ran = run(&command(tool("bin/crane"), ["copy", &wanted.at_proxy(), &to]));
    let path = target.blob_path(&format!("sha256:{part}"));
    let has = ask(target.registry(), "HEAD", &path).expect("the registry answers").status == 200;
    Pulled { ran, kept: if has { path } else { String::new() } }
}

fn pull(wanted: &Wanted) -> Pulled {
    let folder = tempdir().expect("a temporary folder");
    let to = folder.path().to_str().expect("the path is UTF-8");
    let ran = run(&command(tool("bin/crane"), ["pull", "--format=oci", &wanted.at_proxy(), to]));
    Pulled { ran, kept: files(folder.path()) }
}
