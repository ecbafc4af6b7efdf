//! The secret under which keys are digested: 64 hexadecimal digits in a file of their own.
//!
//! It lives beside the database, not in it, so that a copy of the database alone does not let
//! anybody try keys against the digests.

use crate::{StoreError, folder, random};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{fmt, io, path::Path};

/// The secret. It is never shown, neither by `Debug` nor in an error.
#[derive(Clone)]
pub struct Secret {
    bytes: [u8; 32],
    /// Has taken the secret in, which is half the work of a digest.
    keyed: Hmac<Sha256>,
}

impl Secret {
    /// The secret of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes, keyed: <Hmac<Sha256> as KeyInit>::new(&hmac_key(&bytes)) }
    }

    /// HMAC-SHA-256 of a key.
    ///
    /// Keys are random, so a slow hash would protect nothing and only let strangers load us.
    pub fn digest(&self, key: &[u8]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(key);
        mac.finalize().into_bytes().into()
    }

    /// The bytes themselves, for whoever computes many digests in a way of its own.
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// What the database remembers of the secret, to notice another one. Useless for digests.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.digest(b"fairgate: fingerprint of the secret\n")
    }

    /// Reads the file. None: there is none.
    ///
    /// # Errors
    /// It cannot be read, or is no secret.
    pub fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", path, error)),
        };
        let bytes = from_hex(text.trim_ascii_end());
        let bytes = bytes.ok_or_else(|| StoreError::SecretDamaged { path: path.into() })?;
        folder::make_private(path)?;
        Ok(Some(Self::from_bytes(bytes)))
    }

    /// Makes a new secret and writes its file, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let secret = Self::from_bytes(random::bytes()?);
        secret.save(path)?;
        Ok(secret)
    }

    /// Writes its file, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), StoreError> {
        let mut text = String::with_capacity(65);
        for byte in self.bytes {
            text.push_str(&format!("{byte:02x}"));
        }
        text.push('\n');
        folder::write_whole(path, text.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

fn hmac_key(bytes: &[u8; 32]) -> hmac::digest::Key<Hmac<Sha256>> {
    // A key shorter than the hash's block is filled up with zeros: RFC 2104, section 2.
    let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
    for (place, byte) in key.iter_mut().zip(bytes) {
        *place = *byte;
    }
    key
}

fn from_hex(text: &[u8]) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let mut value = 0;
        for &digit in pair {
            value = value << 4 | char::from(digit).to_digit(16)?;
        }
        *place = u8::try_from(value).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_hmac_sha_256() {
        // RFC 4231, test case 2, has a shorter key; this is its algorithm with the key filled up to 32 bytes.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let digest = Secret::from_bytes(key).digest(b"what do ya want for nothing?");
        let told = b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(Some(digest), from_hex(told));
    }

    #[test]
    fn debug_gives_nothing_away() {
        assert_eq!(format!("{:?}", Secret::from_bytes([7; 32])), "Secret(…)");
    }

    #[test]
    fn only_64_hexadecimal_digits_are_a_secret() {
        assert!(from_hex(&[b'a'; 64]).is_some());
        assert!(from_hex(&[b'A'; 64]).is_some());
        for wrong in [&[b'a'; 63][..], &[b'a'; 65], &[b'g'; 64], b"", &[0xff; 64]] {
            assert!(from_hex(wrong).is_none());
        }
    }
}
