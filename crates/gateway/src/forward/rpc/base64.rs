//! Base64 in gRPC-Web: chunks of any length, each possibly with its own padding.

use super::frames::Frames;

/// Bits that do not form a whole byte yet.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    bits: u32,
    count: u32,
    is_broken: bool,
}

impl Base64 {
    /// Decodes a part of the text into `frames`.
    pub(super) fn read(&mut self, text: &[u8], frames: &mut Frames) {
        let mut bytes = [0; 512];
        let mut length = 0;
        for &character in text {
            let Some(value) = value(character) else {
                match character {
                    // Padding ends a chunk: the next one begins anew.
                    b'=' => (self.bits, self.count) = (0, 0),
                    b'\r' | b'\n' | b' ' | b'\t' => {}
                    _ => self.is_broken = true,
                }
                continue;
            };
            self.bits = (self.bits << 6 | value) & 0xffff;
            self.count += 6;
            if self.count >= 8 {
                self.count -= 8;
                if let Some(place) = bytes.get_mut(length) {
                    *place = (self.bits >> self.count & 0xff) as u8;
                    length += 1;
                }
                if length == bytes.len() {
                    frames.read(&bytes);
                    length = 0;
                }
            }
        }
        frames.read(bytes.get(..length).unwrap_or_default());
        if self.is_broken {
            frames.give_up();
        }
    }
}

const fn value(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value as u32)
}
