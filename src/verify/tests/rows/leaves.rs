//! Certificates over every kind of key that Fulcio takes: what the crate does for P-256 is done by us for the others, so
//! the rows about certificates, entries, proofs and times hold for those as well.

use std::cell::Cell;

use aws_lc_rs::digest::{SHA384, SHA512, digest};
use rcgen::SignatureAlgorithm;

use super::*;

thread_local! {
    /// Of which kind the keys are that certificates are made for in this thread.
    pub(super) static KIND: Cell<&'static SignatureAlgorithm> = const { Cell::new(&rcgen::PKCS_ECDSA_P256_SHA256) };
}

/// Whether the crate verifies certificates over keys of that kind.
pub(super) fn by_crate() -> bool {
    KIND.get() == &rcgen::PKCS_ECDSA_P256_SHA256
}

/// Calls the named rows with keys of every other curve.
macro_rules! rows {
    ($($test:ident: $module:ident { $($row:ident)* })*) => {$(
        #[test]
        fn $test() {
            for kind in [&rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ECDSA_P521_SHA512] {
                KIND.set(kind);
                $(super::$module::$row();)*
            }
        }
    )*};
}

rows! {
    what_certificates_say: certificates {
        a20_a_million_dots a27_no_certificate_where_one_must_be a37_a_subject_of_megabytes
        b16_extensions_of_the_wrong_type_or_twice b24_a_certificate_log_proof_for_another_issuers_key
        b31_a_certificate_that_was_not_logged o26_certificate_log_proofs_that_are_missing_wrong_or_late
        o31_leaves_of_every_wrong_kind
    }
    who_issued_them: chains {
        a08_an_intermediate_that_had_expired b33_a_leaf_is_no_anchor o31_intermediates_of_every_wrong_kind
        o31_an_authority_with_the_same_names_and_another_key
    }
    what_the_log_says: entries {
        a03_an_entry_of_other_content_or_another_certificate a07_a_valid_entry_of_another_bundle
        a15_bodies_that_lack_what_they_must_have a16_an_entry_of_an_unsupported_kind a17_a_key_by_url_is_no_key
        a25_an_entry_of_a_log_that_nobody_trusts a26_several_entries_of_which_one_fits
        b10_an_entry_of_the_second_log_without_content b12_a_time_without_the_logs_promise
        b18_the_dropped_entry_version_of_the_second_log b21_the_hash_of_the_logged_envelope_is_not_ours_to_know
        b41_a_bad_entry_beside_a_good_one o21_each_field_of_an_entry_is_compared o24_evidence_of_another_instance
    }
    how_the_log_proves_it: proofs {
        b13_a_checkpoint_cut_anywhere b19_a_checkpoint_that_the_log_did_not_sign
        b20_a_proof_and_a_promise_that_do_not_verify o22_a_proof_of_another_leaf_place_or_size
        o23_a_checkpoint_of_another_tree_key_or_log o25_a_log_key_outside_its_validity
    }
    when_it_was_signed: times {
        b30_a_stamp_alone_is_a_time_only_if_it_verifies o29_two_trusted_times_of_which_one_is_outside
    }
    what_stands_beside_a_legacy_layer: legacy {
        a01_a_log_entry_of_another_signature_beside_a_legacy_one b39_certificates_in_another_order
        o32_a_chain_with_a_root_of_its_own_is_no_anchor o30_a_stamp_over_the_signature_where_the_layer_is_stamped
    }
}

#[test]
fn every_kind_signs_in_every_form() {
    let stage = Stage::keyless();
    for kind in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ECDSA_P521_SHA512,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        KIND.set(kind);
        for recipe in [myorg(), SIGSTORE.stamped(myorg()), SIGSTORE.with_rekor_v2(myorg())] {
            let good = stage.good(&recipe);
            stage.accepts(&bundle(&recipe.sign(sbom()).expect("signs")));
            let other = Recipe { key: myorg().key, ..recipe.clone() }.sign(statement()).expect("signs");
            let mut bent = good.signature.clone();
            *bent.last_mut().expect("a byte") ^= 1;
            let forged = recipe.vouch(statement(), bent).expect("signs");
            let swapped = Pieces { certificate: other.certificate, ..good };
            let foreign = recipe.vouch(statement(), other.signature).expect("signs");
            stage.refuses([
                ("a bit, and logged", bundle(&forged), SignatureInvalid),
                ("by another key, and logged", bundle(&foreign), SignatureInvalid),
                ("another's certificate", bundle(&swapped), SignatureInvalid),
            ]);
        }
        stage.good_legacy(&myorg());
        stage.accepts(&legacy(&myorg().sign(sbom()).expect("signs")));
    }
}

/// As Rekor enters signatures with these keys: under the digest that was signed.
#[test]
fn entries_have_the_digest_that_the_key_signs() {
    let stage = Stage::keyless();
    for (kind, hash, name) in
        [(&rcgen::PKCS_ECDSA_P384_SHA384, &SHA384, "384"), (&rcgen::PKCS_ECDSA_P521_SHA512, &SHA512, "512")]
    {
        KIND.set(kind);
        let good = stage.good(&SIGSTORE.with_rekor_v2(myorg()));
        let entered = |content: &[u8]| {
            let data = json!({ "algorithm": format!("SHA2_{name}"), "digest": base64(digest(hash, content).as_ref()) });
            bundle(&with_body(&good, &SIGSTORE.rekor_v2, "/spec/hashedRekordV002/data", data))
        };
        stage.accepts(&entered(&good.content.message()));
        let good_legacy = stage.good_legacy(&myorg());
        let entered_v1 = |content: &[u8]| {
            let digest = digest(hash, content);
            let hex = digest.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            let data = json!({ "hash": { "algorithm": format!("sha{name}"), "value": hex } });
            legacy(&with_body(&good_legacy, &SIGSTORE.rekor, "/spec/data", data))
        };
        stage.accepts(&entered_v1(&good_legacy.content.message()));
        stage.refuses([
            ("other content", entered(b"other"), LogEntryMismatch),
            ("other content, legacy", entered_v1(b"other"), LogEntryMismatch),
        ]);
    }
}

#[test]
fn only_trusted_times_within_its_life_count() {
    KIND.set(&rcgen::PKCS_ECDSA_P384_SHA384);
    let stage = Stage::keyless();
    let recipe = SIGSTORE.stamped(myorg());
    let good = stage.good(&myorg());
    let at = |integrated_at: i64, stamped_at: i64| {
        bundle(&Recipe { integrated_at, stamped_at, ..recipe.clone() }.sign(statement()).expect("signs"))
    };
    let bent = |change: fn(&mut crate::demo::sigstore::Entry)| {
        let mut pieces = good.clone();
        change(&mut pieces.entries[0]);
        bundle(&pieces)
    };
    stage.accepts(&at(NOW, NOW + 600));
    stage.refuses([
        ("entered too late", at(NOW + 601, NOW + 1), CertificateExpired),
        ("entered too early", at(NOW - 1, NOW + 1), CertificateExpired),
        ("stamped too late", at(NOW + 1, NOW + 601), CertificateExpired),
        ("stamped too early", at(NOW + 1, NOW - 1), CertificateExpired),
        ("only the log's untrusted word", bent(|entry| entry.promise = None), TimestampMissing),
        ("a promise without a time", bent(|entry| entry.integrated_at = None), LogEntryInvalid),
    ]);
    let present = Stage { now: super::at(NOW + 10), ..stage };
    present.refuses([
        ("entered in the future", at(NOW + 500, NOW + 1), LogEntryInvalid),
        ("stamped in the future", at(NOW + 1, NOW + 500), TimestampInvalid),
    ]);
}

#[test]
fn the_authority_is_trusted_at_every_time() {
    let stage = Stage::keyless();
    let end = jiff::Timestamp::from_second(NOW + 60).expect("a time").to_string();
    let ended =
        stage.with_root("/certificateAuthorities/0/validFor", json!({ "start": "2020-01-01T00:00:00Z", "end": end }));
    for kind in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384] {
        KIND.set(kind);
        let recipe = SIGSTORE.stamped(myorg());
        let at = |integrated_at: i64, stamped_at: i64| {
            bundle(&Recipe { integrated_at, stamped_at, ..recipe.clone() }.sign(statement()).expect("signs"))
        };
        stage.accepts(&at(NOW + 61, NOW + 1));
        ended.accepts(&at(NOW + 60, NOW + 1));
        ended.refuses([
            ("entered when it had ended", at(NOW + 61, NOW + 1), CertificateInvalid),
            ("stamped when it had ended", at(NOW + 1, NOW + 61), CertificateInvalid),
        ]);
    }
}
