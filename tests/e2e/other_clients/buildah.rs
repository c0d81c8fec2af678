//! buildah, with a storage of its own for each pull.

use tempfile::tempdir;

use crate::support::process::{command, run};
use crate::support::pulls::{INDEXES, Pulled, Wanted, comes, is_refused, pulls};

pulls! { super::pull }

/// A build's first step.
#[test]
fn what_is_signed_is_built_from() {
    comes(&INDEXES, false, |wanted| buildah(&["from", "--tls-verify=false", &wanted.at_proxy()]));
}

#[test]
fn nothing_unsigned_is_built_from() {
    is_refused(&INDEXES, false, |wanted| buildah(&["from", "--tls-verify=false", &wanted.at_proxy()]));
}

fn pull(wanted: &Wanted) -> Pulled {
    buildah(&["pull", "--quiet", "--tls-verify=false", &wanted.at_proxy()])
}

fn buildah(words: &[&str]) -> Pulled {
    let folder = tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("the path is UTF-8").to_owned();
    let storage = ["--root", &path("root"), "--runroot", &path("run"), "--storage-driver", "vfs"];
    let buildah = |words: &[&str]| run(&command("buildah", storage.iter().chain(words)));
    let ran = buildah(words);
    Pulled { ran, kept: buildah(&["images", "--quiet", "--no-trunc"]).succeeded() }
}
