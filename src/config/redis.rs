//! The store that replicas share.

use std::path::Path;
use std::time::Duration;

use super::field;
use super::raw::RawRedis;
use crate::store::shared::{Servers, Settings, login, tls};
use crate::yaml::At;

/// Judges `redis`, and the files that it names. Whether anybody is there is not asked.
pub(super) fn redis(at: &At<'_>, raw: &RawRedis, evidence: Duration, base: &Path) -> Option<Settings> {
    let url = at.require("url", raw.url.as_ref());
    let servers = url.and_then(|url| at.key("url").accept(Servers::parse(url, raw.sentinel.is_some())));
    if raw.sentinel.as_ref().is_some_and(|name| name.trim().is_empty()) {
        at.key("sentinel").problem("it must be the name that the sentinels have for the master");
    }
    if raw.username.is_some() && raw.password_file.is_none() {
        at.key("username").problem("a user needs a password: `passwordFile` is missing");
    }
    let file = |key: &str, text: &Option<String>, problem: fn(&Path) -> Option<String>| {
        let path = base.join(text.as_ref()?);
        if let Some(why) = problem(&path) {
            at.key(key).problem(why);
        }
        Some(path)
    };
    let password_file = file("passwordFile", &raw.password_file, |path| login::password(path).err());
    let ca = file("ca", &raw.ca, |path| tls::authorities(path).err());
    if ca.is_some() && servers.as_ref().is_some_and(|servers| !servers.tls) {
        at.key("ca").problem("`redis://` has no certificates: say `rediss://` in `url`");
    }
    let timeout = field::positive(at, "timeout", raw.timeout.as_deref(), Duration::from_millis(200));
    let (sentinel, username) = (raw.sentinel.clone(), raw.username.clone());
    Some(Settings { servers: servers?, sentinel, username, password_file, ca, timeout, evidence })
}
