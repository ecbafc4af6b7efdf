//! JSON instances for a validator, in the terms of JSON Schema.
//!
//! Most bodies are valid, and are dropped after the check. A [`Tree`] borrows its strings from the
//! body and hashes no names, which takes a third of the time of a [`serde_json::Value`]; generated
//! instances, such as parameters, are values. A [`Part`] is one or the other, and a [`Validator`]
//! handles both alike. The time limit is checked whenever it accesses a part.
//!
//! Validators are compiled only here: the compiler of `jsonschema` is generic over the type of its
//! instances, and instantiating it takes the Rust compiler half a minute.

mod divide;
mod part;
mod tree;
mod validator;
mod value;
pub mod work;

pub use divide::Divisor;
pub use part::{Instance, Items, ItemsIter, Members, MembersIter, Part, Seen};
pub use tree::{Tree, Unread};
pub use validator::{Options, Validator, compile, options};
pub use value::read_value;
