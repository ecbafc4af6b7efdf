//! What the sample API sells. Knows no HTTP.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Items that clients may add. The oldest of theirs make room, so that the demo can run for days.
const MOST_ADDED: usize = 1000;

/// One item.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    pub(super) id: u64,
    #[serde(flatten)]
    pub(super) wanted: Wanted,
}

/// What a client says of an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) name: String,
    #[serde(default)]
    pub(super) price: f64,
    /// The shop's own number of it. No two items have the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sku: Option<String>,
    #[serde(default)]
    pub(super) stock: u64,
}

/// All items.
pub(super) struct Shop {
    items: BTreeMap<u64, Item>,
    next: u64,
    first_added: u64,
}

/// Another item has this number already.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SkuTaken {
    pub(super) sku: String,
    pub(super) by: u64,
}

impl Shop {
    /// A shop with ten items.
    pub(super) fn with_some_items() -> Self {
        let seed = [
            ("Lamp", 39.0, 12),
            ("Chair", 120.0, 3),
            ("Desk", 340.0, 5),
            ("Clock", 25.5, 40),
            ("Vase", 18.0, 7),
            ("Mirror", 64.0, 9),
            ("Kettle", 32.0, 21),
            ("Shelf", 88.0, 4),
            ("Rug", 150.0, 2),
            ("Plant", 12.0, 60),
        ];
        let mut items = BTreeMap::new();
        for (id, (name, price, stock)) in (1..).zip(seed) {
            let sku = Some(format!("{}-1", name.to_ascii_uppercase()));
            items.insert(id, Item { id, wanted: Wanted { name: name.into(), price, sku, stock } });
        }
        let next = items.len() as u64 + 1;
        Self { items, next, first_added: next }
    }

    /// At most `limit` items, in the order of their ids, names or prices.
    pub(super) fn list(&self, limit: usize, sort: &str) -> Vec<&Item> {
        let mut all: Vec<&Item> = self.items.values().collect();
        match sort {
            "name" => all.sort_by(|one, other| one.wanted.name.cmp(&other.wanted.name)),
            "price" => all.sort_by(|one, other| one.wanted.price.total_cmp(&other.wanted.price)),
            _ => {}
        }
        all.truncate(limit);
        all
    }

    pub(super) fn get(&self, id: u64) -> Option<&Item> {
        self.items.get(&id)
    }

    pub(super) fn add(&mut self, wanted: Wanted) -> Result<&Item, SkuTaken> {
        let id = self.next;
        self.check_sku(id, &wanted)?;
        self.next += 1;
        while self.items.range(self.first_added..).count() >= MOST_ADDED {
            let oldest = self.items.range(self.first_added..).next().map(|(&id, _)| id);
            oldest.map(|id| self.items.remove(&id));
        }
        Ok(self.items.entry(id).or_insert(Item { id, wanted }))
    }

    /// None: there is no such item.
    pub(super) fn change(&mut self, id: u64, wanted: Wanted) -> Result<Option<&Item>, SkuTaken> {
        self.check_sku(id, &wanted)?;
        let Some(item) = self.items.get_mut(&id) else { return Ok(None) };
        item.wanted = wanted;
        Ok(Some(item))
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.items.remove(&id);
    }

    fn check_sku(&self, id: u64, wanted: &Wanted) -> Result<(), SkuTaken> {
        let Some(sku) = &wanted.sku else { return Ok(()) };
        let taken = self.items.values().find(|item| item.id != id && item.wanted.sku.as_ref() == Some(sku));
        taken.map_or(Ok(()), |item| Err(SkuTaken { sku: sku.clone(), by: item.id }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(sku: Option<&str>) -> Wanted {
        Wanted { name: "Bowl".into(), price: 1.0, sku: sku.map(str::to_owned), stock: 1 }
    }

    #[test]
    fn a_number_belongs_to_one_item() {
        let mut shop = Shop::with_some_items();
        let taken = SkuTaken { sku: "LAMP-1".into(), by: 1 };
        assert_eq!(shop.add(wanted(Some("LAMP-1"))).unwrap_err(), taken);
        assert!(shop.change(1, wanted(Some("LAMP-1"))).unwrap().is_some());
        assert_eq!(shop.change(2, wanted(Some("BOWL-1"))).unwrap().unwrap().id, 2);
        assert!(shop.change(2000, wanted(None)).unwrap().is_none());
    }

    #[test]
    fn what_clients_added_makes_room_and_the_first_items_stay() {
        let mut shop = Shop::with_some_items();
        for _ in 0..MOST_ADDED + 5 {
            shop.add(wanted(None)).unwrap();
        }
        assert_eq!(shop.list(usize::MAX, "").len(), MOST_ADDED + 10);
        assert!(shop.get(10).is_some() && shop.get(11).is_none());
    }
}
