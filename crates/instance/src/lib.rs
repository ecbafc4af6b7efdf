//! JSON as a validator is given it: an instance, as JSON Schema calls what a schema is held against.
//!
//! Most bodies are right, and are read and dropped again. A [`Tree`] borrows its texts from the body and hashes no names,
//! which takes a third of the time of a [`serde_json::Value`]; what was made here, of a parameter say, is a value. A [`Part`] is
//! one or the other, and a [`Validator`] sees no difference. How long it may work is asked wherever it looks at a part.
//!
//! Validators are compiled here and nowhere else: the compiler of `jsonschema` is made for the kind of its instances, and to
//! make it takes the Rust compiler half a minute.

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
