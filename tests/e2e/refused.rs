//! What the policy does not want is refused by tag and by digest, on HEAD and on GET; the node says why in the proxy's
//! own words, keeps nothing, and does not go anywhere else for it.

use crate::support::expect::is_refused;
use crate::support::lab::{Cell, FOREIGN, RELEASE};
use crate::support::matrix::{everywhere, on_every_node};

fn an_unsigned_image_is_refused(cell: Cell) {
    let image = cell.lab().push("unsigned");
    is_refused(cell, &cell.lab().proxy, &image, &["unsigned"]);
}

fn an_image_signed_by_a_foreign_key_is_refused(cell: Cell) {
    let lab = cell.lab();
    let image = lab.push("foreign");
    lab.sign(cell.cosign, FOREIGN, &image);
    is_refused(cell, &cell.lab().proxy, &image, &["key_mismatch", "signature_invalid"]);
}

fn a_signature_copied_from_another_image_does_not_count(cell: Cell) {
    let lab = cell.lab();
    let signed = lab.push_signed("copied", cell.cosign);
    let image = signed.sibling("v2");
    cell.cosign.copy(&signed, &image);
    is_refused(cell, &cell.lab().proxy, &image, &["subject_mismatch"]);
}

fn an_image_with_nothing_but_an_attested_sbom_is_refused(cell: Cell) {
    let lab = cell.lab();
    let image = lab.push("sbom");
    lab.attest_sbom(cell.cosign, RELEASE, &image);
    is_refused(cell, &cell.lab().proxy, &image, &["predicate_type_mismatch", "unsigned"]);
}

on_every_node! {
    an_unsigned_image_is_refused
}

everywhere! {
    an_image_signed_by_a_foreign_key_is_refused
    a_signature_copied_from_another_image_does_not_count
    an_image_with_nothing_but_an_attested_sbom_is_refused
}
