//! What operations may not have in common: identifiers, and paths that match the same requests.

use super::{Reader, template::Template};
use crate::{api::Operation, documents::Place, text::quoted};
use std::collections::HashMap;

impl Reader<'_> {
    /// Notes operations that have the same `operationId`, or the same method and shape of path.
    pub(super) fn clashes(&mut self, operations: &mut Vec<Operation>) {
        let mut ids: HashMap<&str, &Place> = HashMap::new();
        let mut shapes: HashMap<(&str, String), &Operation> = HashMap::new();
        for operation in operations.iter() {
            if let Some(id) = &operation.id {
                let first = ids.entry(id).or_insert(&operation.at);
                if **first != operation.at {
                    let message =
                        format!("The operationId {} is given to more than one operation.", quoted(id));
                    self.notes.fault(&operation.at.child("operationId"), message, "");
                }
            }
            let Ok(template) = Template::parse(&operation.path) else { continue };
            match shapes.entry((operation.method.as_str(), template.shape)) {
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(operation);
                }
                std::collections::hash_map::Entry::Occupied(taken) => {
                    let message = format!(
                        "The same requests are matched by {} {} before it.",
                        operation.method,
                        quoted(&taken.get().path)
                    );
                    self.notes.fault(&operation.at, message, "");
                }
            }
        }
    }
}
