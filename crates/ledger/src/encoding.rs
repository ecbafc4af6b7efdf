//! What all engines write alike.

use crate::LedgerError;
use lease::CounterId;

/// What stands for "never over": the largest number that doubles are exact to.
pub(crate) const FOREVER: u64 = (1 << 53) - 1;

/// Bytes of a counter.
pub(crate) const COUNTER: usize = 24;

pub(crate) fn write_counter(counter: &CounterId) -> [u8; COUNTER] {
    let mut bytes = [0; COUNTER];
    let (who, limit) = bytes.split_at_mut(16);
    who.copy_from_slice(&counter.who);
    limit.copy_from_slice(&counter.limit.to_le_bytes());
    bytes
}

pub(crate) fn read_counter(bytes: &[u8]) -> Option<CounterId> {
    let (who, limit) = bytes.split_first_chunk::<16>()?;
    Some(CounterId { who: *who, limit: u64::from_le_bytes(limit.try_into().ok()?) })
}

/// A number that no epoch had: 1 to 2^52.
pub(crate) fn new_epoch() -> Result<u64, LedgerError> {
    let random = getrandom::u64()
        .map_err(|error| LedgerError::Members(format!("no random number for the epoch: {error}")))?;
    Ok((random >> 12) + 1)
}

/// What a text is called by: FNV-1a.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
