//! The fields of a record, taken one by one from its bytes. `None`: the bytes end before.

pub(crate) fn take_array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

pub(crate) fn take_time(rest: &mut &[u8]) -> Option<u64> {
    take_array(rest).map(u64::from_le_bytes)
}

pub(crate) fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = u16::from_le_bytes(take_array(rest)?);
    let (taken, left) = rest.split_at_checked(usize::from(length))?;
    *rest = left;
    std::str::from_utf8(taken).ok()
}
