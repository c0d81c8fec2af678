//! Who may pull: anonymous callers, so far.

use super::raw::RawClient;
use super::{Client, UpstreamConfig, units};
use crate::oci::{Image, Registry};
use crate::policy::Scope;
use crate::policy::file::parse_scope;
use crate::yaml::At;

/// Judges `clients`.
pub(super) fn all(at: &At<'_>, raw: &[RawClient], upstreams: &[UpstreamConfig]) -> Vec<Client> {
    let each = raw.iter().enumerate();
    each.filter_map(|(index, raw)| client(&at.index(index), raw, upstreams)).collect()
}

fn client(at: &At<'_>, raw: &RawClient, upstreams: &[UpstreamConfig]) -> Option<Client> {
    let kind = at.exactly_one(&[
        ("anonymous", raw.anonymous.is_some()),
        ("mtls", raw.mtls.is_some()),
        ("basic", raw.basic.is_some()),
        ("token", raw.token.is_some()),
    ]);
    let texts = at.require("may", raw.may.as_ref())?;
    if texts.is_empty() {
        at.key("may").problem("an empty `may` permits nothing");
    }
    let each = texts.iter().enumerate();
    let may: Vec<_> = each.filter_map(|(index, text)| at.key("may").index(index).accept(parse_scope(text))).collect();
    match kind? {
        "anonymous" => anonymous(at, raw, &may, upstreams),
        other => {
            later(at, raw);
            at.unsupported(other);
        }
    }
    Some(Client { may, insecure_anonymous: raw.insecure_anonymous == Some(true) })
}

fn anonymous(at: &At<'_>, raw: &RawClient, may: &[Scope], upstreams: &[UpstreamConfig]) {
    if raw.anonymous == Some(false) {
        at.key("anonymous").problem("it is `true` or absent");
    }
    let lent = upstreams
        .iter()
        .find(|upstream| upstream.knows_the_proxy() && may.iter().any(|scope| reaches(scope, &upstream.registry)));
    if let Some(upstream) = lent
        && raw.insecure_anonymous != Some(true)
    {
        at.problem(format!(
            "anybody could read `{}` with the proxy's own credentials; spell out `insecureAnonymous: true` if that is \
             meant",
            upstream.registry
        ));
    }
}

fn later(at: &At<'_>, raw: &RawClient) {
    if let Some(mtls) = &raw.mtls
        && mtls.subjects.iter().chain(&mtls.sans).flatten().next().is_none()
    {
        at.key("mtls").problem("one of `subjects`, `sans` must name somebody");
    }
    if let Some(basic) = &raw.basic {
        at.key("basic").require("htpasswd", basic.htpasswd.as_ref());
    }
    if let Some(remember) = raw.token.as_ref().and_then(|token| token.remember.as_ref()) {
        at.key("token").key("remember").accept(units::duration(remember));
    }
    if raw.insecure_anonymous == Some(true) {
        at.key("insecureAnonymous").problem("it is for `anonymous` clients only");
    }
}

/// Whether `scope` may cover a repository of `registry`; when in doubt it does.
pub(super) fn reaches(scope: &Scope, registry: &Registry) -> bool {
    let text = scope.to_string();
    let part = text.split_once('/').map_or(text.as_str(), |(registry, _)| registry);
    if part.contains("**") {
        return true;
    }
    let any = Scope::parse(&format!("{part}/**"));
    let image = "a".parse().map(|repository| Image { registry: registry.clone(), repository });
    any.is_ok_and(|any| image.is_ok_and(|image| any.matches(&image)))
}
