//! The cases, from the material: as cosign leaves it, foreign, mixed, crafted, and bent in every place.

use serde_json::Value;

use crate::support::cosign::keyless::Form;
use crate::support::evidence::Evidence;
use crate::support::sigstore::{FOREIGN_ISSUER, Pipeline};

use super::material::{FORMS, Material};
use super::{Case, Question, bend, crafted};

/// All of them, each with a name of its own.
pub(super) fn all(material: &Material) -> Vec<Case> {
    let mut cases = vec![case("nothing", Question::Keyless, []), case("nothing, for a key", Question::Key, [])];
    for (name, form) in FORMS {
        cases.extend(of_form(material, name, form));
    }
    cases.extend(mixed(material));
    for (name, evidence) in crafted::simple_signing(material) {
        cases.push(case(format!("payload {name}"), Question::Key, [evidence]));
    }
    for (name, evidence) in crafted::bundles(material) {
        cases.push(case(format!("statement {name}"), Question::Key, [evidence]));
    }
    for (name, evidence) in crafted::attestations(material) {
        cases.push(case(format!("attestation {name}"), Question::KeySbom, [evidence]));
    }
    cases
}

/// What one cosign writes in one form.
fn of_form(material: &Material, name: &str, form: Form) -> Vec<Case> {
    let ours = Pipeline::of("myorg/app");
    let evil = Pipeline::of("myorg-evil/app");
    let including = Pipeline::of("notmyorg/app").including("myorg/app");
    let (signed, attested) = (material.signed(form, &ours), material.attested(form, &ours));
    let (foreign, keyed) = (material.signed(form, &evil), material.signed_with_key(form));
    let included = material.signed(form, &including);
    let elsewhere = material.signed_elsewhere(form, &ours);
    let at_issuer = material.signed(form, &ours.clone().issued_by(FOREIGN_ISSUER));
    let sbom_of_evil = material.attested(form, &evil);

    let mut cases = Vec::new();
    let mut add = |what: &str, question, evidence: &[&Evidence]| {
        let evidence = evidence.iter().map(|&evidence| evidence.clone()).collect();
        cases.push(Case { name: format!("{name}: {what}"), question, evidence });
    };
    add("signed", Question::Keyless, &[&signed]);
    add("signed, project pinned", Question::Pinned, &[&signed]);
    add("signed by another group", Question::Keyless, &[&foreign]);
    add("signed at another issuer", Question::Keyless, &[&at_issuer]);
    add("signed by a project that includes our file", Question::Keyless, &[&included]);
    add("signed by a project that includes our file, project pinned", Question::Pinned, &[&included]);
    add("signature of another image", Question::Keyless, &[&elsewhere]);
    add("signed after another group", Question::Keyless, &[&foreign, &signed]);
    add("signed before another group", Question::Keyless, &[&signed, &foreign]);
    add("attested only", Question::Keyless, &[&attested]);
    add("signed and attested", Question::Keyless, &[&signed, &attested]);
    add("attested", Question::KeylessSbom, &[&attested]);
    add("attested by another group", Question::KeylessSbom, &[&sbom_of_evil]);
    add("attested after another group", Question::KeylessSbom, &[&sbom_of_evil, &attested]);
    add("signed, not attested", Question::KeylessSbom, &[&signed]);
    add("signed by the key", Question::Key, &[&keyed]);
    add("signed by the key, in the log", Question::KeyInLog, &[&keyed]);
    add("signed by the key, not by a pipeline", Question::Keyless, &[&keyed]);
    add("signed by a pipeline, not by the key", Question::Key, &[&signed]);
    for (part, evidence) in bent(&signed).into_iter().chain(swapped(&signed, &foreign)) {
        add(&format!("signed, {part}"), Question::Keyless, &[&evidence]);
    }
    cases
}

/// Legacy and bundle side by side.
fn mixed(material: &Material) -> Vec<Case> {
    let (ours, evil) = (Pipeline::of("myorg/app"), Pipeline::of("myorg-evil/app"));
    let of = |pipeline| (material.signed(Form::Legacy, pipeline), material.signed(Form::Bundle, pipeline));
    let ((legacy, bundle), (evil_legacy, evil_bundle)) = (of(&ours), of(&evil));
    let broken = Evidence::Bundle(b"{".to_vec());
    let question = Question::Keyless;
    vec![
        case("mixed: our .sig, foreign bundle", question, [legacy.clone(), evil_bundle]),
        case("mixed: our bundle, foreign .sig", question, [bundle.clone(), evil_legacy]),
        case("mixed: our .sig, broken bundle", question, [legacy.clone(), broken.clone()]),
        case("mixed: our bundle, broken bundle", question, [bundle.clone(), broken]),
        case("mixed: our .sig, our bundle", question, [legacy, bundle]),
    ]
}

/// The evidence bent in every place, each time in one.
fn bent(evidence: &Evidence) -> Vec<(String, Evidence)> {
    match evidence {
        Evidence::Bundle(bytes) => {
            let bundle: Value = serde_json::from_slice(bytes).expect("cosign writes JSON");
            let bent = bend::bent(&bundle).into_iter();
            bent.map(|(part, bundle)| (part, Evidence::Bundle(bundle.to_string().into_bytes()))).collect()
        }
        Evidence::Tag { kind, media_type, annotations, payload } => {
            let tag = |annotations: Value, payload: Vec<u8>| Evidence::Tag {
                kind,
                media_type: media_type.clone(),
                annotations,
                payload,
            };
            let mut made: Vec<_> = bend::bent(annotations)
                .into_iter()
                .map(|(part, annotations)| (format!("{part} in annotations"), tag(annotations, payload.clone())))
                .collect();
            let log = "dev.sigstore.cosign/bundle";
            let entry = annotations[log].as_str().expect("cosign writes an entry");
            let entry: Value = serde_json::from_str(entry).expect("it is JSON");
            made.extend(bend::bent(&entry).into_iter().map(|(part, entry)| {
                let mut annotations = annotations.clone();
                annotations[log] = entry.to_string().into();
                (format!("{part} in the entry"), tag(annotations, payload.clone()))
            }));
            let changed = bend::change_text(&String::from_utf8_lossy(payload)).expect("a payload is not empty");
            made.push(("payload changed".into(), tag(annotations.clone(), changed.into_bytes())));
            made
        }
    }
}

/// Each part of ours replaced by that of a foreign signature.
fn swapped(ours: &Evidence, foreign: &Evidence) -> Vec<(String, Evidence)> {
    match (ours, foreign) {
        (Evidence::Bundle(ours), Evidence::Bundle(foreign)) => {
            let parse = |bytes| serde_json::from_slice::<Value>(bytes).expect("cosign writes JSON");
            let (ours, foreign) = (parse(ours), parse(foreign));
            let parts = [
                "/verificationMaterial/certificate",
                "/verificationMaterial/tlogEntries",
                "/verificationMaterial/timestampVerificationData",
                "/dsseEnvelope",
                "/dsseEnvelope/signatures",
            ];
            let swap = |part: &str| {
                let mut bundle = ours.clone();
                *bundle.pointer_mut(part).expect("it is there") = foreign.pointer(part).expect("it is there").clone();
                (format!("with foreign {part}"), Evidence::Bundle(bundle.to_string().into_bytes()))
            };
            parts.map(swap).into()
        }
        (
            Evidence::Tag { kind, media_type, annotations, payload },
            Evidence::Tag { annotations: foreign, payload: other, .. },
        ) => {
            let tag = |annotations: Value, payload: &Vec<u8>| Evidence::Tag {
                kind,
                media_type: media_type.clone(),
                annotations,
                payload: payload.clone(),
            };
            let names =
                ["dev.cosignproject.cosign/signature", "dev.sigstore.cosign/certificate", "dev.sigstore.cosign/bundle"];
            let mut made: Vec<_> = names
                .iter()
                .map(|name| {
                    let mut annotations = annotations.clone();
                    annotations[*name] = foreign[*name].clone();
                    (format!("with foreign {name}"), tag(annotations, payload))
                })
                .collect();
            made.push(("with foreign payload".into(), tag(annotations.clone(), other)));
            made
        }
        _ => unreachable!("both are of one form"),
    }
}

fn case(name: impl Into<String>, question: Question, evidence: impl Into<Vec<Evidence>>) -> Case {
    Case { name: name.into(), question, evidence: evidence.into() }
}
