//! The raw configuration: tables of TOML with their places, read key by key through the registry.
//!
//! Every reading method records its fault and continues, so that one run finds all faults. What it
//! returns after a fault is a placeholder: with a fault, no valid configuration is made.

use super::{
    fault::{Fault, MAX_KEPT},
    registry::{Absent, Form, Key, Rows, Shape, Table},
    unknown,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    ops::Range,
};
use toml::de::{DeTable, DeValue};

/// Warnings past this number are counted, but not kept.
const MAX_WARNINGS: usize = 100;

/// Collects what one reading of a file finds.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) source: &'a str,
    rows: Rows,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<String>>,
    more_warnings: Cell<usize>,
    read: RefCell<BTreeSet<(Table, &'static str)>>,
}

/// One table of the file, or the place where it is missing.
#[derive(Debug, Clone)]
pub(super) struct Section<'a> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) table: Table,
    /// None: the file does not have the table.
    map: Option<&'a DeTable<'a>>,
    /// The table's header, or the end of the file.
    pub(super) place: Range<usize>,
    /// The table has the wrong form, so what it lacks need not be reported.
    is_broken: bool,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    /// Of a default: the place of its table.
    pub(super) span: Range<usize>,
}

/// Why a value is refused, by the function that tried to read it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) title: String,
    pub(super) label: String,
    pub(super) help: Option<String>,
    /// The value has another type than its key expects.
    is_of_type: bool,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a str, rows: Rows) -> Self {
        Self {
            source,
            rows,
            faults: RefCell::default(),
            warnings: RefCell::default(),
            more_warnings: Cell::new(0),
            read: RefCell::default(),
        }
    }

    pub(super) fn fault(&self, fault: Fault) {
        if !self.is_full() {
            self.faults.borrow_mut().push(fault);
        }
    }

    /// Whether no more faults are kept, so that none need be explained.
    pub(super) fn is_full(&self) -> bool {
        self.faults.borrow().len() >= MAX_KEPT
    }

    pub(super) fn warn(&self, warning: String) {
        if self.warnings.borrow().len() < MAX_WARNINGS {
            self.warnings.borrow_mut().push(warning);
        } else {
            self.more_warnings.set(self.more_warnings.get() + 1);
        }
    }

    /// Warns of what matters more than all that was warned of before.
    pub(super) fn warn_first(&self, warning: String) {
        self.warnings.borrow_mut().insert(0, warning);
    }

    /// What was found: faults, warnings, and the keys that were asked for.
    pub(super) fn finish(self) -> (Vec<Fault>, Vec<String>, BTreeSet<(Table, &'static str)>) {
        let mut warnings = self.warnings.into_inner();
        match self.more_warnings.get() {
            0 => {}
            1 => warnings.push("1 more warning is not shown: fix some of these first.".to_owned()),
            more => warnings.push(format!("{more} more warnings are not shown: fix some of these first.")),
        }
        (self.faults.into_inner(), warnings, self.read.into_inner())
    }

    /// The line of a place, for warnings.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.source.bytes().take(span.start).filter(|&byte| byte == b'\n').count() + 1
    }

    /// The place of a part of a string value. TOML may have written it with escapes; then the part
    /// is not known, and it is the whole.
    pub(super) fn part(&self, whole: &At<String>, part: Range<usize>) -> Range<usize> {
        let (start, end) = (whole.span.start + 1, whole.span.end.saturating_sub(1));
        if self.source.get(start..end) == Some(whole.value.as_str()) {
            start + part.start..(start + part.end).min(end)
        } else {
            whole.span.clone()
        }
    }

    /// The place of what is missing because the file ends: the last words of the file.
    fn end(&self) -> Range<usize> {
        let end = self.source.trim_end().len();
        end..end
    }
}

// === impl Refusal ===

impl Refusal {
    pub(super) fn new(title: impl Into<String>, label: impl Into<String>, help: impl Into<String>) -> Self {
        Self { title: title.into(), label: label.into(), help: Some(help.into()), is_of_type: false }
    }

    fn wrong_type(name: &str, expected: &str, found: &DeValue<'_>, example: &str) -> Self {
        let text = match found {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let refusal = Self::new(
            format!("`{name}` has the wrong type"),
            format!("expected {expected}, found {text}"),
            format!("write it like this: {name} = {example}"),
        );
        Self { is_of_type: true, ..refusal }
    }

    pub(super) fn into_fault(self, span: Range<usize>) -> Fault {
        let fault = Fault::at(span, self.title).label(self.label);
        match self.help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}

// === impl Section ===

impl<'a> Section<'a> {
    /// The top of the file.
    pub(super) fn top(reader: &'a Reader<'a>, map: &'a DeTable<'a>) -> Self {
        Self::open(reader, Table::Top, Some(map), reader.end())
    }

    fn open(reader: &'a Reader<'a>, table: Table, map: Option<&'a DeTable<'a>>, place: Range<usize>) -> Self {
        if let Some(map) = map {
            for fault in unknown::faults(reader.rows, table, map) {
                if reader.is_full() {
                    break;
                }
                reader.fault(fault);
            }
        }
        Self { reader, table, map, place, is_broken: false }
    }

    /// The table of this kind; its place is the end of the file if it is missing.
    pub(super) fn once(&self, table: Table) -> Section<'a> {
        let found = self.map.and_then(|map| map.get_key_value(table.name()));
        let Some((key, value)) = found else {
            return Self::open(self.reader, table, None, self.reader.end());
        };
        if let DeValue::Table(map) = value.get_ref() {
            return Self::open(self.reader, table, Some(map), value.span());
        }
        self.reader.fault(self.no_table(table, key.span(), value.get_ref()));
        Self { reader: self.reader, table, map: None, place: value.span(), is_broken: true }
    }

    /// The tables `[NAME.…]` in the order of the file, with their names.
    pub(super) fn named(&self, table: Table) -> Vec<(At<String>, Section<'a>)> {
        let Some((key, value)) = self.map.and_then(|map| map.get_key_value(table.name())) else {
            return Vec::new();
        };
        let DeValue::Table(tables) = value.get_ref() else {
            self.reader.fault(self.no_table(table, key.span(), value.get_ref()));
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, value) in tables {
            let name_at = At { value: name.get_ref().to_string(), span: name.span() };
            if let DeValue::Table(map) = value.get_ref() {
                found.push((name_at, Self::open(self.reader, table, Some(map), value.span())));
            } else {
                self.reader.fault(self.no_table(table, name.span(), value.get_ref()));
            }
        }
        found.sort_by_key(|(name, _)| name.span.start);
        found
    }

    /// The tables `[[…]]` in the order of the file.
    pub(super) fn many(&self, table: Table) -> Vec<Section<'a>> {
        let Some((key, value)) = self.map.and_then(|map| map.get_key_value(table.name())) else {
            return Vec::new();
        };
        let DeValue::Array(tables) = value.get_ref() else {
            self.reader.fault(self.no_table(table, key.span(), value.get_ref()));
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in tables {
            if let DeValue::Table(map) = item.get_ref() {
                found.push(Self::open(self.reader, table, Some(map), item.span()));
            } else {
                self.reader.fault(self.no_table(table, item.span(), item.get_ref()));
            }
        }
        found
    }

    /// Whether the file sets this key.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.map.is_some_and(|map| map.contains_key(key.name))
    }

    /// Whether the file has a table of this kind, in whatever form.
    pub(super) fn has_table(&self, table: Table) -> bool {
        self.map.is_some_and(|map| map.contains_key(table.name()))
    }

    /// The place of the name of a table in this one.
    pub(super) fn table_place(&self, table: Table) -> Option<Range<usize>> {
        self.map.and_then(|map| map.get_key_value(table.name())).map(|(name, _)| name.span())
    }

    /// Whether the file sets this key to an empty list.
    pub(super) fn is_empty_list(&self, key: &Key) -> bool {
        let value = self.map.and_then(|map| map.get(key.name));
        value.and_then(|value| value.get_ref().as_array()).is_some_and(|list| list.is_empty())
    }

    /// The place of the key itself, for faults that are about its being there at all.
    pub(super) fn key_place(&self, key: &Key) -> Range<usize> {
        let found = self.map.and_then(|map| map.get_key_value(key.name));
        found.map_or_else(|| self.place.clone(), |(name, _)| name.span())
    }

    /// Notes that a key is missing which this file cannot do without.
    pub(super) fn need(&self, key: &Key) {
        if !self.is_broken && !self.has(key) {
            self.reader.fault(self.missing(key));
        }
    }

    /// Reads a value by `convert`. None: it is absent without a default, or a fault was noted.
    pub(super) fn value<T>(
        &self,
        key: &Key,
        convert: impl Fn(&DeValue<'_>) -> Result<T, Refusal>,
    ) -> Option<At<T>> {
        self.reader.read.borrow_mut().insert((key.table, key.name));
        let Some(value) = self.map.and_then(|map| map.get(key.name)) else {
            return self.absent(key, convert);
        };
        match convert(value.get_ref()) {
            Ok(converted) => Some(At { value: converted, span: value.span() }),
            Err(refusal) => {
                self.reader.fault(refusal.into_fault(value.span()));
                None
            }
        }
    }

    /// The items of a list, each with its place. An item that `convert` refuses is left out.
    pub(super) fn list<T>(
        &self,
        key: &Key,
        convert: impl Fn(&DeValue<'_>) -> Result<T, Refusal>,
    ) -> Option<At<Vec<At<T>>>> {
        self.value(key, |value| {
            let DeValue::Array(items) = value else {
                return Err(Refusal::wrong_type(key.name, "a list", value, key.example));
            };
            let mut good = Vec::new();
            for item in items {
                match convert(item.get_ref()) {
                    Ok(converted) => good.push(At { value: converted, span: item.span() }),
                    Err(mut refusal) => {
                        if refusal.is_of_type {
                            refusal.title = format!("an item of {}", refusal.title);
                        }
                        self.reader.fault(refusal.into_fault(item.span()));
                    }
                }
            }
            Ok(good)
        })
    }

    fn absent<T>(&self, key: &Key, convert: impl Fn(&DeValue<'_>) -> Result<T, Refusal>) -> Option<At<T>> {
        match key.absent {
            Absent::Means(_) => None,
            Absent::Default(text) => {
                let value = DeValue::parse(text).ok()?;
                convert(value.get_ref()).ok().map(|value| At { value, span: self.place.clone() })
            }
            Absent::Required if self.is_broken => None,
            Absent::Required => {
                self.reader.fault(self.missing(key));
                None
            }
        }
    }

    fn missing(&self, key: &Key) -> Fault {
        let Key { name, example, .. } = key;
        let header = self.table.header();
        let fault = if self.map.is_some() {
            Fault::at(self.place.clone(), format!("`{name}` is missing"))
                .label(format!("this table needs the key `{name}`"))
                .help(format!("add a line such as: {name} = {example}"))
        } else {
            Fault::at(self.place.clone(), format!("the table `{header}` is missing"))
                .label(format!("the file ends without `{header}`, which needs the key `{name}`"))
                .help(format!("add these two lines:\n{header}\n{name} = {example}"))
        };
        fault.of_absence()
    }

    fn no_table(&self, table: Table, span: Range<usize>, found: &DeValue<'_>) -> Fault {
        let (name, header) = (table.name(), table.header());
        let fault = Fault::at(span, format!("`{name}` has the wrong form"));
        match (table.form(), found) {
            (Form::Many, DeValue::Table(_)) => fault
                .label("expected a list of tables, found one table")
                .help(format!("write the header with two brackets: {header}")),
            (Form::Once, DeValue::Array(_)) => fault
                .label("expected one table, found a list")
                .help(format!("write the header with one bracket: {header}")),
            (Form::Named, _) => fault
                .label("a plan is a table of its own, with a name")
                .help("write it like this, with the plan's name after the dot:\n[plans.free]\nlimits = [\"1000 per day\"]"),
            (Form::Once | Form::Many, _) => {
                fault.label("expected a table").help(format!("start the table with its own line: {header}"))
            }
        }
    }
}

/// The type that a key expects, in words for a message.
pub(super) fn wrong_type(key: &Key, found: &DeValue<'_>) -> Refusal {
    let expected = match key.shape {
        Shape::Text => "a string",
        Shape::Words(_) => "a string",
        Shape::Whole { .. } | Shape::WholeOf(_) => "a whole number",
        Shape::Number => "a number",
        Shape::Boolean => "true or false",
        Shape::Duration { .. } => "a string such as \"10s\"",
        Shape::Size { .. } => "a number of bytes or a string such as \"10MiB\"",
        Shape::Texts => "a string",
        Shape::Statuses | Shape::Numbers { .. } => "a whole number",
        Shape::Scalars => "a string, a number or a boolean",
        Shape::CountOrOff => "a whole number or \"off\"",
    };
    Refusal::wrong_type(key.name, expected, found, key.example)
}
