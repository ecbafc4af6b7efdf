//! HPACK (RFC 7541): the encoding of header fields in frames.

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
