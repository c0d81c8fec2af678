use std::collections::BTreeSet;

use super::*;

/// The value of the one series that starts with `series`.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with([' ', '{'])))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn names(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect()
}

#[test]
fn series_are_born_at_zero() {
    let metrics = Metrics::new();
    metrics.announce_policies(["prod"].into_iter());
    metrics.policy().in_force("abc");
    let text = metrics.render();
    for series in [
        r#"countersign_decisions_total{outcome="deny",policy="",reason="no_policy"}"#,
        r#"countersign_decisions_total{outcome="deny",policy="prod",reason="unsigned"}"#,
        r#"countersign_decisions_total{outcome="unavailable",policy="",reason="internal"}"#,
        r#"countersign_would_deny_total{policy="prod",reason="signature_missing"}"#,
        r#"countersign_pull_duration_seconds_count{cache="hit",outcome="allow"}"#,
        r#"countersign_verdict_cache_requests_total{result="joined"}"#,
        r#"countersign_verifications_total{result="verified"}"#,
        r#"countersign_upstream_requests_total{operation="manifest",status="timeout"}"#,
        r#"countersign_policy_reloads_total{result="failed"}"#,
        r#"countersign_connections_turned_away_total{listener="pull"}"#,
        r#"countersign_credentials_reloads_total{result="failed"}"#,
        "countersign_credentials_reload_failed",
        "countersign_policy_reload_failed",
        "countersign_requests_in_flight",
    ] {
        assert_eq!(value(&text, series), Some(0.0), "{series}");
    }
    assert_eq!(value(&text, "countersign_build_info"), Some(1.0));
    assert!(value(&text, "countersign_policy_loaded_timestamp_seconds") > Some(1e9));
    assert!(text.lines().all(|line| line.starts_with('#') || line.starts_with("countersign_")), "{text}");
}

#[test]
fn what_happens_is_counted_once_and_in_its_place() {
    let metrics = Metrics::new();
    metrics.announce_policies(["prod"].into_iter());
    metrics.decision("deny", Reason::Unsigned, "prod");
    metrics.decision("allow", Reason::Unsigned, "prod");
    metrics.would_deny(Reason::TooOld, "prod");
    metrics.pull("allow", "hit", Duration::from_micros(50));
    metrics.upstream("blob", "418", Duration::from_secs(1));
    metrics.policy().reload(false);
    let in_flight = metrics.request();
    let text = metrics.render();
    for series in [
        r#"countersign_decisions_total{outcome="deny",policy="prod",reason="unsigned"}"#,
        r#"countersign_decisions_total{outcome="allow",policy="prod",reason="unsigned"}"#,
        r#"countersign_would_deny_total{policy="prod",reason="too_old"}"#,
        r#"countersign_pull_duration_seconds_bucket{cache="hit",outcome="allow",le="0.0001"}"#,
        r#"countersign_upstream_requests_total{operation="blob",status="4xx"}"#,
        r#"countersign_upstream_request_duration_seconds_count{operation="blob"}"#,
        r#"countersign_policy_reloads_total{result="failed"}"#,
        "countersign_policy_reload_failed",
        "countersign_requests_in_flight",
    ] {
        assert_eq!(value(&text, series), Some(1.0), "{series}");
    }
    drop(in_flight);
    metrics.policy().reload(true);
    let text = metrics.render();
    assert_eq!(value(&text, "countersign_requests_in_flight"), Some(0.0));
    assert_eq!(value(&text, "countersign_policy_reload_failed"), Some(0.0));
}

#[test]
fn one_policy_is_in_force() {
    let metrics = Metrics::new();
    let shown = || {
        let text = metrics.render();
        let series = text.lines().filter(|line| line.starts_with("countersign_policy_info"));
        series.map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(shown(), Vec::<String>::new());
    for revision in ["abc", "def", "def", "abc"] {
        metrics.policy().in_force(revision);
        assert_eq!(shown(), [format!("countersign_policy_info{{revision=\"{revision}\"}} 1")]);
    }
}

#[test]
fn a24_odd_names_do_not_add_series() {
    let metrics = Metrics::new();
    let odd: Vec<String> = (0..10_000).map(|i| format!("policy\n\"{i}")).collect();
    let lines = |metrics: &Metrics| metrics.render().lines().count();
    metrics.decision("deny", Reason::Unsigned, "x");
    metrics.decision("allow", Reason::Unsigned, "x");
    metrics.would_deny(Reason::Unsigned, "x");
    metrics.upstream("blob", "999", Duration::ZERO);
    let before = lines(&metrics);
    for name in &odd {
        metrics.decision("deny", Reason::Unsigned, name);
        metrics.decision("allow", Reason::Unsigned, name);
        metrics.would_deny(Reason::Unsigned, name);
        metrics.upstream("blob", name, Duration::ZERO);
    }
    assert_eq!(lines(&metrics), before);
    let other = r#"countersign_decisions_total{outcome="deny",policy="other",reason="unsigned"}"#;
    assert_eq!(value(&metrics.render(), other), Some(10_001.0));

    metrics.announce_policies(odd.iter().map(String::as_str));
    assert!(lines(&metrics) < before + 200 * 2 * (labels::BY_POLICY.len() + 1));
}

#[test]
fn every_label_that_the_upstream_can_send_is_known() {
    for code in 0..1000 {
        assert!(labels::STATUSES.contains(&labels::status(&code.to_string())));
    }
}

#[test]
fn exemptions_are_seen_before_and_after_their_end() {
    let metrics = Metrics::new();
    let count = |text: &str, state: &str| value(text, &format!("countersign_exemptions{{state=\"{state}\"}}"));
    let end = |text: &str, label: &str| {
        value(text, &format!("countersign_exemption_expires_timestamp_seconds{{exemption=\"{label}\"}}"))
    };
    let answers = |text: &str, label: &str| value(text, &format!("countersign_exempt_total{{exemption=\"{label}\"}}"));
    for state in ["active", "forever", "expired"] {
        assert_eq!(count(&metrics.render(), state), Some(0.0), "{state}");
    }
    let (past, future) = (1_000_000_000, 9_000_000_000);
    let all = [
        ("INC-1", Some(future + 5)),
        ("INC-1", Some(future)),
        ("INC-1", Some(past)),
        ("INC-2", Some(past - 5)),
        ("INC-2", Some(past)),
        ("a \"b\"\nc", None),
    ];
    metrics.exemptions().announce(all.into_iter());
    let text = metrics.render();
    assert_eq!(
        (count(&text, "active"), count(&text, "forever"), count(&text, "expired")),
        (Some(2.0), Some(1.0), Some(3.0))
    );
    assert_eq!((end(&text, "INC-1"), end(&text, "INC-2")), (Some(9e9), Some(1e9)));
    let odd = "a \\\"b\\\" c";
    assert_eq!((end(&text, odd), answers(&text, odd), answers(&text, "INC-1")), (None, Some(0.0), Some(0.0)));
    metrics.exemptions().answered("a \"b\"\nc");
    metrics.exemptions().answered("never announced");
    assert_eq!(answers(&metrics.render(), odd), Some(1.0));

    // Prolonged for ever, and taken away.
    metrics.exemptions().announce([("INC-1", None)].into_iter());
    let text = metrics.render();
    assert_eq!((end(&text, "INC-1"), end(&text, "INC-2"), answers(&text, odd)), (None, None, None));
    assert_eq!(
        (count(&text, "active"), count(&text, "forever"), count(&text, "expired")),
        (Some(0.0), Some(1.0), Some(0.0))
    );

    let many: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
    metrics.exemptions().announce(many.iter().map(|reason| (reason.as_str(), Some(future))));
    metrics.exemptions().answered("999");
    let text = metrics.render();
    assert!(text.matches("exemption_expires_timestamp_seconds{").count() <= 101);
    assert_eq!((count(&text, "active"), answers(&text, "other")), (Some(1000.0), Some(1.0)));
}

#[test]
fn the_alerts_name_only_what_exists() {
    let alerts = include_str!("../../../deploy/prometheus/alerts.yaml");
    let metrics = Metrics::new();
    metrics.trust().announce(std::iter::once("public-good"));
    metrics.trust().show("public-good", 1, Some(1));
    metrics.exemptions().announce(std::iter::once(("INC-1", Some(1))));
    let text = metrics.render();
    let exported = names(&text);
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named: BTreeSet<&str> = alerts.split(|c| !word(c)).filter(|word| word.starts_with("countersign_")).collect();
    assert!(named.len() >= 5, "{named:?}");
    for name in named {
        let family = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(exported.contains(name) || exported.contains(family), "{name}");
    }
    for label in ["outcome", "reason", "result", "status", "operation", "listener"] {
        for (at, _) in alerts.match_indices(&format!("{label}=\"")) {
            let pair = alerts[at..].split_inclusive('"').take(2).collect::<String>();
            assert!(text.contains(&pair), "{pair}");
        }
    }
    let rules: serde_json::Value = serde_saphyr::from_str(alerts).expect("valid YAML");
    let rules = rules["groups"][0]["rules"].as_array().expect("rules");
    assert!(rules.iter().all(|rule| rule["alert"].is_string() && rule["expr"].is_string()));
}

#[test]
fn the_series_of_trusted_roots_are_those_of_the_policy() {
    let metrics = Metrics::new();
    let trust = metrics.trust();
    trust.announce(["a", "b"].into_iter());
    for series in [
        r#"countersign_trust_root_refreshes_total{result="failed",trust_root="a"}"#,
        r#"countersign_trust_root_refreshes_total{result="refreshed",trust_root="b"}"#,
        r#"countersign_trust_root_refresh_failed{trust_root="a"}"#,
    ] {
        assert_eq!(value(&metrics.render(), series), Some(0.0), "{series}");
    }
    for name in ["a", "c"] {
        trust.show(name, 7, Some(9));
        trust.last_failed(name, true);
        trust.refreshed(name, false);
    }
    let text = metrics.render();
    assert_eq!(value(&text, r#"countersign_trust_root_age_seconds{trust_root="a"}"#), Some(7.0));
    assert_eq!(value(&text, r#"countersign_trust_root_expiry_timestamp_seconds{trust_root="a"}"#), Some(9.0));
    assert_eq!(value(&text, r#"countersign_trust_root_refreshes_total{result="failed",trust_root="a"}"#), Some(1.0));
    assert!(!text.contains(r#"trust_root="c""#), "{text}");
    // A root that the policy no longer has does not go on to raise alarms.
    trust.announce(std::iter::once("b"));
    assert!(!metrics.render().contains(r#"failed{trust_root="a"}"#));
    let many: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
    trust.announce(many.iter().map(String::as_str));
    assert!(metrics.render().matches("refresh_failed{").count() <= 50);
}

#[test]
fn the_store_is_shown_as_it_stands_when_it_is_asked_for() {
    let metrics = Metrics::new();
    let up = || value(&metrics.render(), "countersign_store_up");
    assert_eq!(up(), Some(1.0));
    let (read, written) = (false, true);
    metrics.store().standing(written, Some("full"));
    assert_eq!(up(), Some(0.0));
    metrics.store().standing(read, None);
    assert_eq!(up(), Some(0.0), "a store that is full still reads");
    metrics.store().standing(written, None);
    assert_eq!(up(), Some(1.0));
}
