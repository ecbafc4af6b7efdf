//! Frames: how their headers are read and written (RFC 9113 section 4).

/// The first bytes of a client (RFC 9113 section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame header.
pub(crate) const HEAD: usize = 9;
/// The default maximum frame size, which is also the most that we accept and send.
pub(crate) const LARGEST: usize = 16_384;

/// Frame types.
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0x0;
    pub(crate) const HEADERS: u8 = 0x1;
    pub(crate) const PRIORITY: u8 = 0x2;
    pub(crate) const RST_STREAM: u8 = 0x3;
    pub(crate) const SETTINGS: u8 = 0x4;
    pub(crate) const PUSH_PROMISE: u8 = 0x5;
    pub(crate) const PING: u8 = 0x6;
    pub(crate) const GOAWAY: u8 = 0x7;
    pub(crate) const WINDOW_UPDATE: u8 = 0x8;
    pub(crate) const CONTINUATION: u8 = 0x9;
}

/// Frame flags.
pub(crate) mod flag {
    pub(crate) const END_STREAM: u8 = 0x1;
    pub(crate) const ACK: u8 = 0x1;
    pub(crate) const END_HEADERS: u8 = 0x4;
    pub(crate) const PADDED: u8 = 0x8;
    pub(crate) const PRIORITY: u8 = 0x20;
}

/// A frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) length: usize,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
}

impl Head {
    /// Reads the frame header at the front of `bytes`. None: it is not complete.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, kind, flags, s0, s1, s2, s3, ..] = *bytes else { return None };
        Some(Self {
            length: usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c),
            kind,
            flags,
            // The reserved bit is ignored (section 4.1).
            stream: u32::from_be_bytes([s0, s1, s2, s3]) & 0x7fff_ffff,
        })
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        // Lengths are below 2^24: no payload of ours is larger than LARGEST.
        let [_, length @ ..] = u32::try_from(self.length).unwrap_or(0).to_be_bytes();
        out.extend_from_slice(&length);
        out.extend_from_slice(&[self.kind, self.flags]);
        out.extend_from_slice(&self.stream.to_be_bytes());
    }

    pub(crate) const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A 32-bit number at the front of a payload.
pub(crate) fn number(payload: &[u8]) -> Option<u32> {
    payload.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// Removes the padding of a payload. None: the padding is longer than the payload.
pub(crate) fn unpad(head: Head, payload: &[u8]) -> Option<&[u8]> {
    if !head.has(flag::PADDED) {
        return Some(payload);
    }
    let (&padding, rest) = payload.split_first()?;
    rest.get(..rest.len().checked_sub(usize::from(padding))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_header_round_trips() {
        let head = Head { length: 16_384, kind: kind::DATA, flags: flag::END_STREAM, stream: 0x7fff_ffff };
        let mut out = Vec::new();
        head.write(&mut out);
        assert_eq!(out, [0, 0x40, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff]);
        assert_eq!(Head::read(&out), Some(head));
        assert_eq!(Head::read(&out[..8]), None);
        out[5] = 0xff;
        assert_eq!(Head::read(&out), Some(head));
    }

    /// Also for frames above the maximum size: reading such a length as a smaller one would take
    /// the payload for frames.
    #[test]
    fn a_length_has_three_bytes() {
        for (length, bytes) in
            [(0x1_0000, [1, 0, 0]), (0x12_3456, [0x12, 0x34, 0x56]), (0xff_ffff, [0xff; 3])]
        {
            let head = Head { length, kind: kind::DATA, flags: 0, stream: 1 };
            let mut out = Vec::new();
            head.write(&mut out);
            assert_eq!(out[..3], bytes);
            assert_eq!(Head::read(&out), Some(head));
        }
    }

    #[test]
    fn padding_is_taken_off_and_too_much_of_it_is_seen() {
        let head = Head { length: 0, kind: kind::DATA, flags: flag::PADDED, stream: 1 };
        assert_eq!(unpad(head, &[2, b'a', 0, 0]), Some(&b"a"[..]));
        assert_eq!(unpad(head, &[3, 0, 0, 0]), Some(&b""[..]));
        assert_eq!(unpad(head, &[4, 0, 0, 0]), None);
        assert_eq!(unpad(head, &[]), None);
        assert_eq!(unpad(Head { flags: 0, ..head }, &[9]), Some(&[9][..]));
    }
}
