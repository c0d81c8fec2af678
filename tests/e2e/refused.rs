//! What the policy does not want is refused by tag and by digest, on HEAD and on GET; the node says why in the proxy's
//! own words, keeps nothing, and does not go anywhere else for it.

use crate::support::image::Image;
use crate::support::lab::{Cell, FOREIGN, RELEASE};
use crate::support::matrix::{everywhere, on_every_node};

fn an_unsigned_image_is_refused(cell: Cell) {
    let image = cell.lab().push("unsigned");
    is_refused(cell, &image, &["unsigned"]);
}

fn an_image_signed_by_a_foreign_key_is_refused(cell: Cell) {
    let lab = cell.lab();
    let image = lab.push("foreign");
    lab.sign(cell.cosign, FOREIGN, &image);
    is_refused(cell, &image, &["key_mismatch", "signature_invalid"]);
}

fn a_signature_copied_from_another_image_does_not_count(cell: Cell) {
    let lab = cell.lab();
    let signed = lab.push_signed("copied", cell.cosign);
    let image = signed.sibling("v2");
    cell.cosign.copy(&signed, &image);
    is_refused(cell, &image, &["subject_mismatch"]);
}

fn an_image_with_nothing_but_an_attested_sbom_is_refused(cell: Cell) {
    let lab = cell.lab();
    let image = lab.push("sbom");
    lab.attest_sbom(cell.cosign, RELEASE, &image);
    is_refused(cell, &image, &["predicate_type_mismatch", "unsigned"]);
}

/// The words are codes of which one must be part of the reason.
fn is_refused(cell: Cell, image: &Image, words: &[&str]) {
    let (lab, node) = (cell.lab(), cell.node());
    for (name, path) in
        [(image.tagged(lab.host()), image.tag_path()), (image.by_digest(lab.host()), image.manifest_path())]
    {
        let said = node.pull(&lab.safe_hosts(), &name).refused();
        for method in ["HEAD", "GET"] {
            let answer = lab.proxy.ask(method, &path);
            assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
            let (_, reason) = answer.reason.split_once("Forbidden: ").expect("the phrase has the reason");
            assert!(words.iter().any(|word| reason.contains(word)), "none of {words:?} in: {reason}");
            // Which of the two names the image was asked for by ends the phrase; the reason comes before.
            assert!(said.contains(reason), "the node does not say `{reason}`, it says:\n{said}");
        }
        let body = lab.proxy.ask("GET", &path).json();
        assert_eq!(body["errors"][0]["code"], "DENIED");
    }
    assert!(!node.holds(&image.digest), "the node keeps a refused manifest");
    lab.nobody_went_past(image);
}

on_every_node! {
    an_unsigned_image_is_refused
}

everywhere! {
    an_image_signed_by_a_foreign_key_is_refused
    a_signature_copied_from_another_image_does_not_count
    an_image_with_nothing_but_an_attested_sbom_is_refused
}
