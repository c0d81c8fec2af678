//! What a piece of evidence says of itself, a line for each thing.

use super::super::evidence::{Certificate, Claims};

/// The lines; each is the piece's own word only.
pub(super) fn lines(claimed: &Claims) -> Vec<String> {
    let what = match (claimed.statement, &claimed.predicate_type) {
        (Some(statement), Some(predicate_type)) => format!("{statement} {predicate_type}"),
        (Some(statement), None) => statement.to_string(),
        (None, _) => "nothing that can be read".into(),
    };
    let mut lines = vec![format!("{what}, {}", size(claimed.size))];
    lines.extend(claimed.key_hint.iter().map(|hint| format!("key {hint}")));
    lines.extend(claimed.certificate.iter().flat_map(certificate));
    lines.extend(claimed.log_entries.iter().map(|entry| {
        let at = entry.integrated_time.as_ref().map_or(String::new(), |time| format!(", logged at {time}"));
        format!("log entry {}{at}", entry.index)
    }));
    match claimed.timestamps {
        0 => {}
        1 => lines.push("a signed time stamp".into()),
        many => lines.push(format!("{many} signed time stamps")),
    }
    lines
}

fn certificate(certificate: &Certificate) -> Vec<String> {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
    let mut lines = vec![
        format!("identity {}", or_none(&certificate.identity)),
        format!("issuer {}", or_none(&certificate.issuer)),
    ];
    if let Some(repository) = &certificate.source_repository {
        let at = certificate.source_ref.as_ref().map_or(String::new(), |at| format!(" at {at}"));
        lines.push(format!("source {repository}{at}"));
    }
    lines.push(format!("certificate valid {} to {}", certificate.not_before, certificate.not_after));
    lines
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1024 * 1024)),
    }
}
