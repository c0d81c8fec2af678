//! Signatures of GitLab pipelines, by real cosign and a real private Sigstore.

use crate::support::cosign::keyless::Form;
use crate::support::lab::Cell;
use crate::support::matrix::for_every_signature;
use crate::support::sigstore::{GITLAB, Pipeline};

fn cosign_itself_accepts(cell: Cell) {
    let image = cell.lab().push("keyless");
    for form in [Form::from(cell.cosign), Form::EarlyBundle] {
        form.sign(&Pipeline::of("myorg/app"), &image);
        let said = form
            .verify(
                &[
                    "verify",
                    "--certificate-identity-regexp",
                    "^https://gitlab\\.com/myorg/.*$",
                    "--certificate-oidc-issuer",
                    GITLAB,
                ],
                &image,
            )
            .succeeded();
        println!("{said}");
    }
}

for_every_signature! {
    cosign_itself_accepts
}
