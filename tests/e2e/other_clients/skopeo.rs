//! skopeo, which copies.

use tempfile::tempdir;

use crate::support::process::{command, run};
use crate::support::proxy::REGISTRY;
use crate::support::pulls::{IMAGES, Pulled, Wanted, comes, files, is_refused, pulls};

pulls! { super::copy }

/// Where nothing else says which registry is meant, the path may.
#[test]
fn the_registry_may_be_named_in_the_path() {
    let named = |wanted: &Wanted| {
        let proxy = wanted.lab.proxy.address.to_string();
        copy_from(&wanted.at_proxy().replace(&proxy, &format!("{proxy}/{REGISTRY}")))
    };
    comes(&IMAGES, false, named);
    is_refused(&IMAGES, true, named);
}

fn copy(wanted: &Wanted) -> Pulled {
    copy_from(&wanted.at_proxy())
}

fn copy_from(name: &str) -> Pulled {
    let folder = tempdir().expect("a temporary folder");
    let (from, to) = (format!("docker://{name}"), format!("dir:{}", folder.path().display()));
    let ran = run(&command("skopeo", ["copy", "--insecure-policy", "--src-tls-verify=false", &from, &to]));
    Pulled { ran, kept: files(folder.path()) }
}
