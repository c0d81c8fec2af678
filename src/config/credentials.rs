//! The proxy's own credentials.

use std::path::Path;

use super::field;
use super::raw::{RawBasic, RawBearer, RawCredentials};
use crate::oci::Registry;
use crate::upstream::credentials::{CredentialsError, examine, examine_token};
use crate::upstream::{Credentials, Secret, SecretSource};
use crate::yaml::At;

/// Judges `credentials` of the registry that is known by `names`.
pub(super) fn judge(at: &At<'_>, raw: &RawCredentials, base: &Path, names: &[Registry]) -> Credentials {
    let kind = at.exactly_one(&[
        ("dockerConfig", raw.docker_config.is_some()),
        ("basic", raw.basic.is_some()),
        ("bearer", raw.bearer.is_some()),
    ]);
    let credentials = match (kind, raw) {
        (Some(_), RawCredentials { docker_config: Some(path), .. }) => docker_config(at, path, base, names),
        (Some(_), RawCredentials { basic: Some(raw), .. }) => basic(&at.key("basic"), raw, base),
        (Some(_), RawCredentials { bearer: Some(raw), .. }) => bearer(&at.key("bearer"), raw, base),
        _ => None,
    };
    credentials.unwrap_or(Credentials::None)
}

fn docker_config(at: &At<'_>, path: &str, base: &Path, names: &[Registry]) -> Option<Credentials> {
    let bytes = field::file(at, "dockerConfig", path, base)?;
    let examined = examine(&bytes, names).map_err(|why| format!("`{path}`: {why}"));
    at.key("dockerConfig").accept(examined)?;
    Some(Credentials::DockerConfig(base.join(path)))
}

fn basic(at: &At<'_>, raw: &RawBasic, base: &Path) -> Option<Credentials> {
    let (text, file) = (("password", raw.password.as_ref()), ("passwordFile", raw.password_file.as_ref()));
    // In base64 any password can be sent.
    let password = secret(at, text, file, base, |_| Ok(()));
    let username = at.require("username", raw.username.as_ref())?.clone();
    if username.is_empty() || username.contains(':') {
        at.key("username").problem("a user name is not empty and has no `:`");
    }
    Some(Credentials::Basic { username, password: password? })
}

fn bearer(at: &At<'_>, raw: &RawBearer, base: &Path) -> Option<Credentials> {
    let (text, file) = (("token", raw.token.as_ref()), ("tokenFile", raw.token_file.as_ref()));
    secret(at, text, file, base, examine_token).map(Credentials::Bearer)
}

/// A secret that is written out or, better, in a file of its own; `usable` says whether it can be sent.
fn secret(
    at: &At<'_>,
    (key, text): (&'static str, Option<&String>),
    (file_key, path): (&'static str, Option<&String>),
    base: &Path,
    usable: fn(&Secret) -> Result<(), CredentialsError>,
) -> Option<SecretSource> {
    at.exactly_one(&[(key, text.is_some()), (file_key, path.is_some())])?;
    if let Some(path) = path {
        let secret = Secret::of_file(field::file(at, file_key, path, base)?).map_err(str::to_string);
        let judged = secret.and_then(|secret| usable(&secret).map_err(|why| why.to_string()));
        at.key(file_key).accept(judged.map_err(|why| format!("`{path}`: {why}")))?;
        return Some(SecretSource::File(base.join(path)));
    }
    let text = text?.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        at.key(key).problem("it is empty");
        return None;
    }
    let secret = Secret::from(text.to_string());
    at.key(key).accept(usable(&secret))?;
    Some(SecretSource::Inline(secret))
}
