//! Writes that belong into one transaction, by spot; what is written twice is written once.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::spot::{SPOT, Spot};
use crate::store::Item;

/// Something to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Write {
    /// A value, in place of what was there.
    Value {
        /// The value.
        bytes: Bytes,
        /// When it is of no more use, in seconds since the epoch.
        expires: u32,
    },
    /// Items to stand before those that are there.
    Items {
        /// Newest first, each once.
        items: Vec<Item>,
        /// How many the list may have.
        most: usize,
        /// When the list is of no more use, in seconds since the epoch.
        expires: u32,
    },
}

/// Writes in the order of their spots, as the tree wants them.
#[derive(Debug, Default)]
pub(super) struct Batch {
    writes: BTreeMap<Spot, Write>,
    bytes: usize,
}

impl Batch {
    /// Adds a write; what waited for the same spot is superseded by it, or joined with it.
    pub(super) fn add(&mut self, spot: Spot, mut write: Write) {
        let before = self.writes.remove(&spot);
        self.bytes -= before.as_ref().map_or(0, weight);
        if let (Write::Items { items, most, .. }, Some(Write::Items { items: older, .. })) = (&mut write, before) {
            *items = newest_first(std::mem::take(items), older, *most);
        }
        self.bytes += weight(&write);
        self.writes.insert(spot, write);
    }

    /// Puts back what was taken before: what came since is newer.
    pub(super) fn put_back(&mut self, older: &Self) {
        for (spot, write) in &older.writes {
            let newer = self.writes.remove(spot);
            self.bytes -= newer.as_ref().map_or(0, weight);
            self.add(*spot, write.clone());
            if let Some(newer) = newer {
                self.add(*spot, newer);
            }
        }
    }

    /// What of it is added to lists.
    pub(super) fn lists(&self) -> Self {
        let mut lists = Self::default();
        for (spot, write) in self.iter().filter(|(_, write)| matches!(write, Write::Items { .. })) {
            lists.add(spot, write.clone());
        }
        lists
    }

    /// What waits for a spot.
    pub(super) fn get(&self, spot: Spot) -> Option<&Write> {
        self.writes.get(&spot)
    }

    /// All writes, in the order of their spots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Spot, &Write)> {
        self.writes.iter().map(|(spot, write)| (*spot, write))
    }

    /// How many writes there are.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    /// What they take in memory, about.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// `items`, and after them those of `older` that are not among them; at most `most`.
pub(super) fn newest_first(mut items: Vec<Item>, older: impl IntoIterator<Item = Item>, most: usize) -> Vec<Item> {
    for item in older {
        if items.len() >= most {
            break;
        }
        if !items.iter().any(|held| held.says() == item.says()) {
            items.push(item);
        }
    }
    items.truncate(most);
    items
}

/// What a write takes in memory.
pub(super) fn weight(write: &Write) -> usize {
    let bytes = match write {
        Write::Value { bytes, .. } => bytes.len(),
        Write::Items { items, .. } => size_of_val(&items[..]),
    };
    bytes + SPOT + size_of::<Write>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(said: &[u8], mac: u8) -> Write {
        Write::Items { items: said.iter().map(|said| item(*said, mac)).collect(), most: 3, expires: 9 }
    }

    fn item(said: u8, mac: u8) -> Item {
        Item(std::array::from_fn(|at| if at < 33 { said } else { mac }))
    }

    fn value(text: &'static str) -> Write {
        Write::Value { bytes: Bytes::from(text), expires: 9 }
    }

    const SPOT_A: Spot = Spot([1; SPOT]);
    const SPOT_B: Spot = Spot([2; SPOT]);

    #[test]
    fn what_is_written_twice_is_written_once() {
        let mut batch = Batch::default();
        batch.add(SPOT_A, value("one"));
        batch.add(SPOT_A, value("two"));
        batch.add(SPOT_B, items(&[1], 0));
        batch.add(SPOT_B, items(&[2], 0));
        batch.add(SPOT_B, items(&[1], 7));
        assert_eq!(batch.len(), 2);
        assert_eq!(batch.get(SPOT_A), Some(&value("two")));
        let expected = Write::Items { items: vec![item(1, 7), item(2, 0)], most: 3, expires: 9 };
        assert_eq!(batch.get(SPOT_B), Some(&expected));
        assert_eq!(batch.bytes(), batch.iter().map(|(_, write)| weight(write)).sum::<usize>());
    }

    #[test]
    fn what_is_put_back_stands_behind_what_came_since() {
        let (mut taken, mut since) = (Batch::default(), Batch::default());
        taken.add(SPOT_A, value("old"));
        taken.add(SPOT_B, items(&[1, 2, 3], 0));
        since.add(SPOT_A, value("new"));
        since.add(SPOT_B, items(&[3, 4], 1));
        since.put_back(&taken);
        assert_eq!(since.get(SPOT_A), Some(&value("new")));
        let expected = Write::Items { items: vec![item(3, 1), item(4, 1), item(1, 0)], most: 3, expires: 9 };
        assert_eq!(since.get(SPOT_B), Some(&expected));
        assert_eq!(since.bytes(), since.iter().map(|(_, write)| weight(write)).sum::<usize>());
    }
}
