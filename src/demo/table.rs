//! What the demo prints: the table of its pulls, and what to try next.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use super::cases::Case;
use super::client::{Answer, Given};
use crate::oci::Digest;
use crate::reason::Reason;

/// The outcome of one row.
#[derive(Debug, Clone)]
pub struct Row {
    image: String,
    shows: &'static str,
    status: u16,
    reason: String,
    cold: Duration,
    warm: Duration,
    as_expected: bool,
}

impl Row {
    /// Compares two answers to the same pull, the first and a later one, with what they must be.
    pub fn new(case: &Case, cold: &Answer, warm: &Answer) -> Self {
        let Given { reason, cause } = cold.given();
        let as_expected = [cold, warm].into_iter().all(|answer| is_right(case, answer));
        Self {
            image: case.name.clone(),
            shows: case.shows,
            status: cold.status,
            reason: cause.map_or(reason.clone(), |cause| format!("{reason} ({cause})")),
            cold: cold.took,
            warm: warm.took,
            as_expected,
        }
    }

    /// Whether both answers were what they must be.
    pub fn as_expected(&self) -> bool {
        self.as_expected
    }
}

fn is_right(case: &Case, answer: &Answer) -> bool {
    let given = answer.given();
    let said = given.reason == case.reason.code() && given.cause.as_deref() == case.cause.map(Reason::code);
    // What is served must be what was asked for, and what is refused must not be in the refusal.
    let served = Digest::of(&answer.body) == case.digest;
    said && answer.status == case.status() && served == (case.status() == 200)
}

/// Renders the rows as an aligned table.
pub fn render(rows: &[Row], colour: bool) -> String {
    let width = |of: fn(&Row) -> &str, title: &str| {
        rows.iter().map(|row| of(row).chars().count()).chain([title.len()]).max().unwrap_or(0)
    };
    let image = width(|row| &row.image, "IMAGE");
    let shows = width(|row| row.shows, "WHAT IT IS");
    let reason = width(|row| &row.reason, "REASON");
    let mut text = format!(
        "  {:image$}  {:shows$}  STATUS  {:reason$}  {:>7}  {:>7}\n",
        "IMAGE", "WHAT IT IS", "REASON", "COLD ms", "WARM ms"
    );
    for row in rows {
        let mark = if row.as_expected { paint("✔", GREEN, colour) } else { paint("✘", RED, colour) };
        let status = paint(&format!("{:<6}", row.status), if row.status == 200 { GREEN } else { YELLOW }, colour);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{mark} {:image$}  {:shows$}  {status}  {:reason$}  {:>7.2}  {:>7.2}",
            row.image,
            row.shows,
            row.reason,
            milliseconds(row.cold),
            milliseconds(row.warm),
        );
    }
    let wrong = rows.iter().filter(|row| !row.as_expected).count();
    let _ = match wrong {
        0 => writeln!(text, "\nEvery pull was answered as it must be."),
        _ => writeln!(text, "\n{wrong} of {} pulls were NOT answered as they must be (✘).", rows.len()),
    };
    text
}

/// Where the demo's parts listen.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// The proxy.
    pub proxy: SocketAddr,
    /// Its metrics and health.
    pub admin: SocketAddr,
    /// The registry behind it.
    pub registry: SocketAddr,
}

/// What to try while the demo serves: its addresses, its policy, and commands.
pub fn closing(addresses: Addresses, registry: &str, policy: &str) -> String {
    let Addresses { proxy, admin, registry: upstream } = addresses;
    let policy = policy.lines().fold(String::new(), |text, line| text + "    " + line + "\n");
    format!(
        r#"
The proxy       http://{proxy}/v2/
Its metrics     http://{admin}/metrics
The registry    http://{upstream}/v2/   (what nodes must not be able to reach)

The policy:

{policy}
Try, in another terminal:

  curl -i http://{proxy}/v2/team/app/manifests/1          # signed: 200
  curl -i http://{proxy}/v2/team/unsigned/manifests/1     # unsigned: 403, and why
  curl -i http://{proxy}/v2/team/included/manifests/1     # signed by a foreign project: 403, and why
  curl -i http://{proxy}/v2/release/banned/manifests/1    # its bill of materials has a banned package: 403, and why
  curl -s http://{admin}/metrics | grep countersign_
  crane manifest {proxy}/team/app:1
  crane pull {proxy}/team/unsigned:1 image.tar

  # containerd, with the proxy as its only way to {registry}
  mkdir -p /tmp/countersign-hosts/{registry}
  printf '%s\n' 'server = "http://{proxy}"' '[host."http://{proxy}"]' '  capabilities = ["pull", "resolve"]' \
    > /tmp/countersign-hosts/{registry}/hosts.toml
  ctr images pull --hosts-dir /tmp/countersign-hosts {registry}/team/app:1
  ctr images pull --hosts-dir /tmp/countersign-hosts {registry}/team/unsigned:1

Ctrl-C ends it.
"#
    )
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn paint(text: &str, colour: &str, wanted: bool) -> String {
    if wanted { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_string() }
}

const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33";

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    const CONTENT: &[u8] = b"a manifest";

    fn case(reason: Reason, cause: Option<Reason>) -> Case {
        let (name, path) = ("team/app:1".to_string(), "/v2/team/app/manifests/1".to_string());
        Case { name, shows: "an image", path, digest: Digest::of(CONTENT), reason, cause, audited: false }
    }

    fn answer(status: u16, reason: &str, body: &[u8]) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("countersign-reason", reason.parse().expect("a value"));
        Answer { status, headers, body: body.to_vec().into(), took: Duration::from_micros(1234) }
    }

    fn refusal(message: &str) -> Answer {
        answer(403, "", serde_json::json!({ "errors": [{ "message": message }] }).to_string().as_bytes())
    }

    #[test]
    fn an_answer_is_right_only_in_status_reason_and_content() {
        let signed = case(Reason::Signed, None);
        assert!(is_right(&signed, &answer(200, "signed", CONTENT)));
        assert!(!is_right(&signed, &answer(200, "audited", CONTENT)));
        assert!(!is_right(&signed, &answer(200, "signed", b"another manifest")));
        assert!(!is_right(&signed, &refusal("unsigned: no signature")));
        let copied = case(Reason::SignatureMissing, Some(Reason::SubjectMismatch));
        assert!(is_right(&copied, &refusal("signature_missing (subject_mismatch): no signature")));
        assert!(!is_right(&copied, &refusal("signature_missing (key_mismatch): no signature")));
        assert!(!is_right(&copied, &refusal("signature_missing: no signature")));
        assert!(!is_right(&copied, &answer(403, "signature_missing", CONTENT)));
    }

    #[test]
    fn the_columns_are_aligned_and_colour_is_optional() {
        let good =
            Row::new(&case(Reason::Signed, None), &answer(200, "signed", CONTENT), &answer(200, "signed", CONTENT));
        let denied = refusal("unsigned: no signature");
        let wrong = Row::new(&case(Reason::Signed, None), &denied, &denied);
        assert!(good.as_expected() && !wrong.as_expected());
        let plain = render(&[good.clone(), wrong], false);
        let widths: Vec<usize> = plain.lines().take(3).map(|line| line.chars().count()).collect();
        assert_eq!(widths, [widths[0]; 3], "{plain}");
        assert!(plain.contains("1.23") && plain.contains("1 of 2 pulls were NOT") && !plain.contains('\x1b'));
        assert!(render(&[good], true).contains("\x1b[32m✔"));
    }

    #[test]
    fn a_warm_answer_that_differs_is_wrong() {
        let row = Row::new(&case(Reason::Signed, None), &answer(200, "signed", CONTENT), &refusal("unsigned: x"));
        assert!(!row.as_expected());
    }
}
