//! A policy that changes many times while clients ask, and which answers may be given meanwhile.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign::policy::file;
use http::{HeaderMap, Method};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::expect::header;
use super::lab::Lab;
use super::scene::{authority, rule};
use crate::policy_flip::revision;

/// What one client asks for, over and over.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

/// An answer, and under which policies it may have been given: those from the one that was shown before it was asked for
/// to the last one that was about to be read when it came.
#[derive(Debug)]
pub(crate) struct Answer {
    from: usize,
    to: usize,
    status: u16,
    reason: String,
    message: String,
}

/// What a policy makes of the lab's image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Signed,
    Denied,
    Exempt,
}

/// Policies that are in force one after the other.
pub(crate) struct Flips {
    policies: Vec<(Says, String)>,
    by_revision: HashMap<String, usize>,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    /// The policy that is in force, or about to be.
    policy: usize,
    /// What was asked for and answered under this policy for certain.
    exact: HashSet<String>,
    over: bool,
}

impl Answer {
    /// Whether only one policy may have been in force.
    pub(crate) fn is_exact(&self) -> bool {
        self.from == self.to
    }
}

impl Flips {
    /// So many policies, none like another, of which the first is in force from now on.
    pub(crate) fn of(lab: &Lab, count: usize) -> Self {
        let policies: Vec<_> = (0..count).map(|number| policy(lab, number)).collect();
        let revision = |text: &str| file::parse(text, "policy.yaml", Path::new(".")).expect("a policy").fingerprint();
        let by_revision = policies.iter().enumerate().map(|(number, (_, text))| (revision(text), number)).collect();
        lab.set_policy(&policies[0].1).expect("a good policy");
        Self { policies, by_revision, now: Mutex::default() }
    }

    /// Swaps one policy for the next as soon as `clients` have had an answer that can be only under it.
    pub(crate) async fn play(&self, lab: &Lab, clients: usize) {
        for next in 1..=self.policies.len() {
            let all_have_seen_it = async {
                while self.now().exact.len() < clients {
                    yield_now().await;
                }
            };
            timeout(PATIENCE, all_have_seen_it).await.expect("every client is answered under every policy");
            let Some((_, text)) = self.policies.get(next) else { break };
            *self.now() = Now { policy: next, ..Now::default() };
            lab.set_policy(text).expect("a good policy");
        }
        self.now().over = true;
    }

    /// Asks until it is over; the answers.
    pub(crate) async fn ask_on(&self, lab: &Lab, asked: &Asked) -> Vec<Answer> {
        let mut answers = Vec::new();
        while !self.now().over {
            let from = self.by_revision[&revision(lab).await];
            let url = format!("http://{}{}", lab.proxy.address, asked.path);
            // A blob that broke off on a busy machine says nothing about policy.
            let Ok(answer) = lab.client.send(&asked.method, &url, asked.headers.clone()).await else { continue };
            let mut now = self.now();
            if now.policy == from {
                now.exact.insert(format!("{asked:?}"));
            }
            let reason = header(&answer, "countersign-reason").to_string();
            let (to, message) = (now.policy, answer.message());
            answers.push(Answer { from, to, status: answer.status, reason, message });
        }
        answers
    }

    /// Whether one of the policies that may have been in force gives this answer.
    pub(crate) fn allows(&self, answer: &Answer) -> bool {
        let good = matches!(answer.status, 200 | 206);
        (answer.from..=answer.to).any(|number| match self.policies[number].0 {
            Says::Signed => good && matches!(answer.reason.as_str(), "signed" | "member"),
            Says::Exempt => good && matches!(answer.reason.as_str(), "exempt" | "member"),
            Says::Denied => {
                answer.status == 403 && (answer.message.is_empty() || answer.message.contains(&name(number)))
            }
        })
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of four in turn: it wants the signature that the image has, then another, then exempts it, then wants another.
fn policy(lab: &Lab, number: usize) -> (Says, String) {
    let says = [Says::Signed, Says::Denied, Says::Exempt, Says::Denied][number % 4];
    let signer = if says == Says::Signed { &lab.signer } else { &lab.foreign };
    let rule = rule(&format!("flip-{number}"), "registry.demo/**", "enforce", "key", "");
    let exemption =
        if says == Says::Exempt { "exemptions:\n- match: [ registry.demo/** ]\n  reason: flip\n" } else { "" };
    (says, format!("authorities:\n{}policies:\n{rule}{exemption}", authority("key", &signer.public_key_pem())))
}

/// How a refusal names the policy with this number.
fn name(number: usize) -> String {
    format!("\"flip-{number}\"")
}

const PATIENCE: Duration = Duration::from_secs(30);
