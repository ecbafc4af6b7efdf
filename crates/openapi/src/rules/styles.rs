//! Styles: what was written becomes texts, lists and members. Delimiters are found before anything is
//! percent-decoded, so that an encoded one is part of a value.

use crate::{
    api::Style,
    rules::{
        pairs::{Coding, Pairs},
        raw::Raw,
        shape::Shape,
    },
};

/// What a value is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Scalar,
    List,
    Members,
}

/// Why something cannot be taken apart: sentences.
pub(super) type Wrong = String;

/// Brackets one inside the other in a name, as in `a[b][c]`. What is deeper is refused.
const DEEPEST: usize = 8;

fn text(encoded: &str, coding: Coding) -> Result<Raw, Wrong> {
    Ok(Raw::Text(coding.decode(encoded)?.into_owned()))
}

fn list<'t>(parts: impl Iterator<Item = &'t str>, coding: Coding) -> Result<Raw, Wrong> {
    parts.map(|part| text(part, coding)).collect::<Result<_, _>>().map(Raw::List)
}

/// Members from `a,1,b,2`.
fn alternating<'t>(mut parts: impl Iterator<Item = &'t str>, coding: Coding) -> Result<Raw, Wrong> {
    let mut members = Vec::new();
    while let Some(name) = parts.next() {
        let Some(value) = parts.next() else {
            return Err("Must be alternating names and values, but a value is missing.".to_owned());
        };
        members.push((coding.decode(name)?.into_owned(), text(value, coding)?));
    }
    once_each(members)
}

/// Members from `a=1,b=2`.
fn assigned<'t>(parts: impl Iterator<Item = &'t str>, coding: Coding) -> Result<Raw, Wrong> {
    let mut members = Vec::new();
    for part in parts {
        let Some((name, value)) = part.split_once('=') else {
            return Err("Must be pairs such as name=value, but one has no `=`.".to_owned());
        };
        members.push((coding.decode(name)?.into_owned(), text(value, coding)?));
    }
    once_each(members)
}

/// A member that is there twice is refused: an upstream may take the other one.
fn once_each(members: Vec<(String, Raw)>) -> Result<Raw, Wrong> {
    let mut seen = std::collections::HashSet::new();
    for (name, _) in &members {
        if !seen.insert(name.as_str()) {
            let shown = crate::schema::sentences::quoted(name);
            return Err(format!("Property {shown} is sent more than once."));
        }
    }
    Ok(Raw::Members(members))
}

/// A single text by its style: of a path, a header, or one value of a query.
pub(super) fn single(
    encoded: &str,
    name: &str,
    (style, explode): (Style, bool),
    reading: Reading,
    shape: &Shape,
    coding: Coding,
) -> Result<Raw, Wrong> {
    // Many clients encode the commas between items as well. Where no item can hold one, all of them part items.
    if reading == Reading::List && matches!(style, Style::Form | Style::Simple) && shape.has_no_commas {
        let decoded = coding.decode(encoded)?;
        return list(parts(&decoded, &[","], coding == Coding::Plain), Coding::Plain);
    }
    // An object without a comma would have a name and no value: encoded commas must separate them.
    if reading == Reading::Members
        && (style == Style::Form || (style == Style::Simple && !explode))
        && !encoded.contains(',')
    {
        return alternating(coding.decode(encoded)?.split(','), Coding::Plain);
    }
    let plain = coding == Coding::Plain;
    match style {
        Style::Label => {
            let rest = encoded.strip_prefix('.').ok_or("Must begin with a dot.")?;
            delimited(rest, if explode { &["."] } else { &[","] }, explode, reading, coding)
        }
        Style::Matrix => matrix(encoded, name, explode, reading, coding),
        Style::SpaceDelimited if plain => delimited(encoded, &[" "], false, reading, coding),
        Style::SpaceDelimited => delimited(encoded, &["%20", "+", " "], false, reading, coding),
        Style::PipeDelimited if plain => delimited(encoded, &["|"], false, reading, coding),
        Style::PipeDelimited => delimited(encoded, &["|", "%7C", "%7c"], false, reading, coding),
        Style::TabDelimited if plain => delimited(encoded, &["\t"], false, reading, coding),
        Style::TabDelimited => delimited(encoded, &["%09", "\t"], false, reading, coding),
        Style::Simple => delimited(encoded, &[","], explode, reading, coding),
        Style::Form | Style::Cookie | Style::DeepObject => delimited(encoded, &[","], false, reading, coding),
    }
}

fn delimited(
    encoded: &str,
    delimiters: &[&str],
    assigns: bool,
    reading: Reading,
    coding: Coding,
) -> Result<Raw, Wrong> {
    let parts = parts(encoded, delimiters, coding == Coding::Plain);
    match reading {
        Reading::Scalar => text(encoded, coding),
        Reading::List => list(parts, coding),
        Reading::Members if assigns => assigned(parts, coding),
        Reading::Members => alternating(parts, coding),
    }
}

fn parts<'t>(text: &'t str, delimiters: &'t [&str], trimmed: bool) -> impl Iterator<Item = &'t str> {
    let mut from = Some(0);
    std::iter::from_fn(move || {
        let start = from?;
        let rest = text.get(start..).unwrap_or_default();
        // One look at each byte: a delimiter that is nowhere must not be looked for behind each of the others.
        let found = rest.bytes().enumerate().find_map(|(at, _)| {
            let behind = rest.as_bytes().get(at..)?;
            let delimiter = delimiters.iter().find(|delimiter| behind.starts_with(delimiter.as_bytes()))?;
            Some((at, delimiter.len()))
        });
        let part = rest.get(..found.map_or(rest.len(), |(at, _)| at)).unwrap_or_default();
        from = found.map(|(at, length)| start + at + length);
        Some(if trimmed { part.trim_matches([' ', '\t']) } else { part })
    })
}

fn matrix(encoded: &str, name: &str, explode: bool, reading: Reading, coding: Coding) -> Result<Raw, Wrong> {
    let rest = encoded.strip_prefix(';').ok_or("Must begin with a semicolon.")?;
    let own = |part: &'_ str| -> Option<usize> {
        let (key, _) = part.split_once('=').unwrap_or((part, ""));
        coding.decode(key).is_ok_and(|key| key == name).then(|| (key.len() + 1).min(part.len()))
    };
    let value =
        |part| own(part).and_then(|at| part.get(at..)).ok_or(format!("Must be written as ;{name}=value."));
    match reading {
        Reading::Members if explode => assigned(rest.split(';'), coding),
        Reading::List if explode => {
            let mut items = Vec::new();
            for part in rest.split(';') {
                items.push(text(value(part)?, coding)?);
            }
            Ok(Raw::List(items))
        }
        Reading::Scalar | Reading::List | Reading::Members => {
            delimited(value(rest)?, &[","], false, reading, coding)
        }
    }
}

/// A value from pairs. None: it is not there.
///
/// # Errors
/// A sentence.
pub(super) fn paired(
    pairs: &Pairs<'_>,
    name: &str,
    style: Style,
    explode: bool,
    reading: Reading,
    shape: &Shape,
    others: &dyn Fn(&str) -> bool,
) -> Result<Option<Raw>, Wrong> {
    if style == Style::DeepObject && reading == Reading::Members {
        return deep(pairs, name);
    }
    if explode && reading == Reading::Members {
        return spread(pairs, shape, others);
    }
    let mut values = pairs.values(name);
    if explode && reading == Reading::List {
        let Raw::List(items) = list(values, pairs.coding)? else { return Ok(None) };
        return Ok((!items.is_empty()).then_some(Raw::List(items)));
    }
    let Some(first) = values.next() else { return Ok(None) };
    let more = values.count();
    if more > 0 {
        return Err(format!("Sent {} times; send it once.", more + 1));
    }
    single(first, name, (style, false), reading, shape, pairs.coding).map(Some)
}

/// The members of an object that are separate pairs.
fn spread(pairs: &Pairs<'_>, shape: &Shape, others: &dyn Fn(&str) -> bool) -> Result<Option<Raw>, Wrong> {
    let mut members: Vec<(String, Raw)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    // Pairs that no schema names belong to the object if it may have more members than it names.
    let open = shape.is_open();
    for (name, value) in &pairs.pairs {
        let known = shape.names(name);
        if !known && (!open || others(name)) {
            continue;
        }
        gather(&mut members, &mut places, name, text(value, pairs.coding)?);
    }
    Ok((!members.is_empty()).then_some(Raw::Members(members)))
}

/// Adds a member; one that is there already becomes a list.
pub(super) fn gather(
    members: &mut Vec<(String, Raw)>,
    places: &mut std::collections::HashMap<String, usize>,
    name: &str,
    value: Raw,
) {
    match places.get(name).and_then(|&at| members.get_mut(at)) {
        Some((_, Raw::List(items))) => items.push(value),
        Some((_, one)) => *one = Raw::List(vec![std::mem::replace(one, Raw::List(Vec::new())), value]),
        None => {
            places.insert(name.to_owned(), members.len());
            members.push((name.to_owned(), value));
        }
    }
}

/// `a[b]=1`, `a[b][c]=1`, and `a[b][]=1` or `a[b]=1&a[b]=2` for lists, as most servers read them. The
/// specification leaves open what is nested.
fn deep(pairs: &Pairs<'_>, name: &str) -> Result<Option<Raw>, Wrong> {
    let mut root = Branch::default();
    let mut any = false;
    for (key, value) in &pairs.pairs {
        let Some(rest) = key.strip_prefix(name).filter(|rest| rest.starts_with('[')) else { continue };
        any = true;
        let value = pairs.coding.decode(value)?.into_owned();
        let mut branch = &mut root;
        let inner = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let inner = inner.ok_or_else(|| "Names must be written as name[property].".to_owned())?;
        let mut depth = 0;
        for step in inner.split("][") {
            depth += 1;
            if depth > DEEPEST {
                return Err(format!("Names must have at most {DEEPEST} pairs of brackets."));
            }
            if step.contains(['[', ']']) {
                return Err("Names must be written as name[property].".to_owned());
            }
            if step.is_empty() {
                branch.is_list = true;
                continue;
            }
            let at = match branch.places.get(step) {
                Some(&at) => at,
                None => {
                    branch.places.insert(step.to_owned(), branch.members.len());
                    branch.members.push((step.to_owned(), Branch::default()));
                    branch.members.len() - 1
                }
            };
            let Some((_, next)) = branch.members.get_mut(at) else { break };
            branch = next;
        }
        branch.values.push(value);
    }
    if !any {
        return Ok(None);
    }
    root.raw().map(Some)
}

#[derive(Default)]
struct Branch {
    values: Vec<String>,
    is_list: bool,
    members: Vec<(String, Branch)>,
    places: std::collections::HashMap<String, usize>,
}

impl Branch {
    // As deep as DEEPEST.
    fn raw(self) -> Result<Raw, Wrong> {
        let Self { values, is_list, members, .. } = self;
        if !members.is_empty() {
            if !values.is_empty() {
                return Err("Must be either a value or an object, but is both.".to_owned());
            }
            let members = members.into_iter().map(|(name, branch)| Ok((name, branch.raw()?)));
            return members.collect::<Result<_, Wrong>>().map(Raw::Members);
        }
        let mut texts: Vec<Raw> = values.into_iter().map(Raw::Text).collect();
        if texts.len() == 1
            && !is_list
            && let Some(only) = texts.pop()
        {
            return Ok(only);
        }
        Ok(Raw::List(texts))
    }
}
