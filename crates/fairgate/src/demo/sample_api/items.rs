//! What the sample API sells. Knows no HTTP.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use std::collections::{BTreeMap, VecDeque};

/// Items that clients may add. The oldest of theirs make room, so that the demo can run for days.
const MAX_ADDED: usize = 1000;
/// Reviews of one item. The oldest make room.
const MAX_REVIEWS: usize = 20;

/// One item.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    pub(super) id: u64,
    #[serde(flatten)]
    pub(super) wanted: Wanted,
    #[serde(skip)]
    pub(super) reviews: VecDeque<Review>,
}

/// What a client sends for an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) name: String,
    #[serde(default)]
    pub(super) price: f64,
    /// The shop's own number of it. No two items have the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sku: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub(super) stock: u64,
    #[serde(default)]
    pub(super) tags: Vec<String>,
}

/// What a client thinks of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Review {
    pub(super) stars: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

/// Which items of a list are wanted, how many, and in which order.
pub(super) struct Selection<'q> {
    pub(super) limit: usize,
    pub(super) sort: &'q str,
    /// Each item has all of them.
    pub(super) tags: Vec<&'q str>,
    pub(super) min_price: f64,
    pub(super) max_price: f64,
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

impl Selection<'_> {
    /// All of them, in the order of their ids.
    pub(super) const ALL: Self =
        Self { limit: usize::MAX, sort: "", tags: Vec::new(), min_price: 0.0, max_price: f64::INFINITY };

    fn has(&self, item: &Wanted) -> bool {
        self.min_price <= item.price
            && item.price <= self.max_price
            && self.tags.iter().all(|tag| item.tags.iter().any(|other| other == tag))
    }
}

impl Shop {
    /// A shop with ten items.
    pub(super) fn with_some_items() -> Self {
        let seed: [(&str, f64, u64, &[&str]); 10] = [
            ("Lamp", 39.0, 12, &["living", "office"]),
            ("Chair", 120.0, 3, &["living", "wood"]),
            ("Desk", 340.0, 5, &["office", "wood"]),
            ("Clock", 25.5, 40, &["kitchen"]),
            ("Vase", 18.0, 7, &["living"]),
            ("Mirror", 64.0, 9, &[]),
            ("Kettle", 32.0, 21, &["kitchen"]),
            ("Shelf", 88.0, 4, &["living", "wood"]),
            ("Rug", 150.0, 2, &["living"]),
            ("Plant", 12.0, 60, &["garden"]),
        ];
        let mut items = BTreeMap::new();
        for (id, (name, price, stock, tags)) in (1..).zip(seed) {
            let sku = Some(format!("{}-1", name.to_ascii_uppercase()));
            let tags = tags.iter().map(|tag| (*tag).into()).collect();
            let wanted = Wanted { name: name.into(), price, sku, stock, tags };
            items.insert(id, Item { id, wanted, reviews: VecDeque::new() });
        }
        let next = items.len() as u64 + 1;
        Self { items, next, first_added: next }
    }

    pub(super) fn list(&self, selection: &Selection<'_>) -> Vec<&Item> {
        let mut all: Vec<&Item> = self.items.values().filter(|item| selection.has(&item.wanted)).collect();
        match selection.sort {
            "name" => all.sort_by(|one, other| one.wanted.name.cmp(&other.wanted.name)),
            "price" => all.sort_by(|one, other| one.wanted.price.total_cmp(&other.wanted.price)),
            _ => {}
        }
        all.truncate(selection.limit);
        all
    }

    pub(super) fn get(&self, id: u64) -> Option<&Item> {
        self.items.get(&id)
    }

    pub(super) fn add(&mut self, wanted: Wanted) -> Result<&Item, SkuTaken> {
        let id = self.next;
        self.check_sku(id, &wanted)?;
        self.next += 1;
        while self.items.range(self.first_added..).count() >= MAX_ADDED {
            let oldest = self.items.range(self.first_added..).next().map(|(&id, _)| id);
            oldest.map(|id| self.items.remove(&id));
        }
        Ok(self.items.entry(id).or_insert(Item { id, wanted, reviews: VecDeque::new() }))
    }

    /// None: there is no such item.
    pub(super) fn change(&mut self, id: u64, wanted: Wanted) -> Result<Option<&Item>, SkuTaken> {
        if !self.items.contains_key(&id) {
            return Ok(None);
        }
        self.check_sku(id, &wanted)?;
        let Some(item) = self.items.get_mut(&id) else { return Ok(None) };
        item.wanted = wanted;
        Ok(Some(item))
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.items.remove(&id);
    }

    /// None: there is no such item.
    pub(super) fn review(&mut self, id: u64, review: Review) -> Option<&Review> {
        let reviews = &mut self.items.get_mut(&id)?.reviews;
        if reviews.len() >= MAX_REVIEWS {
            reviews.pop_front();
        }
        reviews.push_back(review);
        reviews.back()
    }

    fn check_sku(&self, id: u64, wanted: &Wanted) -> Result<(), SkuTaken> {
        let Some(sku) = &wanted.sku else { return Ok(()) };
        let taken = self.items.values().find(|item| item.id != id && item.wanted.sku.as_ref() == Some(sku));
        taken.map_or(Ok(()), |item| Err(SkuTaken { sku: sku.clone(), by: item.id }))
    }
}

/// A whole number, also one that is written `3.0`: JSON Schema calls that an integer, too.
pub(super) fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let number = serde_json::Number::deserialize(from)?;
    let of_float = || {
        number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(float))
    };
    // The range holds no number that a cast would change.
    let whole = number.as_u64().or_else(|| of_float().map(|float| float as u64));
    whole.ok_or_else(|| D::Error::custom(format!("{number} is no whole number from 0 on")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(sku: Option<&str>) -> Wanted {
        Wanted {
            name: "Bowl".into(),
            price: 1.0,
            sku: sku.map(str::to_owned),
            stock: 1,
            tags: vec!["kitchen".into()],
        }
    }

    #[test]
    fn a_number_belongs_to_one_item() {
        let mut shop = Shop::with_some_items();
        let taken = SkuTaken { sku: "LAMP-1".into(), by: 1 };
        assert_eq!(shop.add(wanted(Some("LAMP-1"))).unwrap_err(), taken);
        assert!(shop.change(1, wanted(Some("LAMP-1"))).unwrap().is_some());
        assert_eq!(shop.change(2, wanted(Some("BOWL-1"))).unwrap().unwrap().id, 2);
        assert!(shop.change(2000, wanted(None)).unwrap().is_none());
        assert!(shop.change(2000, wanted(Some("LAMP-1"))).unwrap().is_none(), "missing comes first");
    }

    #[test]
    fn what_clients_added_makes_room_and_the_first_items_stay() {
        let mut shop = Shop::with_some_items();
        for _ in 0..MAX_ADDED + 5 {
            shop.add(wanted(None)).unwrap();
        }
        assert_eq!(shop.list(&Selection::ALL).len(), MAX_ADDED + 10);
        assert!(shop.get(10).is_some() && shop.get(11).is_none());
    }

    #[test]
    fn a_list_has_the_items_with_all_tags_in_the_range_of_prices() {
        let shop = Shop::with_some_items();
        let names = |selection: Selection<'_>| -> Vec<_> {
            shop.list(&selection).iter().map(|item| item.wanted.name.clone()).collect()
        };
        assert_eq!(names(Selection { tags: vec!["living", "wood"], ..Selection::ALL }), ["Chair", "Shelf"]);
        let cheap = Selection { max_price: 25.5, sort: "price", ..Selection::ALL };
        assert_eq!(names(cheap), ["Plant", "Vase", "Clock"]);
        assert_eq!(names(Selection { min_price: 150.0, limit: 1, ..Selection::ALL }), ["Desk"]);
    }

    #[test]
    fn an_item_keeps_its_newest_reviews() {
        let mut shop = Shop::with_some_items();
        for stars in 1..=MAX_REVIEWS as u64 + 2 {
            assert!(shop.review(7, Review { stars, text: None }).is_some());
        }
        let kept = &shop.get(7).unwrap().reviews;
        assert_eq!((kept.len(), kept[0].stars), (MAX_REVIEWS, 3));
        assert_eq!(shop.review(2000, Review { stars: 1, text: None }), None);
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_fraction_of_zero() {
        let stock = |text: &str| {
            serde_json::from_str::<Wanted>(&format!(r#"{{"name":"Bowl","stock":{text}}}"#))
                .map(|wanted| wanted.stock)
        };
        assert_eq!(stock("3.0").unwrap(), 3);
        assert_eq!(stock("1e3").unwrap(), 1000);
        assert!(stock("3.5").is_err() && stock("-1").is_err() && stock("1e300").is_err());
    }
}
