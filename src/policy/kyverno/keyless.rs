//! Attestors that are identities.

use super::attestors::Attestors;
use super::authorities::{Authority, Id, Kind};
use super::element::Element;
use super::wildcard::{Identity, Wildcard};
use super::{extensions, regexp, trust};

/// The identity of one entry.
pub(super) fn translate(element: &Element<'_>, attestors: &mut Attestors<'_>) -> Option<Id> {
    let fields = element.fields()?;
    let [issuer, issuer_regex] = ["issuer", "issuerRegExp"].map(|key| given(fields.take(key)));
    let [subject, subject_regex] = ["subject", "subjectRegExp"].map(|key| given(fields.take(key)));
    let [roots, rekor, ctlog] = ["roots", "rekor", "ctlog"].map(|key| fields.take(key));
    let extensions = fields.take("additionalExtensions");
    fields.finish();
    let trust = trust::of_identity(rekor.as_ref(), ctlog.as_ref(), roots.as_ref(), attestors);
    let bundles = attestors.bundles;
    let issuer = self::issuer(element, issuer.as_ref(), issuer_regex.as_ref(), bundles);
    let identity = identity(element, subject.as_ref(), subject_regex.as_ref(), bundles);
    let issuer = issuer?;
    let pins = extensions.map_or(Some(Vec::new()), |extensions| extensions::pins(&extensions, &issuer));
    let (identity, pins, trust) = (identity?, pins?, trust?);
    suggest(element, &issuer, &identity, &pins);
    Some(attestors.add(Authority { kind: Kind::Keyless { issuer, identity, pins }, trust }))
}

/// Kyverno takes an empty text for none.
fn given(element: Option<Element<'_>>) -> Option<Element<'_>> {
    element.filter(|element| element.text() != Some(""))
}

/// The one issuer that both accept: an issuer is exact here.
fn issuer(
    whole: &Element<'_>,
    glob: Option<&Element<'_>>,
    regex: Option<&Element<'_>>,
    bundles: bool,
) -> Option<String> {
    let mut issuer = None;
    if let Some(element) = glob {
        let text = element.text()?;
        if !bundles && Wildcard::parse(text).literal().is_none() {
            return element.refuse("an issuer is exact here: give each that you mean an entry of its own");
        }
        element.exact(format!("issuer {text}"));
        issuer = Some(text.to_string());
    }
    if let Some(element) = regex {
        let regex = element.accept(regexp::read(element.text()?))?;
        match (issuer.take(), &regex.literal) {
            (Some(text), _) if regex.matches(&text) => {
                element.exact("the issuer fulfils it");
                issuer = Some(text);
            }
            (Some(text), _) => {
                return element.refuse(format!("the issuer {text} does not fulfil it: it accepts nobody"));
            }
            (None, Some(literal)) if regex.is_exact() => {
                element.exact(format!("issuer {literal}"));
                issuer = Some(literal.clone());
            }
            (None, Some(literal)) => {
                let why = "Kyverno's expression also accepts other texts, by its dots or for want of `^` and `$`";
                element.stricter(format!("issuer {literal}, exactly; {why}"));
                issuer = Some(literal.clone());
            }
            (None, None) => {
                return element.refuse("an issuer is exact here: give each that you mean an entry of its own");
            }
        }
    }
    issuer.or_else(|| whole.refuse(NO_ISSUER))
}

fn identity(
    whole: &Element<'_>,
    glob: Option<&Element<'_>>,
    regex: Option<&Element<'_>>,
    bundles: bool,
) -> Option<Identity> {
    let of_glob = match glob {
        Some(element) => Some(subject(element, bundles)?),
        None => None,
    };
    let Some(element) = regex else {
        return of_glob.or_else(|| {
            if bundles {
                whole.stricter("any identity of the issuer; Kyverno asks for neither unless `subject` is given too");
            } else {
                whole.exact("any identity of the issuer: identity `**`");
            }
            whole.suggest("name the identities that may sign: whoever the issuer knows is accepted");
            Some(Identity::Glob("**".into()))
        });
    };
    let regex = element.accept(regexp::read(element.text()?))?;
    if !regex.starts {
        element.suggest(format!(
            "it matches anywhere in an identity, so that `https://evil.example/?{}` is accepted too: begin it with `^` and \
             the whole URL",
            regex.text
        ));
    }
    let whole_regex = regex.whole();
    match of_glob {
        None => {
            element.exact(format!("identityRegex `{whole_regex}`"));
            Some(Identity::Regex(whole_regex))
        }
        Some(_) if bundles => element.refuse("with `subject` beside it both must hold, which is one expression here"),
        Some(Identity::Glob(_) | Identity::Regex(_)) => {
            let glob = Wildcard::parse(glob.and_then(Element::text).unwrap_or_default()).regex();
            element.exact("identityRegex: it or `subject`, as in Kyverno");
            Some(Identity::Regex(format!("{glob}|{whole_regex}")))
        }
    }
}

fn subject(element: &Element<'_>, bundles: bool) -> Option<Identity> {
    let text = element.text()?;
    if bundles && text.contains(['*', '?']) {
        // It is no wildcard there; read as one, it would admit more.
        element.exact("for `type: SigstoreBundle` Kyverno compares it as it is, and no identity has such characters");
        element.suggest("use `subjectRegExp`: as it stands, nothing that is signed fulfils it, there or here");
        return Some(Identity::Regex(regex::escape(text)));
    }
    let identity = Wildcard::parse(text).identity();
    match &identity {
        Identity::Glob(glob) if glob == text => element.exact("identity, the same"),
        Identity::Glob(glob) => element.exact(format!("identity `{glob}`: `**` crosses `/`, as Kyverno's `*` does")),
        Identity::Regex(regex) => element.exact(format!("identityRegex `{regex}`")),
    }
    Some(identity)
}

fn suggest(element: &Element<'_>, issuer: &str, identity: &Identity, pins: &[(&'static str, String)]) {
    if let Some(pin) = missing_pin(issuer, identity, pins) {
        element.suggest(format!(
            "the identity names the pipeline's file, which a foreign project may include: pin the project that ran it too, \
             such as `sourceRepository: \"{pin}\"`"
        ));
    }
}

/// The pin on the source that is missing where an identity names a pipeline's file, which a foreign project may include.
pub(super) fn missing_pin(issuer: &str, identity: &Identity, pins: &[(&'static str, String)]) -> Option<String> {
    let host = match issuer {
        "https://token.actions.githubusercontent.com" => "https://github.com",
        gitlab if gitlab.starts_with("https://gitlab.") => gitlab.trim_end_matches('/'),
        _ => return None,
    };
    if pins.iter().any(|(pin, _)| pin.starts_with("sourceRepository")) {
        return None;
    }
    let known = project(&identity.start(), host);
    Some(known.unwrap_or_else(|| format!("{host}/YOUR-ORGANISATION/**")))
}

/// The project, or the group of them, that an identity begins with.
fn project(start: &str, host: &str) -> Option<String> {
    let path = start.strip_prefix(host)?.strip_prefix('/')?;
    let file = path.find("//").or_else(|| path.find("/.github/"));
    if let Some(project) = file.and_then(|at| path.get(..at)) {
        return Some(format!("{host}/{project}"));
    }
    let (group, _) = path.rsplit_once('/')?;
    Some(format!("{host}/{group}/**"))
}

const NO_ISSUER: &str = "it names no issuer, and an identity means nothing without who vouches for it: add `issuer`, such as \
                         https://token.actions.githubusercontent.com or https://gitlab.com";
