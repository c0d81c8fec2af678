//! One request, from its parts to its answer: route → who is asking → pull → respond; counted and noted once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, Response};
use tokio::time::Instant;

use crate::admission::Admitted;
use crate::blob;
use crate::body::Body;
use crate::cache::Lookup;
use crate::client::Clients;
use crate::oci::{Image, Registry};
use crate::passthrough::Listing;
use crate::pull::{Ask, PullError, Puller, Standing};
use crate::reason::Reason;
use crate::respond::{self, Prepared, Refusal};
use crate::route::{self, Page, Registries, Route};
use crate::telemetry::{Answer, Facts, Metrics, outcome_of};
use crate::upstream::Upstream;

mod ready;

pub use ready::Ready;

/// The proxy's answer to everything.
#[derive(Debug)]
pub struct Proxy {
    /// Names that may be asked for.
    pub registries: Registries,
    /// The registries whose repositories are listed.
    pub catalogs: BTreeSet<Registry>,
    /// Who may ask for what.
    pub clients: Clients,
    /// What links begin with, without a last slash; empty for links that are relative.
    pub public_origin: String,
    /// The pull.
    pub puller: Puller,
    /// Where answers are counted.
    pub metrics: Arc<Metrics>,
    /// What is answered again.
    pub ready: Ready,
}

/// An answer, and if it may be given again, how and for how long.
struct Answered {
    response: Response<Body>,
    again: Option<(Prepared, Standing)>,
}

impl From<Response<Body>> for Answered {
    fn from(response: Response<Body>) -> Self {
        Self { response, again: None }
    }
}

impl Proxy {
    /// Answers one request at once, if it was answered a moment ago and would be answered so again.
    pub fn at_once<B>(&self, request: &Request<B>) -> Option<Answer> {
        let began = Instant::now();
        self.ready.find(request, |held| {
            if !self.puller.still(&held.standing, began) {
                return None;
            }
            self.metrics.verdicts().lookup(Lookup::Hit.label());
            let response = held.prepared.answer(request.method() == Method::HEAD);
            Some(self.finish(response, held.facts.clone(), began))
        })
    }

    /// Answers one request.
    ///
    /// If another policy came into force before there was an answer, it is decided anew: an answer never begins under a
    /// policy that has been replaced. One that has begun, a long blob, goes on to its end.
    pub async fn answer(&self, request: &Parts) -> Answer {
        let began = Instant::now();
        loop {
            let mut ask = self.puller.ask();
            let Answered { response, again } = self.decided(request, &mut ask).await;
            if self.puller.stands(&ask) {
                let facts = Arc::new(ask.facts);
                if let Some(answer) = again {
                    self.ready.keep(&request.uri, &request.headers, answer, facts.clone());
                }
                return self.finish(response, facts, began);
            }
        }
    }

    async fn decided(&self, request: &Parts, ask: &mut Ask) -> Answered {
        let head = request.method == Method::HEAD;
        let answer = match route::parse(request, &self.registries) {
            Ok(route) => self.follow(&route, request, ask, head).await,
            Err(error) => Err(error.into()),
        };
        match answer {
            Ok(answered) => answered,
            Err(refusal) => {
                ask.facts.reason = Some(refusal.reason);
                ask.facts.cause = refusal.cause;
                ask.facts.policy = refusal.policy.as_deref().map(Into::into);
                ask.facts.detail = Some(refusal.detail.clone());
                respond::refusal(&refusal, head).into()
            }
        }
    }

    /// Does what the route says, if the caller may.
    async fn follow(&self, route: &Route, request: &Parts, ask: &mut Ask, head: bool) -> Result<Answered, Refusal> {
        ask.facts.image = route.image().cloned();
        ask.facts.reference = route.reference();
        self.permit(route).map_err(|refusal| refusal.about(route))?;
        let answer = match route {
            Route::Ping => Ok(respond::ping(head)),
            // Boxed, but for manifests: these carry nothing of what the others need.
            Route::Blob(pull) => Box::pin(self.blob(ask, pull, request)).await,
            Route::Manifest(pull) => match self.puller.manifest(ask, pull).await {
                Ok(admitted) => {
                    note_basis(&mut ask.facts, &admitted);
                    let standing = self.puller.standing(ask, pull, &admitted).await;
                    let prepared = respond::manifest(admitted);
                    let response = prepared.answer(head);
                    return Ok(Answered { response, again: standing.map(|standing| (prepared, standing)) });
                }
                Err(error) => Err(error),
            },
            Route::Catalog(registry, page) => Box::pin(self.catalog(registry, page, head)).await,
            Route::Referrers(image, digest, page) => match self.listing(&image.registry, page, head) {
                Ok(listing) => Box::pin(listing.referrers(image, digest)).await,
                Err(error) => Err(error),
            },
            Route::Tags(image, page) => match self.listing(&image.registry, page, head) {
                Ok(listing) => Box::pin(listing.tags(image)).await,
                Err(error) => Err(error),
            },
        };
        match answer {
            Ok(response) => Ok(response.into()),
            Err(error) => {
                let mut refusal = Refusal::of(&error).about(route);
                refusal.retry_after = Box::pin(self.puller.rest(ask, &error)).await.unwrap_or(refusal.retry_after);
                Err(refusal)
            }
        }
    }

    /// Whether the caller may ask for this at all.
    fn permit(&self, route: &Route) -> Result<(), Refusal> {
        let may = match route {
            Route::Catalog(registry, _) if !self.catalogs.contains(registry) => {
                let detail = "repositories are not listed here, except where an upstream says `catalog: true`";
                return Err(Refusal::new(Reason::NotRouted, detail));
            }
            Route::Catalog(..) => self.clients.may_read_anything(),
            Route::Ping => true,
            Route::Blob(_) | Route::Manifest(_) | Route::Referrers(..) | Route::Tags(..) => {
                route.image().is_some_and(|image| self.clients.may_read(image))
            }
        };
        let detail = "no entry of `clients` lets this caller read the repository";
        if may { Ok(()) } else { Err(Refusal::new(Reason::ClientForbidden, detail)) }
    }

    async fn catalog(&self, registry: &Registry, page: &Page, head: bool) -> Result<Response<Body>, PullError> {
        let may = |name: &str| {
            let image = Image::parse(registry.clone(), name);
            image.is_ok_and(|image| self.clients.may_read(&image))
        };
        self.listing(registry, page, head)?.catalog(may).await
    }

    fn listing<'a>(&'a self, registry: &Registry, page: &'a Page, head: bool) -> Result<Listing<'a>, PullError> {
        let upstream = self.upstream(registry)?;
        Ok(Listing { upstream, page, origin: &self.public_origin, head })
    }

    async fn blob(&self, ask: &mut Ask, pull: &route::BlobPull, request: &Parts) -> Result<Response<Body>, PullError> {
        let (admitted, declared) = self.puller.blob(ask, pull).await?;
        note_basis(&mut ask.facts, &admitted);
        let upstream = self.upstream(&pull.image.registry)?;
        blob::serve(upstream, &pull.image.repository, &admitted, declared, request, &self.metrics).await
    }

    fn upstream(&self, registry: &Registry) -> Result<&Arc<Upstream>, PullError> {
        let upstreams: &BTreeMap<Registry, Arc<Upstream>> = &self.puller.upstreams;
        crate::pull::fetch::upstream(upstreams, registry)
    }

    fn finish(&self, response: Response<Body>, facts: Arc<Facts>, began: Instant) -> Answer {
        if let Some(reason) = facts.reason {
            let policy = facts.policy.as_deref().unwrap_or("");
            let outcome = outcome_of(reason);
            self.metrics.decision(outcome, reason, policy);
            for (policy, reason) in &facts.would_deny {
                self.metrics.would_deny(*reason, policy);
            }
            if facts.stale {
                self.metrics.verdicts().stale_answer();
            }
            if let Some(exemption) = &facts.exemption {
                self.metrics.exemptions().answered(exemption);
            }
            if let Some(cache) = facts.cache {
                self.metrics.pull(outcome, cache, began.elapsed());
            }
        }
        Answer { response, facts }
    }
}

fn note_basis<T>(facts: &mut Facts, admitted: &Admitted<T>) {
    facts.reason = Some(admitted.basis().reason());
    facts.exemption = admitted.basis().exemption().cloned();
    facts.stale = admitted.is_stale();
}
