//! The orders of the sample API. Knows no HTTP.

use super::items::{Shop, whole};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

/// Orders that are kept. The oldest make room, so that the demo can run for days.
const MAX_ORDERS: usize = 1000;

/// What a client orders. Who pays, and how, is nothing that this shop looks at.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Order {
    lines: Vec<Line>,
    #[serde(default)]
    deliver_on: Option<String>,
}

/// So many of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    #[serde(deserialize_with = "whole")]
    item: u64,
    #[serde(deserialize_with = "whole")]
    quantity: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// An order that was placed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Receipt {
    pub(super) id: String,
    placed_at: jiff::Timestamp,
    lines: Vec<Line>,
    total: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    deliver_on: Option<String>,
}

/// Why an order cannot be placed, as a sentence for the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotPlaced(pub(super) String);

/// All orders.
#[derive(Default)]
pub(super) struct Orders {
    receipts: HashMap<String, Receipt>,
    /// The client's key of an order, and the id of the order.
    ids: HashMap<String, String>,
    /// The keys, the oldest first.
    ages: VecDeque<String>,
}

impl Orders {
    pub(super) fn get(&self, id: &str) -> Option<&Receipt> {
        self.receipts.get(id)
    }

    /// Places an order. The same key again gets the same answer again.
    pub(super) fn place(&mut self, key: &str, order: Order, shop: &Shop) -> Result<Receipt, NotPlaced> {
        if let Some(placed) = self.ids.get(key).and_then(|id| self.receipts.get(id)) {
            return Ok(placed.clone());
        }
        let receipt = Receipt {
            total: total(&order.lines, shop)?,
            id: store::random::id("ord_", 16).map_err(|_| NotPlaced("The shop is out of paper.".into()))?,
            placed_at: jiff::Timestamp::now(),
            lines: order.lines,
            deliver_on: order.deliver_on,
        };
        if self.ages.len() >= MAX_ORDERS
            && let Some(oldest) = self.ages.pop_front().and_then(|key| self.ids.remove(&key))
        {
            self.receipts.remove(&oldest);
        }
        self.ages.push_back(key.to_owned());
        self.ids.insert(key.to_owned(), receipt.id.clone());
        self.receipts.insert(receipt.id.clone(), receipt.clone());
        Ok(receipt)
    }
}

/// The price of all lines, in whole cents. The stock does not change: the demo must work tomorrow, too.
fn total(lines: &[Line], shop: &Shop) -> Result<f64, NotPlaced> {
    let mut total = 0.0;
    for line in lines {
        let Some(item) = shop.get(line.item) else {
            return Err(NotPlaced(format!("There is no item {} to order.", line.item)));
        };
        let (stock, name) = (item.wanted.stock, &item.wanted.name);
        if line.quantity > stock {
            return Err(NotPlaced(format!("Only {stock} of \"{name}\" are in stock; order fewer.")));
        }
        total += item.wanted.price * line.quantity as f64;
    }
    Ok((total * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(item: u64, quantity: u64) -> Order {
        Order { lines: vec![Line { item, quantity, note: None }], deliver_on: None }
    }

    #[test]
    fn the_same_key_gets_the_same_answer() {
        let (shop, mut orders) = (Shop::with_some_items(), Orders::default());
        let first = orders.place("order-0001", order(4, 2), &shop).unwrap();
        assert_eq!(first.total, 51.0);
        assert_eq!(orders.place("order-0001", order(1, 1), &shop).unwrap(), first);
        assert_ne!(orders.place("order-0002", order(4, 2), &shop).unwrap().id, first.id);
        assert_eq!(orders.get(&first.id), Some(&first));
    }

    #[test]
    fn what_is_not_there_cannot_be_ordered() {
        let (shop, mut orders) = (Shop::with_some_items(), Orders::default());
        let refused =
            |order: Order, orders: &mut Orders| orders.place("order-0003", order, &shop).unwrap_err().0;
        assert_eq!(refused(order(2000, 1), &mut orders), "There is no item 2000 to order.");
        assert_eq!(refused(order(9, 3), &mut orders), "Only 2 of \"Rug\" are in stock; order fewer.");
        assert!(orders.place("order-0003", order(9, 2), &shop).is_ok(), "a refusal is not kept");
    }

    #[test]
    fn the_oldest_orders_make_room() {
        let (shop, mut orders) = (Shop::with_some_items(), Orders::default());
        let ids: Vec<_> = (0..=MAX_ORDERS)
            .map(|number| orders.place(&format!("order-{number:06}"), order(4, 1), &shop).unwrap().id)
            .collect();
        assert!(orders.get(&ids[0]).is_none() && orders.get(&ids[1]).is_some());
        assert_eq!((orders.ids.len(), orders.receipts.len()), (MAX_ORDERS, MAX_ORDERS));
    }
}
