//! Finds the end of a head while it arrives, and refuses early what cannot become a valid one.

use super::Fault;

/// The progress of scanning a head. Each byte is scanned once, however slowly bytes arrive.
#[derive(Debug, Default)]
pub struct HeadScanner {
    scanned: usize,
    line_start: usize,
    /// Complete lines.
    line_number: usize,
}

impl HeadScanner {
    /// No byte was scanned yet.
    pub const fn is_untouched(&self) -> bool {
        self.scanned == 0
    }

    /// The length of the head including its empty line, once it is complete in `bytes`.
    ///
    /// `bytes` must begin at the request line and grow from call to call.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, Fault> {
        if self.scanned == 0 && !bytes.first().is_none_or(u8::is_ascii_uppercase) {
            return Err(Fault::malformed(
                "The bytes received are not an HTTP/1.1 request, which begins with a method in upper case. If this is a TLS connection, note that this address speaks plain HTTP.",
            ));
        }
        let start = self.scanned;
        for found in memchr::memchr_iter(b'\n', bytes.get(start..).unwrap_or_default()) {
            let line_end = start + found;
            let line = bytes.get(self.line_start..line_end).unwrap_or_default();
            if line.last() != Some(&b'\r') {
                self.line_number += 1;
                return Err(Fault::at(format!(
                    "Line {} of the request ends in a bare line feed; lines must end in CR LF.",
                    self.line_number
                )));
            }
            self.scanned = line_end + 1;
            self.line_start = self.scanned;
            self.line_number += 1;
            // Of another protocol, the first line is all that comes: nothing more is waited for, and parsing says what is wrong.
            let is_foreign = self.line_number == 1 && !names_http(line);
            if line.len() == 1 || is_foreign {
                return Ok(Some(self.scanned));
            }
        }
        self.scanned = bytes.len();
        Ok(None)
    }
}

/// Whether a line ends in a version of HTTP and a carriage return.
fn names_http(line: &[u8]) -> bool {
    line.len().checked_sub(10).and_then(|at| line.get(at..at + 6)) == Some(b" HTTP/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_however_the_bytes_arrive() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
        assert_eq!(HeadScanner::default().scan(head), Ok(Some(head.len() - 4)));
        let mut scanner = HeadScanner::default();
        for length in 0..head.len() - 4 {
            assert_eq!(scanner.scan(&head[..length]), Ok(None), "{length}");
        }
        assert_eq!(scanner.scan(head), Ok(Some(head.len() - 4)));
    }

    #[test]
    fn a_first_line_of_another_protocol_is_a_whole_head() {
        for line in [&b"SSH-2.0-OpenSSH_9\r\n"[..], b"EHLO x\r\n", b"GET /\r\n", b"GET / HTTP/1.1 \r\n"] {
            assert_eq!(HeadScanner::default().scan(line), Ok(Some(line.len())), "{line:?}");
        }
        for line in [&b"GET / HTTP/1.0\r\n"[..], b"PRI * HTTP/2.0\r\n", b"EHLO x\r"] {
            assert_eq!(HeadScanner::default().scan(line), Ok(None), "{line:?}");
        }
    }

    #[test]
    fn bytes_that_can_never_be_a_head_are_refused_at_once() {
        for bytes in [&b"\x16\x03\x01"[..], b"get / HTTP/1.1\r\n", b"\0", b" GET", b"GET / HTTP/1.1\n"] {
            assert!(HeadScanner::default().scan(bytes).is_err(), "{bytes:?}");
        }
    }
}
