//! Signatures without a key: GitLab pipelines sign with real cosign and a real private Sigstore. The policy pins the
//! issuer, the CI file and the project that ran it.

use std::sync::LazyLock;

use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::cosign::keyless::Form;
use crate::support::expect::is_refused;
use crate::support::image::Image;
use crate::support::lab::Cell;
use crate::support::matrix::everywhere;
use crate::support::proxy::{Proxy, REGISTRY};
use crate::support::registry::Kind;
use crate::support::sigstore::{FOREIGN_ISSUER, GITLAB, Pipeline, sigstore};

fn an_image_of_our_pipeline_runs(cell: Cell) {
    let image = cell.lab().push("keyless");
    Form::from(cell.cosign).sign(&ours(), &image);
    runs(cell, &image);
}

fn a_pipeline_of_a_group_whose_name_begins_like_ours_is_refused(cell: Cell) {
    let image = signed_by(cell, &Pipeline::of("myorg-evil/app"));
    is_refused(cell, proxy(cell), &image, &["identity_mismatch"]);
}

fn our_pipeline_at_another_issuer_is_refused(cell: Cell) {
    let image = signed_by(cell, &ours().issued_by(FOREIGN_ISSUER));
    is_refused(cell, proxy(cell), &image, &["issuer_mismatch"]);
}

/// Its certificate names our CI file; only the project that ran it differs.
fn a_foreign_project_that_includes_our_ci_file_is_refused(cell: Cell) {
    let pipeline = Pipeline::of("notmyorg/app").including("myorg/app");
    assert_eq!(pipeline.identity(), ours().identity());
    let image = signed_by(cell, &pipeline);
    is_refused(cell, proxy(cell), &image, &["extension_mismatch"]);
}

fn an_image_with_our_signature_and_our_sbom_runs(cell: Cell) {
    let image = cell.lab().push("bom");
    let form = Form::from(cell.cosign);
    form.sign(&ours(), &image);
    form.attest_sbom(&ours(), &image);
    runs(cell, &image);
}

fn an_sbom_that_a_foreign_project_attested_does_not_count(cell: Cell) {
    let image = cell.lab().push("bom");
    let form = Form::from(cell.cosign);
    form.sign(&ours(), &image);
    form.attest_sbom(&Pipeline::of("notmyorg/app").including("myorg/app"), &image);
    is_refused(cell, proxy(cell), &image, &["attestation_missing"]);
}

#[test]
fn a_bundle_that_cosign_2_writes_is_as_good() {
    let cell = Cell { containerd: Version::V2, registry: Kind::Referrers, cosign: Cosign::Bundle };
    let image = cell.lab().push("keyless");
    Form::EarlyBundle.sign(&ours(), &image);
    runs(cell, &image);
    let image = cell.lab().push("keyless");
    Form::EarlyBundle.sign(&Pipeline::of("myorg-evil/app"), &image);
    is_refused(cell, proxy(cell), &image, &["identity_mismatch"]);
}

/// The pipeline that the policy wants.
fn ours() -> Pipeline {
    Pipeline::of("myorg/app")
}

/// A new image that this pipeline signed, well enough for cosign.
fn signed_by(cell: Cell, pipeline: &Pipeline) -> Image {
    let image = cell.lab().push("keyless");
    let form = Form::from(cell.cosign);
    form.sign(pipeline, &image);
    let identity = pipeline.identity();
    let (who, issuer) = ("--certificate-identity", "--certificate-oidc-issuer");
    form.verify(&["verify", who, &identity, issuer, pipeline.issuer()], &image).succeeded();
    image
}

fn runs(cell: Cell, image: &Image) {
    let (lab, node) = (cell.lab(), cell.node());
    let name = image.tagged(lab.host());
    node.pull(&proxy(cell).safe_hosts(lab.host()), &name).succeeded();
    assert_eq!(node.run(&name), image.token);
    lab.nobody_went_past(image);
}

/// The proxy with the policy; the first caller starts it.
fn proxy(cell: Cell) -> &'static Proxy {
    static DOCKER: LazyLock<Proxy> = LazyLock::new(|| start(Kind::Docker));
    static REFERRERS: LazyLock<Proxy> = LazyLock::new(|| start(Kind::Referrers));
    match cell.registry {
        Kind::Docker => &DOCKER,
        Kind::Referrers => &REFERRERS,
    }
}

fn start(registry: Kind) -> Proxy {
    let lab = Cell { containerd: Version::V2, registry, cosign: Cosign::Bundle }.lab();
    let policy = format!(
        "trustRoots: {{ lab: {{ file: trusted_root.json }} }}\n\
         authorities:\n  \
           gitlab-ci:\n    \
             keyless:\n      \
               trustRoot: lab\n      \
               issuer: {GITLAB}\n      \
               identity: \"https://gitlab.com/myorg/**\"\n      \
               sourceRepository: \"https://gitlab.com/myorg/**\"\n\
         policies:\n  \
           - name: signed\n    \
             match: [ \"{REGISTRY}/**\" ]\n    \
             require: {{ signature: {{ by: gitlab-ci }} }}\n  \
           - name: attested\n    \
             match: [ \"{REGISTRY}/lab/bom-*\" ]\n    \
             require: {{ attestation: {{ by: gitlab-ci, type: cyclonedx }} }}\n\
         default: deny\n"
    );
    Proxy::start(&lab.registry, &[sigstore().trusted_root()], &policy)
}

everywhere! {
    an_image_of_our_pipeline_runs
    a_pipeline_of_a_group_whose_name_begins_like_ours_is_refused
    our_pipeline_at_another_issuer_is_refused
    a_foreign_project_that_includes_our_ci_file_is_refused
    an_image_with_our_signature_and_our_sbom_runs
    an_sbom_that_a_foreign_project_attested_does_not_count
}
