//! One image, and what it lists: asked for in the order in which a node asks.

use super::answer::{Answer, Asked, Listed, Outcome};
use super::proxy::Proxy;
use crate::app;
use crate::oci::Reference;
use crate::pull::Puller;
use crate::route::ManifestPull;

/// Who is asked.
#[derive(Debug)]
pub(super) enum Asker {
    /// This process, with the configured store.
    Here(Box<Puller>),
    /// A running proxy.
    Proxy(Proxy),
}

/// Which images of an index are asked for.
#[derive(Debug)]
pub(super) struct Platforms(
    /// All, if there is none.
    pub(super) Vec<String>,
);

impl Asker {
    /// The answer about an image, or the first about what it lists that is not a yes.
    pub(super) async fn answer(&self, pull: &ManifestPull, platforms: &Platforms) -> Answer {
        let Asked { answer, lists } = self.ask(pull).await;
        if answer.outcome() != Outcome::Allowed {
            return answer;
        }
        let mut level = lists;
        for _ in 0..DEPTH {
            let mut within = Vec::new();
            for listed in level.into_iter().filter(|listed| platforms.want(listed)) {
                let reference = Reference::Digest(listed.digest);
                let asked = self.ask(&ManifestPull { image: pull.image.clone(), reference }).await;
                // Indexes are copied without what nobody there needs; whoever names a platform needs it.
                if asked.answer.is_absent() && platforms.0.is_empty() {
                    continue;
                }
                if asked.answer.outcome() != Outcome::Allowed {
                    return Answer { child: Some(listed.name()), ..asked.answer };
                }
                within.extend(asked.lists);
            }
            level = within;
        }
        answer
    }

    /// Returns when what it has learned is safe.
    ///
    /// # Errors
    /// If some of it is not.
    pub(super) async fn settle(&self) -> Result<(), app::NotStored> {
        match self {
            Self::Here(puller) => app::written(puller).await,
            Self::Proxy(_) => Ok(()),
        }
    }

    async fn ask(&self, pull: &ManifestPull) -> Asked {
        match self {
            Self::Here(puller) => {
                let explanation = puller.explain(pull).await;
                let entries = explanation.manifest.iter().flat_map(|manifest| manifest.entries());
                let listed = entries.map(|entry| Listed { digest: entry.digest, platform: entry.platform.clone() });
                let is_index = explanation.manifest.as_ref().is_some_and(|manifest| manifest.media_type().is_index());
                Asked { answer: Answer::of(&explanation), lists: listed.filter(|_| is_index).collect() }
            }
            Self::Proxy(proxy) => proxy.ask(pull).await,
        }
    }
}

impl Platforms {
    fn want(&self, listed: &Listed) -> bool {
        let under = |wanted: &String| {
            let rest = listed.platform.strip_prefix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        // An index within an index is for none in particular.
        self.0.is_empty() || listed.platform.is_empty() || self.0.iter().any(under)
    }
}

impl Listed {
    fn name(&self) -> String {
        match self.platform.as_str() {
            "" => self.digest.to_string(),
            platform => format!("{platform} ({})", self.digest),
        }
    }
}

/// Indexes within each other.
const DEPTH: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    #[test]
    fn a_platform_takes_its_variants_with_it() {
        let listed = |platform: &str| Listed { digest: Digest::of(b"x"), platform: platform.into() };
        let wanted = Platforms(vec!["linux/arm".into(), "linux/amd64".into()]);
        for (platform, expected) in [
            ("linux/arm", true),
            ("linux/arm/v7", true),
            ("linux/arm64", false),
            ("linux/amd64", true),
            ("windows/amd64", false),
            ("unknown/unknown", false),
            ("", true),
        ] {
            assert_eq!(wanted.want(&listed(platform)), expected, "{platform}");
            assert!(Platforms(vec![]).want(&listed(platform)));
        }
    }
}
