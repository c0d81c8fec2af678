//! Families of series whose handles are held, so that counting need not look them up.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use crate::reason::Reason;

/// Series by labels that are all known beforehand; others are created when they are first used.
#[derive(Debug)]
pub(super) struct Known<F: Family, const N: usize> {
    family: F,
    /// In the order of their labels.
    born: Vec<([&'static str; N], F::Series)>,
}

pub(super) type Counters<const N: usize> = Known<IntCounterVec, N>;
pub(super) type Histograms<const N: usize> = Known<HistogramVec, N>;

/// Series that differ in their labels.
pub(super) trait Family {
    type Series;
    fn series(&self, labels: &[&str]) -> Self::Series;
}

impl<B: MetricVecBuilder> Family for MetricVec<B> {
    type Series = B::M;
    fn series(&self, labels: &[&str]) -> B::M {
        self.with_label_values(labels)
    }
}

impl<F: Family, const N: usize> Known<F, N> {
    pub(super) fn new(family: F, labels: impl IntoIterator<Item = [&'static str; N]>) -> Self {
        let mut born: Vec<_> = labels.into_iter().map(|labels| (labels, family.series(&labels))).collect();
        born.sort_by_key(|(labels, _)| *labels);
        Self { family, born }
    }

    /// Gives the series with these labels to `count`.
    pub(super) fn at(&self, labels: [&'static str; N], count: impl FnOnce(&F::Series)) {
        match self.born.binary_search_by(|(born, _)| born.cmp(&labels)).ok().and_then(|at| self.born.get(at)) {
            Some((_, series)) => count(series),
            None => count(&self.family.series(&labels)),
        }
    }
}

/// Counters by reason and policy.
#[derive(Debug)]
pub(super) struct ByPolicy {
    family: IntCounterVec,
    labels: fn(Reason, &str) -> Vec<&str>,
    known: ArcSwap<HashMap<Arc<str>, Arc<ByReason>>>,
}

/// One policy's counters, at the place that the reason has in the enumeration.
#[derive(Debug)]
struct ByReason {
    policy: Arc<str>,
    counters: Vec<OnceLock<IntCounter>>,
}

impl ByPolicy {
    /// Knows decisions that no policy made, and those of policies that were not announced.
    pub(super) fn new(family: IntCounterVec, labels: fn(Reason, &str) -> Vec<&str>, without_policy: &[Reason]) -> Self {
        let new = Self { family, labels, known: ArcSwap::default() };
        new.announce("", without_policy);
        new.announce(OTHER, &[]);
        new
    }

    /// Creates the series of `policy` for `reasons`.
    pub(super) fn announce(&self, policy: &str, reasons: &[Reason]) {
        if self.known.load().contains_key(policy) {
            return;
        }
        let policy: Arc<str> = policy.into();
        let counters = Reason::ALL.iter().map(|_| OnceLock::new()).collect();
        let series = Arc::new(ByReason { policy: policy.clone(), counters });
        self.known.rcu(|known| {
            let mut known = HashMap::clone(known);
            if known.len() < MAX_POLICIES {
                known.entry(policy.clone()).or_insert_with(|| series.clone());
            }
            known
        });
        if self.known.load().contains_key(&policy) {
            for reason in reasons {
                self.counter(&series, *reason);
            }
        }
    }

    pub(super) fn count(&self, reason: Reason, policy: &str) {
        let known = self.known.load();
        if let Some(series) = known.get(policy).or_else(|| known.get(OTHER)) {
            self.counter(series, reason).inc();
        }
    }

    /// The label that `policy` is counted under.
    pub(super) fn bounded(&self, policy: &str) -> Arc<str> {
        self.known.load().get(policy).map_or_else(|| OTHER.into(), |series| series.policy.clone())
    }

    fn counter(&self, series: &ByReason, reason: Reason) -> IntCounter {
        let new = || self.family.with_label_values(&(self.labels)(reason, &series.policy));
        series.counters.get(reason as usize).map_or_else(new, |counter| counter.get_or_init(new).clone())
    }
}

pub(super) fn counter_vec(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    registered(registry, IntCounterVec::new(opts(name, help), labels))
}

pub(super) fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    registered(registry, IntCounter::with_opts(opts(name, help)))
}

pub(super) fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    registered(registry, IntGauge::with_opts(opts(name, help)))
}

pub(super) fn gauge_vec(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    registered(registry, IntGaugeVec::new(opts(name, help), labels))
}

pub(super) fn histogram(registry: &Registry, name: &str, help: &str) -> Histogram {
    registered(registry, Histogram::with_opts(seconds(name, help)))
}

pub(super) fn histogram_vec(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
    registered(registry, HistogramVec::new(seconds(name, help), labels))
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let made = made.expect("names and labels are literals; making the metrics in a test tries them");
    registry.register(Box::new(made.clone())).expect("the names are distinct, as the same test shows");
    made
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("countersign")
}

fn seconds(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help).namespace("countersign").buckets(BUCKETS.to_vec())
}

/// Policies that have series of their own: 200, the empty name, and the others taken together.
const MAX_POLICIES: usize = 202;

/// The label of all other policies.
const OTHER: &str = "other";

/// From a cached verdict to a registry that hardly answers.
const BUCKETS: [f64; 17] = [
    0.000_025, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0,
];

/// Now, as gauges of time have it.
pub(super) fn seconds_since_epoch() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}
