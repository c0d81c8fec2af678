//! What a refusal must look like, to whoever asks.

use super::image::Image;
use super::lab::Cell;
use super::proxy::Proxy;

/// The words are codes of which one must be part of the reason.
#[track_caller]
pub(crate) fn is_refused(cell: Cell, proxy: &Proxy, image: &Image, words: &[&str]) {
    let (lab, node) = (cell.lab(), cell.node());
    let hosts = proxy.safe_hosts(lab.host());
    for (name, path) in
        [(image.tagged(lab.host()), image.tag_path()), (image.by_digest(lab.host()), image.manifest_path())]
    {
        let said = node.pull(&hosts, &name).refused();
        for method in ["HEAD", "GET"] {
            let answer = proxy.ask(method, &path);
            assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
            let (_, reason) = answer.reason.split_once("Forbidden: ").expect("the phrase has the reason");
            assert!(words.iter().any(|word| reason.contains(word)), "none of {words:?} in: {reason}");
            // Which of the two names the image was asked for by ends the phrase; the reason comes before.
            assert!(said.contains(reason), "the node does not say `{reason}`, it says:\n{said}");
        }
        let body = proxy.ask("GET", &path).json();
        assert_eq!(body["errors"][0]["code"], "DENIED");
    }
    assert!(!node.holds(&image.digest), "the node keeps a refused manifest");
    lab.nobody_went_past(image);
}
