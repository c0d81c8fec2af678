//! helm: a chart is an image to the proxy, and policy decides.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::sync::LazyLock;

use tempfile::tempdir;

use crate::support::image::Image;
use crate::support::process::{Ran, command, run, tool};
use crate::support::pulls::{Goods, Pulled, Shelf, Wanted, files, lab, pulls, signed_first};

static CHARTS: LazyLock<Shelf> = LazyLock::new(|| signed_first(push(), push()));

pulls! { chart: super::CHARTS, super::pull }

/// A new chart, packaged and pushed by helm itself.
fn push() -> Goods {
    let folder = tempdir().expect("a temporary folder");
    let name = format!("chart-{:016x}", RandomState::new().build_hasher().finish());
    let path = |name: &str| folder.path().join(name).to_str().expect("the path is UTF-8").to_owned();
    let text = format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\n");
    fs::create_dir(path("source")).expect("the folder is writable");
    fs::write(path("source/Chart.yaml"), text).expect("the folder is writable");
    helm(folder.path(), &["package", &path("source"), "--destination", &path("")]).succeeded();
    let (package, to) = (path(&format!("{name}-0.1.0.tgz")), format!("oci://{}/lab", lab().registry.address));
    helm(folder.path(), &["push", &package, &to, "--plain-http"]).succeeded();
    Goods { image: Image::found(lab().registry.address, &format!("lab/{name}"), "0.1.0"), part: name }
}

fn pull(wanted: &Wanted) -> Pulled {
    let folder = tempdir().expect("a temporary folder");
    let to = folder.path().to_str().expect("the path is UTF-8");
    let chart = format!("oci://{}", wanted.at_proxy());
    let home = tempdir().expect("a temporary folder");
    let ran = helm(home.path(), &["pull", &chart, "--plain-http", "--destination", to]);
    Pulled { ran, kept: files(folder.path()) }
}

fn helm(home: &Path, arguments: &[&str]) -> Ran {
    let mut helm = command(tool("bin/helm"), arguments);
    run(helm.env("HOME", home).env("HELM_CACHE_HOME", home.join("cache")))
}
