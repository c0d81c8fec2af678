//! Each way to bend a signature, and what `sigstore-verify` says to it.

use super::*;
use crate::demo::sigstore::certificate::{EXTENDED_KEY_USAGE, SERVER_AUTH};
use crate::demo::sigstore::ct::SCT_LIST;
use crate::demo::sigstore::identity::fulcio;

/// Bends a recipe for a stamped signature with both logs, signs, bends the pieces, and returns the objection.
fn objection(recipe: impl FnOnce(&mut Recipe), pieces: impl FnOnce(&mut Pieces)) -> String {
    let mut bent = SIGSTORE.stamped(myorg());
    recipe(&mut bent);
    let mut signed = bent.sign(statement()).expect("signs");
    pieces(&mut signed);
    verify(&SIGSTORE.trusted_root(), &signed.bundle(), None).err().unwrap_or_default()
}

fn issuance(recipe: &mut Recipe) -> &mut Issuance {
    recipe.certificate.as_mut().expect("it is keyless")
}

fn bend_template(change: impl FnOnce(Template) -> Template) -> impl FnOnce(&mut Recipe) {
    |recipe| {
        let template = &mut issuance(recipe).template;
        *template = change(template.clone());
    }
}

fn as_it_is<T>(_: &mut T) {}

#[test]
fn certificates() {
    let other = Sigstore::new().expect("randomness");
    let chain = "certificate chain validation failed";
    assert_eq!(objection(as_it_is, as_it_is), "");
    // Same names, other keys.
    assert!(objection(|recipe| issuance(recipe).authority = other.authority.clone(), as_it_is).contains(chain));
    assert!(objection(bend_template(|one| one.with(Extension::usage(&[SERVER_AUTH]))), as_it_is).contains(chain));
    assert!(objection(bend_template(|one| one.without(EXTENDED_KEY_USAGE)), as_it_is).contains(chain));
    assert!(objection(bend_template(|one| one.with(Extension::authority())), as_it_is).contains(chain));
    let unknown = |one: Template| one.with(Extension::critical(&[1, 2, 3], vec![5, 0]));
    assert!(objection(bend_template(unknown), as_it_is).contains("certificate"));
    let expired = |one| Template { not_after: NOW, ..one };
    assert_ne!(objection(bend_template(expired), as_it_is), "");
    let early = |one| Template { not_before: NOW + 60, ..one };
    assert_ne!(objection(bend_template(early), as_it_is), "");
}

#[test]
fn certificate_timestamps() {
    let other = Sigstore::new().expect("randomness");
    let scts = |scts: Vec<ct::Sct>| objection(|recipe| issuance(recipe).scts = scts, as_it_is);
    let good = SIGSTORE.ct.sct(NOW);
    assert!(scts(vec![]).contains("missing SCT"));
    assert!(scts(vec![good.clone(), good.clone()]).contains("multiple SCTs"));
    assert!(scts(vec![ct::Sct { forged: true, ..good.clone() }]).contains("SCT signature verification failed"));
    let issuer = Some(other.authority.key.id());
    assert!(scts(vec![ct::Sct { issuer, ..good.clone() }]).contains("SCT signature verification failed"));
    assert!(scts(vec![other.ct.sct(NOW)]).contains("key not found"));
    assert!(scts(vec![SIGSTORE.ct.sct(authority::BEGIN - 1)]).contains("not valid at"));
    assert_eq!(scts(vec![ct::Sct { extensions: vec![0, 0, 5, 0, 0, 0, 0, 9], ..good }]), "");
    let junk = |recipe: &mut Recipe| {
        issuance(recipe).scts.clear();
        issuance(recipe).template.extensions.push(Extension::new(SCT_LIST, der::octets(&[0, 3, 0, 1, 7])));
    };
    assert!(objection(junk, as_it_is).contains("failed to parse SCT"));
}

#[test]
fn identities() {
    let names = |names: Vec<San>| {
        let identity = Identity { names, ..Identity::gitlab("myorg/app") };
        let recipe = SIGSTORE.keyless(&identity, NOW).expect("a key");
        verify(&SIGSTORE.trusted_root(), &recipe.sign(statement()).expect("signs").bundle(), None)
    };
    // The crate shows the first name only: whoever relies on it must count them.
    let two = names(vec![San::Uri("https://a.test/".into()), San::Uri("https://b.test/".into())]).expect("verifies");
    assert_eq!(two.identity(), Some(&SubjectAltName::Uri("https://a.test/".into())));
    assert_eq!(names(vec![San::Other("name".into())]).expect("verifies").identity(), None);
    assert!(names(vec![San::Raw(vec![0x86, 0x7f])]).is_err());

    let issuer = |change: fn(Template) -> Template| {
        let recipe = myorg().with_template(change);
        let result = verify(&SIGSTORE.trusted_root(), &recipe.sign(statement()).expect("signs").bundle(), None);
        result.expect("verifies").issuer().map(str::to_string)
    };
    assert_eq!(issuer(|one| one.without(&fulcio(8))).as_deref(), Some("https://gitlab.com"));
    assert_eq!(issuer(|one| one.without(&fulcio(1))).as_deref(), Some("https://gitlab.com"));
    assert_eq!(issuer(|one| one.without(&fulcio(1)).without(&fulcio(8))), None);
    let evil = |one: Template| one.with(Extension::new(&fulcio(8), der::utf8("https://evil.test")));
    assert_eq!(issuer(evil).as_deref(), Some("https://evil.test"));
}

#[test]
fn signatures() {
    let recipe = SIGSTORE.stamped(myorg());
    let vouched = |signature: Vec<u8>| {
        let bundle = recipe.vouch(statement(), signature).expect("signs").bundle();
        verify(&SIGSTORE.trusted_root(), &bundle, None).err().unwrap_or_default()
    };
    let sign = |message: &[u8]| recipe.key.sign(message).expect("signs");
    assert_eq!(vouched(sign(&statement().message())), "");
    // Not over the encoding, by another key, over nothing.
    assert!(vouched(sign(statement().payload())).contains("signature"));
    assert!(vouched(SIGSTORE.tsa.key.sign(&statement().message()).expect("signs")).contains("signature"));
    assert!(vouched(Vec::new()).contains("signature"));
}

#[test]
fn log_entries() {
    let other = Sigstore::new().expect("randomness");
    let entry = |bend: &dyn Fn(&mut Entry)| objection(as_it_is, |pieces| bend(&mut pieces.entries[0]));
    let another = myorg().sign(statement()).expect("signs").entries;
    assert_ne!(objection(as_it_is, |pieces| pieces.entries = another), "", "another signature's entry");
    assert!(objection(|recipe| recipe.logs = vec![other.rekor.clone()], as_it_is).contains("log"));
    assert_ne!(objection(|recipe| recipe.integrated_at = NOW + 601, as_it_is), "");
    for bend in [
        &(|one: &mut Entry| one.promise = Some(vec![0x30, 0])) as &dyn Fn(&mut Entry),
        &|one| one.integrated_at = one.integrated_at.map(|at| at + 1),
        &|one| one.index += 1,
        &|one| one.kind.1 = "0.0.2".into(),
        &|one| one.body.push(b' '),
        &|one| one.log = vec![7; 32],
        &|one| one.proof = None,
    ] {
        assert_ne!(entry(bend), "");
    }
    // With a promise that fits, the body must still be the signature's.
    let relogged = |one: &mut Entry| {
        let mut body: Value = serde_json::from_slice(&one.body).expect("JSON");
        body["spec"]["payloadHash"]["value"] = json!("00".repeat(32));
        let body = body.to_string().into_bytes();
        *one = SIGSTORE.rekor.enter(("dsse", "0.0.1"), body, NOW + 1).expect("signs");
    };
    assert_ne!(entry(&relogged), "");
}

#[test]
fn inclusion_proofs() {
    let proof = |log: &Log, bend: &dyn Fn(&mut log::Proof)| {
        let bend = |pieces: &mut Pieces| bend(pieces.entries[0].proof.as_mut().expect("a proof"));
        objection(|recipe| recipe.logs = vec![log.clone()], bend)
    };
    let other = Sigstore::new().expect("randomness");
    let checkpoint = |signatory: &checkpoint::Signatory, one: &log::Proof| {
        signatory.checkpoint(usize::try_from(one.size).expect("a size"), &one.root).expect("signs")
    };
    for (log, foreign) in [(&SIGSTORE.rekor, &other.rekor), (&SIGSTORE.rekor_v2, &other.rekor_v2)] {
        assert_eq!(proof(log, &as_it_is), "");
        for bend in [
            &(|one: &mut log::Proof| one.hashes[0][0] ^= 1) as &dyn Fn(&mut log::Proof),
            &|one| one.hashes.truncate(1),
            &|one| one.checkpoint = checkpoint(&foreign.signatory, one),
            &|one| one.checkpoint = one.checkpoint.replace("test", "tset"),
            &|one| one.checkpoint = log.signatory.checkpoint(7, &[7; 32]).expect("signs"),
        ] {
            assert_ne!(proof(log, bend), "");
        }
        // A witness beside the log does no harm, before it or behind.
        let text = |one: &log::Proof| one.checkpoint.split("\n\n").next().unwrap_or_default().to_string() + "\n";
        let behind = |one: &mut log::Proof| one.checkpoint += &foreign.signatory.line(&text(one)).expect("signs");
        assert_eq!(proof(log, &behind), "");
    }
    let v1 = |bend: &dyn Fn(&mut log::Proof)| proof(&SIGSTORE.rekor, bend);
    assert_ne!(v1(&|one| one.root[0] ^= 1), "");
    assert_ne!(v1(&|one| one.index += 1), "");
    assert_ne!(v1(&|one| one.size = 9), "");
    // The crate takes another origin for the same log's: whoever minds must look.
    let odd = checkpoint::Signatory { origin: "evil.test".into(), ..SIGSTORE.rekor.signatory.clone() };
    assert_eq!(v1(&|one| one.checkpoint = checkpoint(&odd, one)), "");
}

#[test]
fn time_stamps() {
    let stamp =
        |make: &dyn Fn(&[u8]) -> Vec<u8>| objection(as_it_is, |pieces| pieces.stamps = vec![make(&pieces.signature)]);
    let token = |bend: fn(&mut tsa::Token)| {
        stamp(&|bytes| {
            let mut token = SIGSTORE.tsa.token(bytes, NOW + 1);
            bend(&mut token);
            SIGSTORE.tsa.sign(&token).expect("signs")
        })
    };
    let other = Sigstore::new().expect("randomness");
    let useless = Authority::root("virtual tsa root").expect("a key");
    let useless = Tsa::under(&useless, &Template::stamping().with(Extension::usage(&[SERVER_AUTH]))).expect("a key");
    assert_eq!(token(as_it_is), "");
    assert_eq!(token(|one| one.certificates.clear()), "", "the trusted root has the certificate");
    assert_ne!(token(|one| one.status = 2), "");
    assert_ne!(token(|one| one.imprint[0] ^= 1), "");
    assert_ne!(token(|one| one.digest = Some(vec![7; 32])), "");
    assert_ne!(token(|one| one.at = NOW + 601), "");
    assert_ne!(token(|one| one.at = authority::BEGIN - 1), "");
    assert_ne!(stamp(&|_| SIGSTORE.tsa.stamp(b"something else", NOW + 1).expect("signs")), "");
    assert_ne!(stamp(&|bytes| other.tsa.stamp(bytes, NOW + 1).expect("signs")), "");
    assert_ne!(stamp(&|bytes| useless.stamp(bytes, NOW + 1).expect("signs")), "");
    assert_ne!(objection(|recipe| recipe.stamps_layer = true, as_it_is), "");
    let mut v2 = SIGSTORE.with_rekor_v2(myorg());
    v2.tsas.clear();
    assert!(verify(&SIGSTORE.trusted_root(), &v2.sign(statement()).expect("signs").bundle(), None).is_err());
}

#[test]
fn trusted_roots() {
    let bundle = SIGSTORE.stamped(myorg()).sign(statement()).expect("signs").bundle();
    let without = |pointer: &str, value: Value| {
        let mut root = SIGSTORE.trusted_root();
        *root.pointer_mut(pointer).expect(pointer) = value;
        verify(&root, &bundle, None).err().unwrap_or_default()
    };
    let ended = json!({ "start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z" });
    for pointer in ["/tlogs", "/certificateAuthorities", "/ctlogs", "/timestampAuthorities"] {
        assert_ne!(without(pointer, json!([])), "", "{pointer}");
    }
    for pointer in ["/tlogs/0/publicKey", "/certificateAuthorities/0", "/ctlogs/0/publicKey", "/timestampAuthorities/0"]
    {
        assert_ne!(without(&format!("{pointer}/validFor"), ended.clone()), "", "{pointer}");
    }
    assert_ne!(verify(&Sigstore::new().expect("randomness").trusted_root(), &bundle, None).err(), None);
}
