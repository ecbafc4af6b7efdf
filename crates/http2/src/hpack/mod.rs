//! HPACK (RFC 7541): header fields as they stand in frames.

mod decoder;
mod encoder;
mod fields;
mod huffman;
mod integer;
mod tables;

#[cfg(test)]
mod appendix;

pub use decoder::{Decoder, Undecodable};
pub use encoder::Encoder;
pub use fields::Fields;
