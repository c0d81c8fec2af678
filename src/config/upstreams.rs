//! The registries behind the proxy.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use super::listen::origin;
use super::raw::RawUpstream;
use super::{UpstreamConfig, credentials, field, upstream_tls};
use crate::oci::Registry;
use crate::upstream::{Credentials, Network, RedirectHost, Redirects, settings};
use crate::yaml::At;

/// Judges `upstreams`.
pub(super) fn all(at: &At<'_>, raw: &BTreeMap<String, RawUpstream>, base: &Path) -> Vec<UpstreamConfig> {
    if raw.is_empty() {
        at.problem("there is no registry to stand in front of");
    }
    let mut taken = BTreeMap::new();
    let mut named = Vec::new();
    for (name, raw) in raw {
        let at = at.key(name);
        if let Some(registry) = registry(&at, name) {
            claim(&at, &mut taken, &registry, &registry);
            named.push((at, registry, raw));
        }
    }
    let judged = named.into_iter().map(|(at, registry, raw)| {
        let aliases = aliases(&at.key("aliases"), &registry, raw, &mut taken);
        upstream(&at, registry, aliases, raw, base)
    });
    judged.collect()
}

fn upstream(at: &At<'_>, registry: Registry, aliases: Vec<Registry>, raw: &RawUpstream, base: &Path) -> UpstreamConfig {
    later(at, raw);
    let tls = raw.tls.as_ref();
    let dial = dial(at, &registry, raw.dial.as_deref(), tls.and_then(|tls| tls.insecure_plain_http) == Some(true));
    let tls = upstream_tls::judge(&at.key("tls"), tls, dial.scheme() == "http", base);
    let names = settings::names(&registry, &dial);
    let proxy_owned = raw.credentials.as_ref().map(|raw| credentials::judge(&at.key("credentials"), raw, base, &names));
    let times = at.key("timeouts");
    let timeouts = raw.timeouts.as_ref();
    let seconds = Duration::from_secs;
    UpstreamConfig {
        registry,
        aliases,
        dial,
        credentials: proxy_owned.unwrap_or(Credentials::None),
        tls,
        connect: field::positive(&times, "connect", timeouts.and_then(|t| t.connect.as_deref()), seconds(3)),
        first_byte: field::positive(&times, "firstByte", timeouts.and_then(|t| t.first_byte.as_deref()), seconds(15)),
        idle: field::positive(&times, "idle", timeouts.and_then(|t| t.idle.as_deref()), seconds(30)),
        referrers: field::word(at, "referrers", raw.referrers.as_deref(), &["auto", "off"]) == "auto",
        catalog: raw.catalog.unwrap_or(false),
        redirects: redirects(at, raw),
        insecure_skip_blob_digest: raw.insecure_skip_blob_digest.unwrap_or(false),
    }
}

/// What is done with redirects. Hosts that nothing leads to are harmless; networks need a host that may be in them.
fn redirects(at: &At<'_>, raw: &RawUpstream) -> Redirects {
    let relay = field::word(at, "blobRedirects", raw.blob_redirects.as_deref(), &["follow", "relay"]) == "relay";
    let hosts: Vec<RedirectHost> = each(&at.key("redirectHosts"), raw.redirect_hosts.as_deref());
    let private: Vec<Network> = each(&at.key("redirectPrivate"), raw.redirect_private.as_deref());
    if hosts.is_empty() && !private.is_empty() {
        at.key("redirectPrivate").problem("no redirect leads there without `redirectHosts`");
    }
    Redirects { relay, hosts, private }
}

/// The entries of a list that can be read; the others are problems.
fn each<T: FromStr<Err = String>>(at: &At<'_>, raw: Option<&[String]>) -> Vec<T> {
    let entries = raw.unwrap_or_default().iter().enumerate();
    entries.filter_map(|(index, text)| at.index(index).accept(text.parse())).collect()
}

fn registry(at: &At<'_>, name: &str) -> Option<Registry> {
    at.accept(name.parse().map_err(|_| format!("`{name}` is not a registry's name, `host` or `host:port`")))
}

/// Takes `name` for `owner`; two upstreams cannot have it.
fn claim(at: &At<'_>, taken: &mut BTreeMap<Registry, Registry>, name: &Registry, owner: &Registry) {
    if taken.contains_key(name) {
        at.problem(format!("another upstream is called `{name}`"));
    } else {
        taken.insert(name.clone(), owner.clone());
    }
}

fn aliases(
    at: &At<'_>,
    owner: &Registry,
    raw: &RawUpstream,
    taken: &mut BTreeMap<Registry, Registry>,
) -> Vec<Registry> {
    let mut aliases = Vec::new();
    for (index, text) in raw.aliases.iter().flatten().enumerate() {
        let at = at.index(index);
        let Some(alias) = registry(&at, text) else { continue };
        // `registry.company.com:443` is another spelling of the name itself.
        if taken.get(&alias) != Some(owner) {
            claim(&at, taken, &alias, owner);
            aliases.push(alias);
        }
    }
    aliases
}

fn dial(at: &At<'_>, registry: &Registry, text: Option<&str>, plain: bool) -> Url {
    let host = if registry.as_str() == "docker.io" { "registry-1.docker.io" } else { registry.as_str() };
    let default = format!("https://{host}");
    let parsed = at.key("dial").accept(origin(text.unwrap_or(&default)));
    match parsed.as_ref().map(Url::scheme) {
        Some("http") if !plain => {
            at.key("dial")
                .problem("what is read over plain HTTP can be forged; spell out `tls: { insecurePlainHttp: true }`");
        }
        Some("https") if plain => at.key("tls").key("insecurePlainHttp").problem("`dial` is not an `http:` URL"),
        _ => {}
    }
    // The fallback is never seen: it comes with a problem.
    parsed.unwrap_or_else(|| NOWHERE.parse().unwrap_or_else(|_| unreachable!("a constant URL")))
}

/// What is understood and not yet honoured.
fn later(at: &At<'_>, raw: &RawUpstream) {
    field::later(at, "push", field::word(at, "push", raw.push.as_deref(), &["refuse", "relay"]), "refuse");
}

const NOWHERE: &str = "https://nowhere.invalid";
