//! podman, with a storage of its own for each pull; and what its `registries.conf` makes of a refusal.

use std::fs;

use tempfile::tempdir;

use crate::support::process::{command, run};
use crate::support::pulls::{IMAGES, Pulled, Wanted, comes, is_refused, lab, pulls};

pulls! { super::pull }

/// With the proxy as the place of the registry, there is no other to try.
#[test]
fn a_registry_that_is_placed_at_the_proxy_is_safe() {
    let placed = |wanted: &Wanted| {
        let (home, proxy) = (wanted.lab.host(), wanted.lab.proxy.address);
        let text = format!("[[registry]]\nprefix = \"{home}\"\nlocation = \"{proxy}\"\ninsecure = true\n");
        pull_as(&text, &wanted.at_home())
    };
    comes(&IMAGES, false, placed);
    is_refused(&IMAGES, false, placed);
    is_refused(&IMAGES, true, placed);
}

/// With the proxy as a mirror, podman goes on to the registry itself when it is refused.
#[test]
fn a_registry_that_has_the_proxy_as_a_mirror_is_not() {
    let image = lab().push("mirrored");
    let (home, proxy) = (lab().host(), lab().proxy.address);
    let mirror = format!("[[registry.mirror]]\nlocation = \"{proxy}\"\ninsecure = true\n");
    let text = format!("[[registry]]\nlocation = \"{home}\"\ninsecure = true\n{mirror}");
    pull_as(&text, &image.tagged(home)).ran.succeeded();
    let seen = lab().registry.forbidden.seen(&image);
    assert!(seen.iter().any(|request| request.status == "200"), "the recorder sees who comes: {seen:?}");
}

fn pull(wanted: &Wanted) -> Pulled {
    pull_as("", &wanted.at_proxy())
}

/// Pulls under this `registries.conf`; what it keeps is what it says it has.
fn pull_as(registries: &str, name: &str) -> Pulled {
    let folder = tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("the path is UTF-8").to_owned();
    fs::write(path("registries.conf"), registries).expect("the folder is writable");
    let storage =
        ["--root", &path("root"), "--runroot", &path("run"), "--tmpdir", &path("tmp"), "--storage-driver", "vfs"];
    let podman = |words: &[&str]| {
        let mut podman = command("podman", storage.iter().chain(words));
        run(podman.env("CONTAINERS_REGISTRIES_CONF", path("registries.conf")))
    };
    let ran = podman(&["pull", "--quiet", "--tls-verify=false", name]);
    Pulled { ran, kept: podman(&["images", "--quiet", "--no-trunc"]).succeeded() }
}
