//! The subject of a client's certificate as text (RFC 4514), safe for a header value.

use rustls::pki_types::CertificateDer;
use std::fmt::Write;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

/// Short names of attributes: those of RFC 4514 section 3, and the common e-mail address.
const SHORT: [(&str, &str); 11] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("2.5.4.5", "serialNumber"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];
/// A longer subject is omitted, because it would be in the head of every request.
const LONGEST: usize = 1024;

/// The subject. None: it cannot be parsed. The certificate was verified before.
pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Box<str>> {
    let (_, read) = X509Certificate::from_der(certificate).ok()?;
    let mut text = String::new();
    let parts: Vec<_> = read.subject().iter_rdn().collect();
    // RFC 4514 section 2.1: in reverse order.
    for part in parts.iter().rev() {
        if !text.is_empty() {
            text.push(',');
        }
        for (index, attribute) in part.iter().enumerate() {
            if index > 0 {
                text.push('+');
            }
            let id = attribute.attr_type().to_id_string();
            let short = SHORT.iter().find(|(known, _)| *known == id).map(|(_, short)| *short);
            text.push_str(short.unwrap_or(&id));
            text.push('=');
            escape(attribute.as_slice(), &mut text);
        }
    }
    // A truncated subject could be that of another certificate.
    (text.len() <= LONGEST).then(|| text.into())
}

/// RFC 4514 section 2.4; everything but visible ASCII is hex-escaped. So no value can look like several.
fn escape(value: &[u8], text: &mut String) {
    for (index, &byte) in value.iter().enumerate() {
        let is_edge = index == 0 || index + 1 == value.len();
        match byte {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' | b'=' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b'#' if index == 0 => text.push_str("\\#"),
            b' ' if is_edge => text.push_str("\\ "),
            b' '..=b'~' => text.push(char::from(byte)),
            other => {
                let _ = write!(text, "\\{other:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_can_look_like_several() {
        for (value, expected) in [
            (&b"Ada"[..], "Ada"),
            (b"Ada,O=Admins", "Ada\\,O\\=Admins"),
            (b"#1 ", "\\#1\\ "),
            (b" ", "\\ "),
            ("Zo\u{eb}\r\n".as_bytes(), "Zo\\C3\\AB\\0D\\0A"),
        ] {
            let mut text = String::new();
            escape(value, &mut text);
            assert_eq!(text, expected);
        }
    }
}
