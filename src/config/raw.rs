//! What the configuration file and the environment may say, and nothing more. Nothing here is judged yet.

use std::collections::BTreeMap;

macro_rules! raw {
    ($($(#[doc = $doc:literal])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[doc = $doc])*
        #[derive(Default, serde::Deserialize, serde::Serialize)]
        #[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a mapping")]
        pub(super) struct $name {
            $(#[serde(skip_serializing_if = "Option::is_none")] pub(super) $field: Option<$type>,)*
        }
    )*};
}

raw! {
    /// The whole configuration.
    RawConfig {
        listen: RawListen,
        admin: RawAdmin,
        clients: Vec<RawClient>,
        writers: Vec<RawClient>,
        upstreams: BTreeMap<String, RawUpstream>,
        policy: RawPolicy,
        trust: RawTrust,
        cache: RawCache,
        store: RawStore,
        limits: RawLimits,
        log: RawLog,
        audit: RawAudit,
    }

    RawListen {
        address: String,
        public_url: String,
        tls: RawListenTls,
        max_connections: usize,
        header_timeout: String,
        requests_per_client: String,
        drain: String,
    }

    RawListenTls {
        certificate: String,
        key: String,
        client_ca: String,
        http2: bool,
    }

    RawAdmin {
        address: String,
    }

    /// Who may read what: exactly one of the first four.
    RawClient {
        anonymous: bool,
        mtls: RawMtls,
        basic: RawHtpasswd,
        token: RawToken,
        insecure_anonymous: bool,
        may: Vec<String>,
    }

    RawMtls {
        subjects: Vec<String>,
        sans: Vec<String>,
    }

    RawHtpasswd {
        htpasswd: String,
    }

    RawToken {
        remember: String,
    }

    RawUpstream {
        dial: String,
        aliases: Vec<String>,
        credentials: RawCredentials,
        tls: RawUpstreamTls,
        timeouts: RawTimeouts,
        referrers: String,
        blob_redirects: String,
        redirect_hosts: Vec<String>,
        redirect_private: Vec<String>,
        push: String,
        catalog: bool,
        insecure_skip_blob_digest: bool,
    }

    /// What the proxy shows the registry: one of these, or nothing.
    RawCredentials {
        docker_config: String,
        basic: RawBasic,
        bearer: RawBearer,
    }

    RawBasic {
        username: String,
        password: String,
        password_file: String,
    }

    RawBearer {
        token: String,
        token_file: String,
    }

    RawUpstreamTls {
        ca: String,
        certificate: String,
        key: String,
        insecure_skip_verify: bool,
        insecure_plain_http: bool,
    }

    RawTimeouts {
        connect: String,
        first_byte: String,
        idle: String,
    }

    RawPolicy {
        path: String,
        audit: bool,
    }

    RawTrust {
        cache: String,
        refresh: String,
        max_stale: String,
    }

    RawCache {
        verdicts: u64,
        allow: String,
        deny: String,
        refresh_before: String,
        evidence_max_age: String,
        manifests: String,
        tag_ttl: String,
        last_known_good: String,
    }

    RawStore {
        kind: String,
        keys: Vec<String>,
        embedded: RawEmbedded,
        redis: RawRedis,
        members: String,
        evidence: String,
    }

    RawEmbedded {
        path: String,
        max_size: String,
    }

    RawRedis {
        url: String,
        username: String,
        password_file: String,
        ca: String,
        sentinel: String,
        timeout: String,
    }

    RawLimits {
        manifest: String,
        bundle: String,
        attestation: String,
        listed: usize,
        examined: usize,
        log_entries: usize,
        timestamps: usize,
        subjects: usize,
        chain: usize,
        index_children: usize,
        index_depth: usize,
        parents: usize,
        verification: RawVerification,
    }

    RawVerification {
        threads: usize,
        queue: usize,
        time: String,
    }

    RawLog {
        format: String,
        level: String,
    }

    RawAudit {
        path: String,
        checkpoint_key: String,
        checkpoint_every: String,
        rotate: String,
        on_failure: String,
    }
}
