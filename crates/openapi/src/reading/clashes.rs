//! What operations should not have in common, identifiers, and may not: paths that match the same requests.

use super::{Reader, template::Template};
use crate::{api::Operation, documents::Place, text::quoted};
use std::collections::{HashMap, HashSet, hash_map::Entry};

impl Reader<'_> {
    /// Notes operations that have the same `operationId`, or the same method and shape of path.
    pub(super) fn clashes(&mut self, operations: &[Operation]) {
        let mut ids: HashMap<&str, &Place> = HashMap::new();
        let mut reported: HashSet<&Place> = HashSet::new();
        let mut shapes: HashMap<(&str, String), &Operation> = HashMap::new();
        for operation in operations {
            if let Some(id) = &operation.id {
                let first = ids.entry(id).or_insert(&operation.at);
                // An operation on several base paths is one operation.
                if **first != operation.at && reported.insert(&operation.at) {
                    // No request needs it. Who names it in the configuration is asked which one is meant.
                    let message = format!(
                        "The operationId {} is used by more than one operation: the configuration can refer to each only by its method and path.",
                        quoted(id)
                    );
                    self.notes.warn(&operation.at.child("operationId"), message);
                }
            }
            let Ok(template) = Template::parse(&operation.path) else { continue };
            match shapes.entry((operation.method.as_str(), template.shape)) {
                Entry::Vacant(free) => {
                    free.insert(operation);
                }
                Entry::Occupied(taken) => {
                    let message = format!(
                        "The same requests already match {} {}.",
                        operation.method,
                        quoted(&taken.get().path)
                    );
                    let help = "Templates that differ only in parameter names are the same; keep only one.";
                    self.notes.fault(&operation.at, message, help);
                }
            }
        }
    }
}
