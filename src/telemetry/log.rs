//! One log line a request: a handler leaves its [`Facts`] in the response's extensions, the middleware writes them.

use std::sync::Arc;

use crate::oci::{Digest, Image};
use crate::reason::Reason;

/// What a handler learned about one request; every field that stays empty is left out of the log line.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The repository asked for.
    pub image: Option<Image>,
    /// The tag or digest, as asked.
    pub reference: Option<String>,
    /// The manifest or blob that it came to.
    pub digest: Option<Digest>,
    /// The reason of the answer, allow reasons too.
    pub reason: Option<Reason>,
    /// Why the nearest evidence did not count.
    pub cause: Option<Reason>,
    /// The policy that decided.
    pub policy: Option<Arc<str>>,
    /// What audited policies, or audit mode, would have refused: policy (may be empty) and reason.
    pub would_deny: Vec<(Arc<str>, Reason)>,
    /// `hit`, `miss` or `joined` (another request's flight), if a verdict was asked for.
    pub cache: Option<&'static str>,
    /// The sentence for people.
    pub detail: Option<String>,
}
