//! The enriched document as bytes.

use serde_json::Value;

/// Documents that are larger are written without line breaks: nobody reads them, and a third of
/// them would be spaces.
const MAX_PRETTY_SIZE: usize = 5 << 20;

/// As JSON, made for reading unless it is large.
pub fn to_json(document: &Value) -> Vec<u8> {
    let mut compact = Vec::new();
    // A value whose keys are strings cannot fail to be written into memory; should that ever change,
    // half a document must not go out.
    if serde_json::to_writer(&mut compact, document).is_err() {
        return b"{}\n".to_vec();
    }
    if compact.len() <= MAX_PRETTY_SIZE {
        let mut pretty = Vec::with_capacity(compact.len() * 2);
        if serde_json::to_writer_pretty(&mut pretty, document).is_ok() {
            compact = pretty;
        }
    }
    compact.push(b'\n');
    compact
}

/// As YAML. Strings that a reader of YAML 1.1 would take for something else are quoted.
pub fn to_yaml(document: &Value) -> Vec<u8> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let mut text = String::new();
    if serde_saphyr::to_fmt_writer_with_options(&mut text, document, options).is_err() {
        // JSON is YAML as well.
        return to_json(document);
    }
    text.into_bytes()
}
