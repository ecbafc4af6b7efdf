//! Text of documents in messages: quoted and cut, and the known name nearest to an unknown one.

/// How many names are compared to find the nearest: a message is not worth a walk through a million.
const COMPARED: usize = 10_000;

/// A text in quotes, cut so that a message stays readable.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// The known name that is most like one that is not, if any is much like it.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > 100 {
        return None;
    }
    known
        .take(COMPARED)
        .filter(|known| known.len().abs_diff(name.len()) <= 3 && known.len() <= 100)
        .map(|known| (strsim::osa_distance(name, known), known))
        .filter(|&(distance, _)| distance <= 1 + name.len() / 6)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| known)
}
