//! A list of header fields in one allocation.

/// Header fields in the order of their arrival, including pseudo-header fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    bytes: Vec<u8>,
    /// Lengths of name and value.
    lengths: Vec<(u32, u32)>,
    is_too_large: bool,
}

impl Fields {
    /// An empty list with capacity for most messages, so that it rarely grows.
    pub(crate) fn with_room() -> Self {
        Self { bytes: Vec::with_capacity(512), lengths: Vec::with_capacity(16), is_too_large: false }
    }

    /// Bytes of all names and values.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The number of fields.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.lengths.len()
    }

    /// Name and value of each field.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.lengths.iter().map(move |&(name, value)| {
            let (name, behind) = rest.split_at_checked(name as usize).unwrap_or_default();
            let (value, behind) = behind.split_at_checked(value as usize).unwrap_or_default();
            rest = behind;
            (name, value)
        })
    }

    /// The list exceeded its limit: only its beginning was kept.
    #[must_use]
    pub const fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// Appends a field.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        // Lists are far smaller than 4 GiB.
        self.lengths.push((name.len() as u32, value.len() as u32));
    }

    pub(crate) const fn cut(&mut self) {
        self.is_too_large = true;
    }
}

impl<'f> FromIterator<(&'f [u8], &'f [u8])> for Fields {
    fn from_iter<I: IntoIterator<Item = (&'f [u8], &'f [u8])>>(from: I) -> Self {
        let mut fields = Self::default();
        for (name, value) in from {
            fields.push(name, value);
        }
        fields
    }
}
