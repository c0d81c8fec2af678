//! The registries that may be asked for, by name and alias. Nothing else can be reached.

use std::collections::BTreeMap;

use crate::oci::Registry;

/// Every name under which a configured registry is known.
#[derive(Debug, Clone, Default)]
pub struct Registries {
    known: BTreeMap<Registry, Registry>,
}

impl Registries {
    /// Builds the table from pairs of a registry and its aliases.
    pub fn new(configured: impl IntoIterator<Item = (Registry, Vec<Registry>)>) -> Self {
        let mut known = BTreeMap::new();
        for (registry, aliases) in configured {
            for alias in aliases {
                known.insert(alias, registry.clone());
            }
            known.insert(registry.clone(), registry);
        }
        Self { known }
    }

    /// The configured registry that `name` stands for, in any spelling of host and default port.
    pub fn find(&self, name: &str) -> Option<Registry> {
        // What is canonical already, which `Host` mostly is, need not be made so.
        self.exactly(name).or_else(|| {
            if Registry::is_plain(name) { None } else { self.known.get(&name.parse::<Registry>().ok()?).cloned() }
        })
    }

    /// The configured registry that `name` is a name or alias of, letter by letter.
    pub fn exactly(&self, name: &str) -> Option<Registry> {
        self.known.get(name).cloned()
    }

    /// The only registry there is.
    pub fn only(&self) -> Option<Registry> {
        let mut registries = self.known.values();
        let first = registries.next()?;
        registries.all(|other| other == first).then(|| first.clone())
    }
}
