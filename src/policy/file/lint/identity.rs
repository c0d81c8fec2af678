//! Identities that match less, or more, than their author thinks.

use super::issuer::{self, Ci, STRANGER, Shape, excludes};
use super::{Code, Place};
use crate::policy::{Extension, Keyless, Pattern, Pin};

/// What deserves a look in the authority at `place`.
pub(super) fn lint(place: &Place<'_>, keyless: &Keyless) {
    issuer_known(place, &keyless.issuer);
    if let Pattern::Regex(regex) = &keyless.identity
        && has_bare_dot(regex.as_str())
    {
        let why = "a `.` between two letters is any character: other hosts match too";
        place.key("identityRegex").warn(Code::RegexDot, why, "write `\\.`");
    }
    let Some(shape) = issuer::shape(&keyless.issuer) else { return };
    let identity = key_of(&keyless.identity);
    if shape.excludes(&keyless.identity) {
        impossible(&place.key(identity), &keyless.issuer, &keyless.identity, &shape.identity, &shape.example);
    }
    if let Some(ci) = &shape.ci {
        pins(place, keyless, ci, &shape);
    }
    source(place, keyless, &shape);
}

/// Whether somebody else's project can sign as well.
fn source(place: &Place<'_>, keyless: &Keyless, shape: &Shape) {
    let place_of_identity = place.key(key_of(&keyless.identity));
    let anybody = shape.stranger.as_ref().is_some_and(|stranger| keyless.identity.matches(stranger));
    let Some(ci) = &shape.ci else {
        if anybody {
            let help = format!("name those who may, such as `{}`", shape.example);
            place_of_identity.warn(Code::Anyone, anyone(&keyless.issuer), help);
        }
        return;
    };
    let pins = || keyless.pins.iter().filter(|pin| SOURCE.contains(&pin.extension));
    let repositories = pins().filter(|pin| pin.extension == Extension::SourceRepository);
    let open = [(key_of(&keyless.identity), &keyless.identity)].into_iter();
    for (key, pattern) in open.chain(repositories.map(|pin| (pin.extension.key(), &pin.value))) {
        if shape.stranger.is_some() && open_ended(pattern, &ci.host) {
            let why = "strangers may call their group or account so as well: the name is left open at its end";
            place.key(key).warn(Code::Anyone, why, format!("write the whole name: `{}/ORG/**`", ci.host));
        }
    }
    if pins().any(|pin| excludes_strangers(pin, ci, shape)) {
        return;
    }
    if let Some(pin) = pins().next() {
        let why = "strangers' projects fulfil it: it pins nothing";
        place.key(pin.extension.key()).warn(Code::SourceUnpinned, why, source_pin(&keyless.identity, ci));
    } else if anybody {
        let help = format!("name your organisation in it, and pin `sourceRepository: \"{}/ORG/**\"`", ci.host);
        place_of_identity.warn(Code::Anyone, anyone(&keyless.issuer), help);
    } else {
        place_of_identity.warn(
            Code::SourceUnpinned,
            "it names the pipeline's file, which a foreign project may include: its signatures would count as well",
            source_pin(&keyless.identity, ci),
        );
    }
}

fn anyone(issuer: &str) -> String {
    format!("whoever has an account at {issuer} can sign as one of these")
}

/// A revocation that revokes nobody, because its pattern does not reach as far as its author thinks.
pub(super) fn revoked(place: &Place<'_>, issuer: Option<&str>, identity: &Pattern) {
    let issuer = issuer.map_or_else(|| issuer::of_identity(&identity.to_string()), str::to_string);
    let Some(shape) = issuer::shape(&issuer) else { return };
    if shape.excludes(identity) {
        let why = format!("`{identity}` is nobody's identity at {issuer}: this revokes nothing");
        place.warn(Code::RevocationIdle, why, reach(identity, &shape.identity, &shape.example));
    }
}

fn issuer_known(place: &Place<'_>, issuer: &str) {
    let place = place.key("issuer");
    if let Some(meant) = issuer::misspelled(issuer) {
        let why = format!("no certificate names the issuer `{issuer}`: issuers compare exactly");
        place.warn(Code::IssuerUnknown, why, format!("write `{meant}`"));
    } else if !issuer.starts_with("https://") && !issuer.starts_with("http://") {
        let why = format!("no certificate names the issuer `{issuer}`: it is a URL");
        place.warn(Code::IssuerUnknown, why, "write it as the token says it (`iss`), such as `https://gitlab.com`");
    }
}

/// Pins that no certificate of a pipeline fulfils.
fn pins(place: &Place<'_>, keyless: &Keyless, ci: &Ci, shape: &Shape) {
    for Pin { extension, value } in &keyless.pins {
        let (looks, example): (Vec<String>, String) = match extension {
            Extension::SourceRepository => (vec![format!("{}/**/**", ci.host)], format!("{}/group/project", ci.host)),
            Extension::SourceRepositoryOwner => (vec![format!("{}/**", ci.host)], format!("{}/group", ci.host)),
            Extension::BuildConfig | Extension::BuildSigner => (vec![shape.identity.clone()], shape.example.clone()),
            Extension::SourceRef => {
                (vec!["refs/heads/**".into(), "refs/tags/**".into(), "refs/pull/**".into()], "refs/heads/main".into())
            }
            Extension::RunnerEnvironment => (vec![ci.hosted.into(), "self-hosted".into()], ci.hosted.into()),
            Extension::SourceRepositoryVisibility => {
                (["private", "internal", "public"].map(String::from).into(), "private".into())
            }
            _ => continue,
        };
        if looks.iter().all(|look| excludes(look, value)) {
            let looks = looks.join("` or `");
            impossible(&place.key(extension.key()), &keyless.issuer, value, &looks, &example);
        }
    }
}

fn impossible(place: &Place<'_>, issuer: &str, pattern: &Pattern, looks: &str, example: &str) {
    let written = pattern.to_string();
    let written = written.strip_prefix("/^(?:").and_then(|rest| rest.strip_suffix(")$/")).unwrap_or(&written);
    let why = format!("no certificate of {issuer} says what matches `{written}`: nothing counts");
    place.warn(Code::IdentityImpossible, why, reach(pattern, looks, example));
}

/// How a pattern that reaches nobody would.
fn reach(pattern: &Pattern, looks: &str, example: &str) -> String {
    if let Pattern::Glob(glob) = pattern {
        let wider = widened(&glob.to_string());
        if Pattern::glob(&wider).is_ok_and(|wider| !excludes(looks, &wider)) {
            return format!("`*` does not cross `/`: write `{wider}`; they look like `{example}`");
        }
    }
    format!("they look like `{looks}`, such as `{example}`")
}

/// The pattern with each `*` crossing `/`, and never the rest of a name: `myorg*` would be everybody's who is called so.
fn widened(glob: &str) -> String {
    let mut wider = String::new();
    for part in glob.replace("**", "*").split_inclusive('*') {
        match part.strip_suffix('*') {
            Some(before) if before.is_empty() || before.ends_with('/') => wider.extend([before, "**"]),
            Some(before) => wider.extend([before, "/**"]),
            None => wider.push_str(part),
        }
    }
    wider
}

/// Whether the first name after the host is left open at its end: others may be called so too.
fn open_ended(pattern: &Pattern, host: &str) -> bool {
    let Pattern::Glob(glob) = pattern else { return false };
    let glob = glob.to_string();
    let first = glob.strip_prefix(host).and_then(|rest| rest.strip_prefix('/')).and_then(|path| path.split('/').next());
    first.is_some_and(|first| first.find('*').is_some_and(|at| at > 0))
}

/// Whether a pin on the source keeps strangers out; at an issuer of one's own there are none.
fn excludes_strangers(pin: &Pin, ci: &Ci, shape: &Shape) -> bool {
    let project = format!("{}/{STRANGER}", ci.host);
    let owner = project.rsplit_once('/').map_or("", |(owner, _)| owner);
    let strangers = match pin.extension {
        Extension::SourceRepository => &project,
        Extension::SourceRepositoryOwner => owner,
        _ => "98765432109",
    };
    shape.stranger.is_none() || !pin.value.matches(strangers)
}

/// The pin that goes with an identity.
fn source_pin(identity: &Pattern, ci: &Ci) -> String {
    let text = match identity {
        Pattern::Glob(glob) => glob.to_string(),
        Pattern::Regex(_) => String::new(),
    };
    let path = text.strip_prefix(&ci.host).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    let organisation = path.split('/').next().filter(|first| !first.is_empty() && !first.contains('*'));
    let organisation = organisation.unwrap_or("ORG");
    format!("pin the project that ran it: `sourceRepository: \"{}/{organisation}/**\"`", ci.host)
}

fn key_of(identity: &Pattern) -> &'static str {
    match identity {
        Pattern::Glob(_) => "identity",
        Pattern::Regex(_) => "identityRegex",
    }
}

/// Whether a dot that means any character stands where a host's name has its dots.
fn has_bare_dot(regex: &str) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric();
    regex.as_bytes().windows(3).any(|three| word(&three[0]) && three[1] == b'.' && word(&three[2]))
}

/// Pins that say whose project was built.
const SOURCE: [Extension; 4] = [
    Extension::SourceRepository,
    Extension::SourceRepositoryId,
    Extension::SourceRepositoryOwner,
    Extension::SourceRepositoryOwnerId,
];
