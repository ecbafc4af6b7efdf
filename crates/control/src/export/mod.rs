//! The file that a store is exported to: lines of JSON, the first of which says what it is, and the last that it is whole.
//!
//! Counters come first, so that whoever imports the file has them before the keys that they are of. Keys and counters are in the
//! order of their digests, so that neighbours share pages.

mod hex;

pub use hex::Hex;

use contract::limit::{Class, Tag};
use hex::{of_hex, to_hex};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    io::{self, BufRead, Read, Write},
    path::PathBuf,
};
use store::{IncidentGroup, IncidentRecord, KeyRecord, MaintenanceWindow, UsageCell, UsagePlace};
use usage::{Grain, Tally};

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 1;
/// No line of an export is longer.
const LONGEST_LINE: u64 = 16 << 20;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The format.
    pub fairgate_export: u32,
    /// The version of the Fairgate that wrote it.
    pub version: String,
    /// What was exported.
    pub from: Source,
    /// When, in seconds since the Unix epoch.
    pub exported_at: u64,
    /// The file of the secret that the keys' digests were made with.
    pub secret_file: PathBuf,
    /// What tells that secret from others. It says nothing about the secret.
    pub secret_fingerprint: Hex<32>,
}

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The store of a single gateway.
    Store,
    /// The records of a cluster.
    Cluster,
}

/// A line between the first and the last.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// What was used of a limit.
    Counter(Counter),
    /// A key.
    Key(Key),
    /// A window of maintenance.
    Maintenance(MaintenanceWindow),
    /// How many incidents a cause had, those included that were not kept.
    Cause(Cause),
    /// An incident, the oldest coming first.
    Incident(IncidentRecord),
    /// Usage.
    Usage(Usage),
    /// The last line.
    End(End),
}

/// What was used of one limit in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Whose: the first half of the digest of a key, or of an address.
    pub who: Hex<16>,
    /// Which limit.
    pub tag: u32,
    /// The number of the window.
    pub window: u32,
    /// Units.
    pub units: u32,
    /// The Unix second of the last charge.
    pub at: u64,
}

/// A key. Times are seconds since the Unix epoch.
#[derive(Clone, Serialize, Deserialize)]
pub struct Key {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    plan: String,
    permissions: Vec<String>,
    limits: Vec<String>,
    created_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at: Option<u64>,
    imported: bool,
    preview: String,
    digest: Hex<32>,
}

/// What was counted of a cause of incidents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The cause.
    pub cause: String,
    /// How many incidents there were.
    pub count: u64,
    /// When the first one was, in milliseconds since the Unix epoch.
    pub first_millis: u64,
}

/// A tally of usage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Where it is kept.
    #[serde(flatten)]
    pub place: UsagePlace,
    /// Its bytes, as hexadecimal digits.
    tally: String,
}

/// The last line: without it, or with another one, a part is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// All lines before it.
    pub lines: u64,
    /// The CRC-32 of their bytes.
    pub crc32: u32,
}

/// How much of each a file has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Keys.
    pub keys: u64,
    /// Windows of maintenance.
    pub maintenance: u64,
    /// Incidents.
    pub incidents: u64,
    /// Days of which there is usage.
    pub usage_days: u64,
    /// Counters of limits.
    pub counters: u64,
    #[serde(skip)]
    days: BTreeSet<u32>,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system does not read it.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("it is not an export of Fairgate: line 1 has to say `fairgate_export`")]
    NotAnExport,
    /// It is of another version.
    #[error(
        "it has the format {found}, and this Fairgate takes format {FORMAT}: use a Fairgate of the version {version}"
    )]
    OtherFormat {
        /// Its format.
        found: u64,
        /// The version that wrote it.
        version: String,
    },
    /// A line is not what was written.
    #[error("line {line} is damaged ({why}): export it again, or copy the file again")]
    Damaged {
        /// Which line; the first is 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// It ends before its last line.
    #[error(
        "it is truncated: it ends with line {line}, which is not its last: export it again, or copy the file again"
    )]
    Truncated {
        /// The last line that is there.
        line: u64,
    },
}

/// Writes a file.
pub struct Writer<W> {
    out: W,
    seal: Seal,
    counts: Counts,
}

/// Reads a file.
pub struct Reader<R> {
    input: R,
    seal: Seal,
    counts: Counts,
    line: Vec<u8>,
}

/// What the last line says of those before it.
#[derive(Clone, Default)]
struct Seal {
    lines: u64,
    crc: crc32fast::Hasher,
}

// === impl Seal ===

impl Seal {
    fn add(&mut self, line: &[u8]) {
        self.lines += 1;
        self.crc.update(line);
    }

    fn end(&self) -> End {
        End { lines: self.lines, crc32: self.crc.clone().finalize() }
    }
}

// === impl Writer ===

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self { out, seal: Seal::default(), counts: Counts::default() };
        writer.write(header)?;
        Ok(writer)
    }

    /// Writes a line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn line(&mut self, line: &Line) -> io::Result<()> {
        self.counts.add(line);
        self.write(line)
    }

    /// Writes the last line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> io::Result<(W, Counts)> {
        let end = Line::End(self.seal.end());
        self.write(&end)?;
        self.out.flush()?;
        Ok((self.out, self.counts))
    }

    fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(value)?;
        bytes.push(b'\n');
        self.seal.add(&bytes);
        self.out.write_all(&bytes)
    }
}

// === impl Reader ===

impl<R: BufRead> Reader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// It is not an export, or of another format.
    pub fn begin(input: R) -> Result<(Self, Header), ReadError> {
        let mut reader = Self { input, seal: Seal::default(), counts: Counts::default(), line: Vec::new() };
        reader.read()?;
        let value: serde_json::Value =
            serde_json::from_slice(&reader.line).map_err(|_| ReadError::NotAnExport)?;
        let found = value.get("fairgate_export").and_then(serde_json::Value::as_u64);
        let found = found.ok_or(ReadError::NotAnExport)?;
        if found != u64::from(FORMAT) {
            let version =
                value.get("version").and_then(|version| version.as_str()).unwrap_or("that wrote it");
            return Err(ReadError::OtherFormat { found, version: version.to_owned() });
        }
        let header = serde_json::from_value(value)
            .map_err(|error| ReadError::Damaged { line: 1, why: error.to_string() })?;
        reader.seal.add(&reader.line);
        Ok((reader, header))
    }

    /// The next line. None: that was all, and it is whole.
    ///
    /// # Errors
    /// The file is damaged or truncated.
    pub fn next_line(&mut self) -> Result<Option<Line>, ReadError> {
        self.read()?;
        let at = self.seal.lines + 1;
        if self.line.last() != Some(&b'\n') {
            return Err(ReadError::Truncated { line: at - u64::from(self.line.is_empty()) });
        }
        let line = serde_json::from_slice(&self.line)
            .map_err(|error| ReadError::Damaged { line: at, why: error.to_string() })?;
        if let Line::End(end) = line {
            let damaged = |line, why: &str| Err(ReadError::Damaged { line, why: why.to_owned() });
            if end != self.seal.end() {
                return damaged(at, "its checksum is not that of the lines before it");
            }
            self.read()?;
            return if self.line.is_empty() { Ok(None) } else { damaged(at + 1, "it comes after the end") };
        }
        self.seal.add(&self.line);
        self.counts.add(&line);
        Ok(Some(line))
    }

    /// What was read, and the checksum of the lines up to here.
    pub fn counts(&self) -> (&Counts, End) {
        (&self.counts, self.seal.end())
    }

    fn read(&mut self) -> io::Result<()> {
        self.line.clear();
        self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
        Ok(())
    }
}

// === impl Counts ===

impl Counts {
    fn add(&mut self, line: &Line) {
        match line {
            Line::Counter(_) => self.counters += 1,
            Line::Key(_) => self.keys += 1,
            Line::Maintenance(_) => self.maintenance += 1,
            Line::Cause(_) | Line::End(_) => {}
            Line::Incident(_) => self.incidents += 1,
            Line::Usage(usage) => {
                if usage.place.grain == Grain::Day {
                    self.days.insert(usage.place.bucket);
                    self.usage_days = self.days.len() as u64;
                }
            }
        }
    }
}

// === impl Counter ===

impl Counter {
    /// A row of the journal.
    pub fn of_row(row: journal::Row, second: u32) -> Self {
        Self { who: Hex(row.who), tag: row.tag, window: row.window, units: row.units, at: second.into() }
    }

    /// How long it is worth keeping.
    pub fn class(&self) -> Class {
        Tag(self.tag).class()
    }
}

// === impl Key ===

impl From<KeyRecord> for Key {
    fn from(key: KeyRecord) -> Self {
        Self {
            id: key.id,
            name: key.name,
            plan: key.plan,
            permissions: key.permissions,
            limits: key.limits,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            imported: key.imported,
            preview: key.preview,
            digest: Hex(key.digest),
        }
    }
}

impl From<Key> for KeyRecord {
    fn from(key: Key) -> Self {
        Self {
            id: key.id,
            name: key.name,
            plan: key.plan,
            permissions: key.permissions,
            limits: key.limits,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            imported: key.imported,
            preview: key.preview,
            digest: key.digest.0,
        }
    }
}

impl Key {
    /// HMAC-SHA-256 of the key under the store's secret.
    pub const fn digest(&self) -> Hex<32> {
        self.digest
    }
}

// === impl Cause ===

impl From<&IncidentGroup> for Cause {
    fn from(group: &IncidentGroup) -> Self {
        Self { cause: group.cause.clone(), count: group.count, first_millis: group.first_millis }
    }
}

// === impl Usage ===

impl From<UsageCell> for Usage {
    fn from(cell: UsageCell) -> Self {
        Self { place: cell.place, tally: to_hex(&cell.tally.to_bytes()) }
    }
}

impl TryFrom<Usage> for UsageCell {
    type Error = &'static str;

    fn try_from(usage: Usage) -> Result<Self, &'static str> {
        let tally = of_hex(&usage.tally).and_then(|bytes| Tally::from_bytes(&bytes).ok());
        Ok(Self { place: usage.place, tally: tally.ok_or("it is no tally of usage")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            fairgate_export: FORMAT,
            version: "0.1.0".into(),
            from: Source::Store,
            exported_at: 1,
            secret_file: "data/secret".into(),
            secret_fingerprint: Hex([7; 32]),
        }
    }

    fn counter(units: u32) -> Counter {
        Counter { who: Hex([0xab; 16]), tag: 5, window: 6, units, at: 7 }
    }

    fn file() -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
        for units in 1..=3 {
            writer.line(&Line::Counter(counter(units))).unwrap();
        }
        writer.finish().unwrap().0
    }

    fn read(bytes: &[u8]) -> Result<Vec<u32>, ReadError> {
        let (mut reader, head) = Reader::begin(bytes)?;
        assert_eq!(head, header());
        let mut units = vec![];
        while let Some(line) = reader.next_line()? {
            let Line::Counter(counter) = line else { panic!("no other line was written") };
            units.push(counter.units);
        }
        assert_eq!(reader.counts().0.counters, units.len() as u64);
        Ok(units)
    }

    #[test]
    fn a_file_reads_back_as_it_was_written() {
        assert_eq!(read(&file()).unwrap(), [1, 2, 3]);
        assert!(String::from_utf8(file()).unwrap().contains("\"who\":\"abababab"));
    }

    #[test]
    fn a_file_that_is_cut_anywhere_is_not_whole() {
        let whole = file();
        for length in 0..whole.len() {
            let said = read(&whole[..length]).unwrap_err().to_string();
            assert!(said.contains("truncated") || said.contains("is not an export"), "{length}: {said}");
        }
    }

    #[test]
    fn a_changed_file_is_damaged_and_the_line_is_told() {
        let text = String::from_utf8(file()).unwrap();
        let said = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
        assert!(said(&text.replace("\"units\":2", "\"units\":9")).contains("line 5 is damaged"));
        assert!(said(&text.replace("\"units\":2", "\"units\":-2")).contains("line 3 is damaged"));
        assert!(said(&format!("{text}more\n")).contains("line 6 is damaged"));
        let other = text.replace("\"fairgate_export\":1", "\"fairgate_export\":2");
        assert!(said(&other).contains("format 2, and this Fairgate takes format 1"));
        assert!(said("{}\n").contains("is not an export"));
        assert!(said("").contains("is not an export"));
    }
}
