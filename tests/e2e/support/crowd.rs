//! Clients that pull on and on while parts of a fleet come and go, and what they may be told: a signed image is never
//! denied, an unsigned one never served, and while all is well everything is answered at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::dice::Dice;
use super::image::Image;
use super::judged::{Outcome, Target, of_image};

/// What the clients share.
#[derive(Default)]
pub(crate) struct Crowd {
    goods: RwLock<Vec<Arc<Goods>>>,
    /// Odd while something is wrong with the fleet; raised whenever that changes.
    weather: AtomicUsize,
    over: AtomicBool,
    tally: Mutex<BTreeMap<String, u64>>,
    wrong: Mutex<Vec<String>>,
}

/// An image, and what it lists.
pub(crate) struct Goods {
    allowed: bool,
    /// Asked for at any time.
    manifests: Vec<Target>,
    /// Asked for once a manifest above has been answered.
    members: Vec<Target>,
    pulled: AtomicBool,
    /// Whether the fleet was well when it was admitted. What a replica admitted while its store was away, the other does not
    /// know of until the store is back; and if the first is killed before that, nobody knows that there was anything. So
    /// nobody can tell about its members until its manifest is asked for again, as a node does that tries anew.
    settled: AtomicBool,
}

impl Goods {
    /// An image that somebody signed, or nobody.
    pub(crate) fn image(image: &Image, allowed: bool) -> Self {
        Self::of(of_image(image, allowed), allowed)
    }

    /// A signed index, whose images only it vouches for.
    pub(crate) fn index(index: &Image, images: &[&Image]) -> Self {
        let members: Vec<_> = images.iter().flat_map(|image| of_image(image, true)).collect();
        let mut goods = Self::of(of_image(index, true), true);
        // By tag it is asked for by itself: a tag names no member.
        goods.members.extend(members.into_iter().filter(|target| target.path.contains("sha256:")));
        goods
    }

    fn of(targets: Vec<Target>, allowed: bool) -> Self {
        let (manifests, members) = targets.into_iter().partition(|target| target.manifest);
        Self { allowed, manifests, members, pulled: AtomicBool::default(), settled: AtomicBool::default() }
    }

    /// Whether somebody had its manifest.
    pub(crate) fn is_pulled(&self) -> bool {
        self.pulled.load(Ordering::SeqCst)
    }

    /// It has been asked for while all was well: nothing may be unknown any more.
    pub(crate) fn settle(&self) {
        self.settled.store(true, Ordering::SeqCst);
    }

    /// Asks for all of it, which must be answered at once and as it should be.
    #[track_caller]
    pub(crate) fn is_served_whole(&self, proxy: SocketAddr) {
        for target in self.manifests.iter().chain(&self.members) {
            for method in ["GET", "HEAD"] {
                let outcome = target.ask(proxy, method, None);
                let right = if self.allowed { outcome == Outcome::Right } else { target.is_kept_back(&outcome) };
                assert!(right, "{method} {}: {outcome:?}", target.path);
            }
        }
    }
}

impl Crowd {
    /// Lets the clients pull this, too.
    pub(crate) fn offer(&self, goods: Goods) -> Arc<Goods> {
        let goods = Arc::new(goods);
        self.goods.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&goods));
        goods
    }

    /// All that they pull.
    pub(crate) fn goods(&self) -> Vec<Arc<Goods>> {
        self.goods.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on something is wrong with the fleet.
    pub(crate) fn storm(&self) {
        self.weather.fetch_or(1, Ordering::SeqCst);
    }

    /// From now on all is well again.
    pub(crate) fn calm(&self) {
        let weather = self.weather.load(Ordering::SeqCst);
        self.weather.store(weather + (weather & 1), Ordering::SeqCst);
    }

    /// The clients go home.
    pub(crate) fn disperse(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Pulls one thing after the other until they go home.
    pub(crate) fn pull(&self, proxy: SocketAddr) {
        let mut dice = Dice::new();
        while !self.over.load(Ordering::SeqCst) {
            let goods = self.goods();
            let goods = &goods[dice.below(goods.len())];
            let members = if goods.allowed && !goods.is_pulled() { 0 } else { goods.members.len() };
            let which = dice.below(goods.manifests.len() + members);
            let target = goods.manifests.iter().chain(&goods.members).nth(which).expect("it is below their number");
            let before = self.weather.load(Ordering::SeqCst);
            let outcome = target.ask_somehow(proxy, &mut dice);
            let calm = before.is_multiple_of(2) && self.weather.load(Ordering::SeqCst) == before;
            if outcome == Outcome::Right && target.manifest {
                goods.pulled.store(true, Ordering::SeqCst);
            }
            self.note(goods, target, outcome, calm);
        }
    }

    fn note(&self, goods: &Goods, target: &Target, outcome: Outcome, calm: bool) {
        let unsettled = !goods.settled.load(Ordering::SeqCst);
        let right = match outcome {
            Outcome::Right => goods.allowed,
            Outcome::Refused => !goods.allowed,
            Outcome::Unavailable(..) => !calm || ((unsettled || !goods.allowed) && target.is_kept_back(&outcome)),
            Outcome::Nothing(_) => !calm,
            Outcome::BrokenOff => !calm && goods.allowed,
            Outcome::Wrong(_) => false,
        };
        if !right {
            let weather = if calm { "while all was well" } else { "while something was wrong" };
            let story = format!("{}, {weather}: {outcome:?}", target.path);
            self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(story);
        }
        let name = match outcome {
            Outcome::Right => "right".into(),
            Outcome::Refused => "403".into(),
            Outcome::Unavailable(status, reason) => format!("{status} {reason}"),
            Outcome::BrokenOff => "broken off".into(),
            Outcome::Nothing(_) => "no answer".into(),
            Outcome::Wrong(_) => "wrong".into(),
        };
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_insert(0) += 1;
    }

    /// How often they were told what.
    pub(crate) fn tally(&self) -> BTreeMap<String, u64> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What nobody should have been told.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
