use rcgen::KeyPair;

use super::*;
use crate::telemetry::Metrics;

fn files(folder: &std::path::Path) -> OwnCertificate {
    OwnCertificate { certificate: folder.join("tls.crt"), key: folder.join("tls.key") }
}

fn write(files: &OwnCertificate) -> KeyPair {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).expect("a certificate");
    std::fs::write(&files.certificate, made.cert.pem()).expect("a file");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("a file");
    made.signing_key
}

#[test]
fn a_new_pair_is_taken_and_a_wrong_one_told_once_and_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path());
    write(&files);
    let metrics = Metrics::new();
    let tls = Tls::load(files.clone(), true, metrics.certificate()).expect("a pair");
    let shows = |line: &str| {
        let text = metrics.render();
        assert!(text.contains(&format!("\ncountersign_certificate_{line}\n")), "{line}\n{text}");
    };
    let (mut used, mut told) = (tls.made_from.clone(), None);
    let mut turn = || {
        tls.turn(files.read(), &mut used, &mut told);
        told.as_ref().map(ToString::to_string)
    };
    let in_force = || Arc::as_ptr(&tls.config.load_full());
    let first = in_force();
    shows("reload_failed 0");
    assert_eq!((turn(), in_force()), (None, first));

    // The key of another certificate, and then none at all: each is told, and nothing changes.
    let right = std::fs::read(&files.key).expect("a file");
    std::fs::write(&files.key, KeyPair::generate().expect("a key").serialize_pem()).expect("a file");
    for _ in 0..2 {
        let told = turn().expect("it is wrong");
        assert!(told.contains("tls.key`: it is not the key of `"), "{told}");
        assert_eq!(in_force(), first);
        shows("reload_failed 1");
        shows("reloads_total{result=\"failed\"} 1");
    }
    std::fs::remove_file(&files.certificate).expect("it is there");
    assert!(turn().is_some_and(|told| told.contains("tls.crt`: it does not exist")));
    shows("reloads_total{result=\"failed\"} 2");
    assert_eq!(in_force(), first);

    write(&files);
    assert_eq!(turn(), None);
    assert_ne!(in_force(), first);
    shows("reload_failed 0");
    shows("reloads_total{result=\"loaded\"} 1");
    let second = in_force();
    std::fs::write(&files.key, right).expect("a file");
    assert!(turn().is_some());
    assert_eq!(in_force(), second);
}

#[test]
fn the_expiry_of_the_certificate_in_force_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path());
    let key = KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_string()]).expect("a name");
    params.not_after = rcgen::date_time_ymd(2031, 2, 3);
    std::fs::write(&files.certificate, params.self_signed(&key).expect("a certificate").pem()).expect("a file");
    std::fs::write(&files.key, key.serialize_pem()).expect("a file");
    let metrics = Metrics::new();
    assert!(metrics.render().contains("\ncountersign_certificate_expiry_timestamp_seconds 0\n"));
    Tls::load(files, false, metrics.certificate()).expect("a pair");
    assert!(metrics.render().contains("\ncountersign_certificate_expiry_timestamp_seconds 1927843200\n"));
}

#[test]
fn only_what_is_configured_is_offered_and_nothing_is_taken_early() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path());
    write(&files);
    let pair = files.read().expect("a pair");
    for (http2, protocols) in [(false, vec![HTTP_1_1]), (true, vec![H2, HTTP_1_1])] {
        let config = configuration(&pair, http2).expect("a configuration");
        assert_eq!(
            (config.alpn_protocols, config.max_early_data_size),
            (protocols.iter().map(|p| p.to_vec()).collect(), 0)
        );
    }
}
