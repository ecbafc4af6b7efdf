//! The indexing tables: the static one, and the dynamic one of a connection.

use std::collections::VecDeque;

/// RFC 7541 appendix A; the first entry has the index 1.
pub(crate) const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// The length of the longest name in the table.
const LONGEST_NAME: usize = 27;
static BY_LENGTH: ByLength = ByLength::new();

/// The entries of the static table by the length of their name, so that a name is compared with few others.
struct ByLength {
    places: [u8; STATIC.len()],
    /// Where the entries of each length begin in `places`; the last is the end.
    start: [u8; LONGEST_NAME + 2],
}

impl ByLength {
    #[allow(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "computed when it is compiled: a wrong index does not compile, and there are 61 places"
    )]
    const fn new() -> Self {
        let mut by_length = Self { places: [0; STATIC.len()], start: [0; LONGEST_NAME + 2] };
        let (mut length, mut filled) = (0, 0);
        while length <= LONGEST_NAME {
            by_length.start[length] = filled as u8;
            let mut place = 0;
            while place < STATIC.len() {
                if STATIC[place].0.len() == length {
                    by_length.places[filled] = place as u8;
                    filled += 1;
                }
                place += 1;
            }
            length += 1;
        }
        by_length.start[length] = filled as u8;
        assert!(filled == STATIC.len());
        by_length
    }
}

/// Index and value of each entry of [`STATIC`] with this name, in order.
pub(crate) fn known(name: &[u8]) -> impl Iterator<Item = (usize, &'static [u8])> {
    let bound = |length: usize| BY_LENGTH.start.get(length).copied().map_or(STATIC.len(), usize::from);
    let places = BY_LENGTH.places.get(bound(name.len())..bound(name.len() + 1)).unwrap_or_default();
    places.iter().filter_map(move |&place| {
        let (known, value) = STATIC.get(usize::from(place))?;
        // Most names of one length differ in their last byte.
        let is_it = known.as_bytes().last() == name.last() && known.as_bytes() == name;
        is_it.then(|| (usize::from(place) + 1, value.as_bytes()))
    })
}

/// The dynamic table (RFC 7541 section 2.3.2). The newest entry comes first.
#[derive(Debug)]
pub(crate) struct Dynamic {
    entries: VecDeque<Entry>,
    size: usize,
    most: usize,
}

#[derive(Debug)]
struct Entry {
    /// Name, then value.
    bytes: Box<[u8]>,
    name: usize,
}

impl Entry {
    fn size(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }
}

/// The overhead of an entry (RFC 7541 section 4.1).
pub(crate) const OVERHEAD: usize = 32;

impl Dynamic {
    pub(crate) const fn new(most: usize) -> Self {
        Self { entries: VecDeque::new(), size: 0, most }
    }

    /// The entry with this index, starting at 0.
    pub(crate) fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let entry = self.entries.get(index)?;
        entry.bytes.split_at_checked(entry.name)
    }

    pub(crate) fn insert(&mut self, name: &[u8], value: &[u8]) {
        let bytes: Box<[u8]> = [name, value].concat().into();
        let entry = Entry { bytes, name: name.len() };
        let size = entry.size();
        // An entry that is larger than the table empties it (section 4.4).
        self.evict(self.most.saturating_sub(size));
        if size <= self.most {
            self.size += size;
            self.entries.push_front(entry);
        }
    }

    pub(crate) fn resize(&mut self, most: usize) {
        self.most = most;
        self.evict(most);
    }

    fn evict(&mut self, most: usize) {
        while self.size > most
            && let Some(oldest) = self.entries.pop_back()
        {
            self.size -= oldest.size();
        }
        if self.entries.is_empty() {
            self.size = 0;
        }
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.size
    }
}
