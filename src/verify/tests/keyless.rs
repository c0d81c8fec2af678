//! Signatures by identities: each thing that may be wrong with one, and what is said of it.

use serde_json::{Value, json};

use super::scene::*;
use crate::clock::Timestamp;
use crate::demo::sigstore::certificate::{BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE, SERVER_AUTH};
use crate::demo::sigstore::ct::Sct;
use crate::demo::sigstore::identity::fulcio;
use crate::demo::sigstore::{Extension, Identity, Issuance, Kind, Pieces, Recipe, San, Sigstore, Template, der};
use crate::policy::{Pattern, Revoked};
use crate::reason::Reason;
use crate::test_support::SIGSTORE;

fn of(identity: &Identity) -> Recipe {
    SIGSTORE.keyless(identity, NOW).expect("a key")
}

fn issuance(recipe: &mut Recipe) -> &mut Issuance {
    recipe.certificate.as_mut().expect("it is keyless")
}

/// Why a signature by `recipe` does not count for the pipelines of `myorg`.
fn refused(recipe: &Recipe) -> Option<Reason> {
    reason(&bent(recipe, |_| ()), &by_myorg())
}

fn with_template(change: impl FnOnce(Template) -> Template) -> Recipe {
    myorg().with_template(change)
}

#[test]
fn every_form_in_which_a_pipeline_signs_is_accepted() {
    let intoto = Recipe { kind: Some(Kind::InTotoV2), ..myorg() };
    let layer_stamped = Recipe { stamps_layer: true, ..SIGSTORE.stamped(myorg()) };
    for (form, candidate) in [
        ("bundle", bent(&myorg(), |_| ())),
        ("stamped", bent(&SIGSTORE.stamped(myorg()), |_| ())),
        ("Rekor v2", bent(&SIGSTORE.with_rekor_v2(myorg()), |_| ())),
        ("intoto", bent(&intoto, |_| ())),
        ("attestation", bundle(&myorg().sign(attestation()).expect("signs"))),
        (".sig", legacy(&myorg().sign(payload()).expect("signs"))),
        (".sig, stamped", legacy(&SIGSTORE.stamped(myorg()).sign(payload()).expect("signs"))),
        (".att", legacy(&myorg().sign(attestation()).expect("signs"))),
        (".att, intoto", legacy(&intoto.sign(attestation()).expect("signs"))),
        (".att, layer stamped", legacy(&layer_stamped.sign(attestation()).expect("signs"))),
    ] {
        let signing = judged(&candidate, &by_myorg()).unwrap_or_else(|reason| panic!("{form}: {reason}"));
        let certificate = signing.certificate().expect("a certificate");
        assert_eq!(certificate.identity(), "https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main", "{form}");
        assert_eq!(certificate.issuer(), "https://gitlab.com");
        assert_eq!(certificate.extension(crate::policy::Extension::Trigger), Some("push"));
        assert_eq!(signing.time(), Some(Timestamp(u64::try_from(NOW + 1).expect("a time"))), "{form}");
        assert_eq!(signing.log_index(), Some(if form == "Rekor v2" { 4 } else { 1004 }), "{form}");
    }
    let mut first = SIGSTORE.with_rekor_v2(myorg());
    first.logs = vec![SIGSTORE.rekor_v2.clone().at(0, 1)];
    assert_eq!(judged(&bent(&first, |_| ()), &by_myorg()).map(|signing| signing.log_index()), Ok(Some(0)));
}

#[test]
fn only_whom_the_authority_wants_counts() {
    let file = "https://gitlab.com/myorg/ci//build.yml@refs/heads/main";
    for (identity, expected) in [
        (Identity::gitlab("myorg/app"), None),
        (Identity::gitlab("myorg/team/app"), None),
        (Identity::gitlab("myorg-evil/app"), Some(Reason::IdentityMismatch)),
        (Identity::gitlab("other/app"), Some(Reason::IdentityMismatch)),
        // A foreign project that includes the company's CI file carries its name.
        (Identity::gitlab_including("myorg/app", file), None),
        (Identity::gitlab_including("evil/app", file), Some(Reason::ExtensionMismatch)),
        (Identity::gitlab("myorg/app").issued_by("https://gitlab.com.evil"), Some(Reason::IssuerMismatch)),
        (Identity::gitlab("myorg/app").issued_by("https://gitlab.com/"), Some(Reason::IssuerMismatch)),
        (Identity::gitlab("myorg/app").claiming(12, ""), Some(Reason::ExtensionMismatch)),
        (Identity { claims: vec![], ..Identity::gitlab("myorg/app") }, Some(Reason::ExtensionMismatch)),
        (Identity::github("myorg/app"), Some(Reason::IdentityMismatch)),
    ] {
        assert_eq!(refused(&of(&identity)), expected, "{identity:?}");
    }
}

#[test]
fn a_certificate_has_one_name_of_the_kind_that_it_looks_like() {
    let good = "https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main";
    let uri = || San::Uri(good.into());
    let invalid = Some(Reason::CertificateInvalid);
    for (names, expected) in [
        (vec![uri()], None),
        (vec![], invalid),
        (vec![uri(), uri()], invalid),
        (vec![uri(), San::Email("a@evil.test".into())], invalid),
        (vec![San::Email("a@evil.test".into()), uri()], invalid),
        (vec![San::Email(good.into())], invalid),
        (vec![San::Dns("gitlab.com".into())], invalid),
        (vec![San::Other(good.into())], invalid),
        (vec![San::Raw(vec![0x86, 0x85])], invalid),
        (vec![San::Other("someone!myorg.test".into())], Some(Reason::IdentityMismatch)),
        (vec![San::Email("someone@myorg.test".into())], Some(Reason::IdentityMismatch)),
        (vec![San::Uri("someone@myorg.test".into())], invalid),
        (vec![San::Uri(format!("{good}\u{0}"))], invalid),
        (vec![San::Uri(".".repeat(20 << 10))], Some(Reason::EvidenceTooLarge)),
    ] {
        let identity = Identity { names, ..Identity::gitlab("myorg/app") };
        assert_eq!(refused(&of(&identity)), expected, "{:.200}", format!("{:?}", identity.names));
    }
    let mut anyone = wanted();
    (anyone.identity, anyone.pins) = (Pattern::regex("some(one!myorg|body@myorg).test").expect("a pattern"), vec![]);
    let anyone = crate::policy::Authority::alone(crate::policy::Kind::Keyless(anyone), name());
    for san in [San::Other("someone!myorg.test".into()), San::Email("somebody@myorg.test".into())] {
        let identity = Identity { names: vec![san], ..Identity::gitlab("myorg/app") };
        assert_eq!(reason(&bent(&of(&identity), |_| ()), &anyone), None, "{identity:?}");
    }
}

#[test]
fn both_encodings_of_the_issuer_must_agree() {
    let old = |text: &str| Extension::new(&fulcio(1), text.into());
    let new = |der: Vec<u8>| Extension::new(&fulcio(8), der);
    let invalid = Some(Reason::CertificateInvalid);
    let good = "https://gitlab.com";
    for (name, recipe, expected) in [
        ("only the old one", with_template(|one| one.without(&fulcio(8))), None),
        ("only the new one", with_template(|one| one.without(&fulcio(1))), None),
        ("none", with_template(|one| one.without(&fulcio(1)).without(&fulcio(8))), invalid),
        ("another old one", with_template(|one| one.with(old("https://evil.test"))), invalid),
        ("another new one", with_template(|one| one.with(new(der::utf8("https://evil.test")))), invalid),
        (
            "an old one in DER",
            with_template(|one| one.without(&fulcio(8)).with(Extension::new(&fulcio(1), der::utf8(good)))),
            invalid,
        ),
        ("a new one without DER", with_template(|one| one.with(new(good.into()))), invalid),
        ("a broken claim", with_template(|one| one.with(Extension::new(&fulcio(12), vec![0x0c, 9]))), invalid),
        (
            "twice",
            with_template(|mut one| {
                one.extensions.push(old(good));
                one
            }),
            invalid,
        ),
    ] {
        assert_eq!(refused(&recipe), expected, "{name}");
    }
}

#[test]
fn the_certificate_is_for_signing_and_genuine() {
    let other = Sigstore::new().expect("randomness");
    let mut foreign = myorg();
    issuance(&mut foreign).authority = other.authority.clone();
    let invalid = Some(Reason::CertificateInvalid);
    for (name, recipe, expected) in [
        ("another authority of the same name", foreign, invalid),
        ("no key usage", with_template(|one| one.without(KEY_USAGE)), invalid),
        ("key encipherment", with_template(|one| one.with(Extension::key_usage(0x20))), invalid),
        ("another purpose", with_template(|one| one.with(Extension::usage(&[SERVER_AUTH]))), invalid),
        ("no purpose", with_template(|one| one.without(EXTENDED_KEY_USAGE)), invalid),
        ("an authority", with_template(|one| one.with(Extension::authority())), invalid),
        ("unknown and critical", with_template(|one| one.with(Extension::critical(&[1, 2, 3], vec![5, 0]))), invalid),
        (
            "poisoned",
            with_template(|one| one.with(Extension::critical(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 3], vec![5, 0]))),
            invalid,
        ),
        ("no basic constraints", with_template(|one| one.without(BASIC_CONSTRAINTS)), None),
        ("expired", with_template(|one| Template { not_after: NOW, ..one }), Some(Reason::CertificateExpired)),
        (
            "not yet valid",
            with_template(|one| Template { not_before: NOW + 60, ..one }),
            Some(Reason::CertificateExpired),
        ),
    ] {
        assert_eq!(refused(&recipe), expected, "{name}");
    }
    for (name, bend) in [
        ("not DER", (|pieces| pieces.certificate = Some(vec![0x30, 1])) as fn(&mut Pieces)),
        ("too large", |pieces| pieces.certificate = Some(vec![0x30; 1 << 20])),
    ] {
        let expected = if name == "too large" { Some(Reason::EvidenceTooLarge) } else { invalid };
        assert_eq!(reason(&bent(&myorg(), bend), &by_myorg()), expected, "{name}");
    }
}

#[test]
fn the_certificate_was_logged() {
    let other = Sigstore::new().expect("randomness");
    let good = SIGSTORE.ct.sct(NOW);
    let with = |scts: Vec<Sct>| {
        let mut recipe = myorg();
        issuance(&mut recipe).scts = scts;
        recipe
    };
    for (name, recipe, expected) in [
        ("none", with(vec![]), Some(Reason::SctMissing)),
        ("two", with(vec![good.clone(), good.clone()]), Some(Reason::SctInvalid)),
        ("forged", with(vec![Sct { forged: true, ..good.clone() }]), Some(Reason::SctInvalid)),
        ("another log's", with(vec![other.ct.sct(NOW)]), Some(Reason::SctInvalid)),
        ("good", with(vec![good]), None),
    ] {
        assert_eq!(refused(&recipe), expected, "{name}");
    }
    let lax = by_myorg().without_certificate_log();
    assert_eq!(reason(&bent(&with(vec![]), |_| ()), &lax), None);
    let root = rooted("/ctlogs", json!([]));
    let judged = |by| judge(&bent(&myorg(), |_| ()), by, &root, &Revoked::default(), NOW + 60).err();
    assert_eq!((judged(&by_myorg()), judged(&lax)), (Some(Reason::SctInvalid), None));
}

fn rooted(pointer: &str, value: Value) -> Value {
    let mut root = SIGSTORE.trusted_root();
    *root.pointer_mut(pointer).expect(pointer) = value;
    root
}

#[test]
fn time_stamps_are_verified_and_give_the_time_where_no_log_does() {
    let other = Sigstore::new().expect("randomness");
    let stamp = |bytes: &dyn Fn(&Pieces) -> Vec<u8>| {
        bent(&myorg(), |pieces| pieces.stamps = vec![SIGSTORE.tsa.stamp(&bytes(pieces), NOW + 1).expect("signs")])
    };
    let late = Recipe { stamped_at: NOW + 601, ..SIGSTORE.stamped(myorg()) };
    let mut unstamped = SIGSTORE.with_rekor_v2(myorg());
    unstamped.tsas.clear();
    let twice = bent(&SIGSTORE.stamped(myorg()), |pieces| pieces.stamps.push(pieces.stamps[0].clone()));
    for (name, candidate, expected) in [
        ("over the signature", stamp(&|pieces| pieces.signature.clone()), None),
        ("over the payload", stamp(&|pieces| pieces.content.payload().to_vec()), Some(Reason::TimestampInvalid)),
        (
            "another authority's",
            bent(&Recipe { tsas: vec![other.tsa.clone()], ..myorg() }, |_| ()),
            Some(Reason::TimestampInvalid),
        ),
        ("after the certificate's life", bent(&late, |_| ()), Some(Reason::CertificateExpired)),
        ("none beside Rekor v2", bent(&unstamped, |_| ()), Some(Reason::TimestampMissing)),
        ("one twice", twice, Some(Reason::EvidenceMalformed)),
        (
            "33",
            bent(&SIGSTORE.stamped(myorg()), |pieces| pieces.stamps = vec![vec![0]; 33]),
            Some(Reason::EvidenceTooLarge),
        ),
    ] {
        assert_eq!(reason(&candidate, &by_myorg()), expected, "{name}");
    }
    // Without a log, by the authority's explicit word, only a stamp tells when.
    let lax = by_myorg().demanding(false, crate::policy::Validity::ALWAYS);
    let unlogged = |recipe: Recipe| bent(&Recipe { logs: vec![], ..recipe }, |_| ());
    assert_eq!(reason(&unlogged(SIGSTORE.stamped(myorg())), &by_myorg()), Some(Reason::LogEntryMissing));
    assert_eq!(reason(&unlogged(SIGSTORE.stamped(myorg())), &lax), None);
    assert_eq!(reason(&unlogged(myorg()), &lax), Some(Reason::TimestampMissing));
    let sig = Recipe { logs: vec![], ..SIGSTORE.stamped(myorg()) }.sign(payload()).expect("signs");
    assert_eq!(
        (reason(&legacy(&sig), &lax), reason(&legacy(&sig), &by_myorg())),
        (None, Some(Reason::LogEntryMissing))
    );
    // A stamp of which the root knows no authority says nothing, and does no harm beside the log.
    let root = rooted("/timestampAuthorities", json!([]));
    let foreign = bent(&Recipe { tsas: vec![other.tsa.clone()], ..myorg() }, |_| ());
    assert_eq!(judge(&foreign, &by_myorg(), &root, &Revoked::default(), NOW + 60).err(), None);
    // What the future signed does not count yet.
    let early = |now| {
        judge(
            &bent(&SIGSTORE.stamped(myorg()), |_| ()),
            &by_myorg(),
            &SIGSTORE.trusted_root(),
            &Revoked::default(),
            now,
        )
        .err()
    };
    assert_eq!((early(NOW), early(NOW - 600)), (None, Some(Reason::TimestampInvalid)));
}

#[test]
fn who_is_revoked_does_not_count_and_the_rest_does() {
    let root = SIGSTORE.trusted_root();
    let by = |revoked: &Revoked| judge(&bent(&myorg(), |_| ()), &by_myorg(), &root, revoked, NOW + 60).err();
    let identity = |issuer: Option<&str>, identity: &str| Revoked::of_identity(issuer, identity);
    assert_eq!(by(&identity(None, "https://gitlab.com/myorg/app/**")), Some(Reason::Revoked));
    assert_eq!(by(&identity(Some("https://gitlab.com"), "https://gitlab.com/**")), Some(Reason::Revoked));
    assert_eq!(by(&identity(Some("https://other.test"), "https://gitlab.com/**")), None);
    assert_eq!(by(&identity(None, "https://gitlab.com/myorg/tool/**")), None);
}

#[test]
fn evidence_by_a_key_is_no_identity_and_a_root_must_be_there() {
    let key = crate::demo::sigstore::Key::p256().expect("a key");
    let keyed = SIGSTORE.keyed(&key, NOW);
    assert_eq!(reason(&bent(&keyed, |_| ()), &by_myorg()), Some(Reason::IdentityMismatch));
    assert_eq!(reason(&legacy(&keyed.sign(payload()).expect("signs")), &by_myorg()), Some(Reason::IdentityMismatch));
    assert_eq!(reason(&bent(&myorg(), |_| ()), &by_key(&key)), Some(Reason::KeyMismatch));
    let elsewhere = by_myorg().rooted("gone");
    assert_eq!(reason(&bent(&myorg(), |_| ()), &elsewhere), Some(Reason::TrustRootUnavailable));
}
