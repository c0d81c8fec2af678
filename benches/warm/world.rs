//! A proxy in the process, before a registry in the process, with one signed image that was pulled already.

use std::error::Error;
use std::fmt::Write as _;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use countersign::app;
use countersign::client::Clients;
use countersign::config::Config;
use countersign::decide::{Verdict, foregone};
use countersign::demo::images;
use countersign::demo::proxy::Scratch;
use countersign::demo::registry::{Options, Registry};
use countersign::demo::signer::Signer;
use countersign::oci::{Digest, Image, Subject};
use countersign::outcome::{Key, Terms};
use countersign::policy::file::parse_scope;
use countersign::proxy::{Proxy, Ready};
use countersign::telemetry::Metrics;
use http::Request;
use http::header::HOST;
use http::request::Parts;

/// How much there is besides the image.
pub(crate) struct Size {
    /// Policies, each for a scope of its own.
    pub(crate) scopes: usize,
    /// Authorities, which they ask in turn.
    pub(crate) authorities: usize,
    /// Verdicts in memory.
    pub(crate) verdicts: u64,
}

/// A proxy that has served its image once.
pub(crate) struct World {
    pub(crate) proxy: Proxy,
    /// The request for the image, by digest.
    pub(crate) request: Parts,
    /// The same, as the listener has it.
    pub(crate) asking: Request<()>,
    /// The image.
    pub(crate) subject: Subject,
    _scratch: Scratch,
}

impl World {
    pub(crate) async fn new(size: Size) -> Result<Self, Box<dyn Error>> {
        let registry = Registry::new(Options::default());
        let (name, signer) = (registry.options().name.clone(), Signer::generate()?);
        let image = images::image(&registry, "team/app", Some("1"), "hello\n").manifest;
        signer.sign_bundle(&registry, &image)?;
        let serving = registry.serve().await?;
        let scratch = Scratch::new()?;
        let policy = policy(&name, &signer.public_key_pem(), &size)?;
        let config = Config::load(&scratch.write(&name, serving.address(), &policy)?, std::iter::empty())?;
        let path = format!("/v2/team/app/manifests/{}", image.digest);
        let proxy = Proxy {
            registries: app::registries(&config),
            catalogs: std::collections::BTreeSet::new(),
            clients: Clients::anonymous(vec![parse_scope(&format!("{name}/**"))?]),
            public_origin: String::new(),
            puller: app::explainer(&config).await?,
            metrics: Arc::new(Metrics::new()),
            ready: Ready::default(),
        };
        let subject = Image::parse(name.parse()?, "team/app")?.at(image.digest);
        let asking = Request::get(path).header(HOST, "localhost").body(())?;
        let request = asking.clone().into_parts().0;
        let world = Self { proxy, request, asking, subject, _scratch: scratch };
        for _ in 0..2 {
            let status = world.proxy.answer(&world.request).await.response.status();
            if status != 200 {
                return Err(format!("the image is answered with {status}").into());
            }
        }
        if world.proxy.at_once(&world.asking).is_none() {
            return Err("the answer is not ready".into());
        }
        world.fill(&name, size.verdicts).await?;
        Ok(world)
    }

    /// The verdict on the image, from memory.
    pub(crate) async fn verdict(&self) -> Option<Verdict> {
        let puller = &self.proxy.puller;
        let (snapshot, now) = (puller.current.load(), puller.clock.now());
        let governing = snapshot.policies.governing(&self.subject, now);
        let manifest = puller.fetch.manifest(&self.subject).await.ok()?;
        Some(puller.judge.signed(&snapshot, &governing, &manifest, now).await?.0)
    }

    /// Puts as many more verdicts into memory, on images that an exemption covers.
    async fn fill(&self, registry: &str, verdicts: u64) -> Result<(), Box<dyn Error>> {
        let puller = &self.proxy.puller;
        let (snapshot, now) = (puller.current.load(), puller.clock.now());
        let day = Duration::from_hours(24);
        let terms = Terms { now, allow: day, deny: day, evidence_max_age: day, last_known_good: Duration::ZERO };
        let image = Image::parse(registry.parse()?, "filler/app")?;
        for number in 0..verdicts {
            let governing = snapshot.policies.governing(&image.at(Digest::of(&number.to_be_bytes())), now);
            let trust = snapshot.trust.revision(&governing);
            let verdict = foregone(&governing, trust, &terms).ok_or("the exemption does not cover it")?;
            let decided = ready(Ok(verdict));
            let held = puller.judge.verdicts.decide_once(Key::new(&governing, trust), now, decided).await;
            held.map_err(|_| "no verdict")?;
        }
        Ok(())
    }
}

/// A policy that demands a signature on everything, and one for each further scope.
fn policy(registry: &str, key: &str, size: &Size) -> Result<String, std::fmt::Error> {
    let mut text = String::from("authorities:\n");
    let key = key.lines().fold(String::new(), |text, line| text + "        " + line + "\n");
    for number in 0..size.authorities {
        write!(text, "  a{number}:\n    key:\n      insecureSkipTransparencyLog: true\n      inline: |\n{key}")?;
    }
    text.push_str("policies:\n");
    for number in 0..size.scopes {
        let scope = if number == 0 { "**".to_string() } else { format!("*/team-{number}/**") };
        let by = number % size.authorities;
        writeln!(text, "- {{ name: p{number}, match: [ '{scope}' ], require: {{ signature: {{ by: a{by} }} }} }}")?;
    }
    writeln!(text, "exemptions: [ {{ match: [ '{registry}/filler/**' ], reason: made to fill the memory }} ]")?;
    Ok(text)
}
