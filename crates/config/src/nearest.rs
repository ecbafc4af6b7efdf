//! The known word that an unknown one was probably meant to be.

/// The known word that is nearest to this one, if any is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Words of megabytes are compared with nothing: the distance costs the product of the lengths.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    let known: Vec<(&str, String)> = known.into_iter().map(|known| (known, known.to_lowercase())).collect();
    let distances = known.iter().map(|(known, lower)| (strsim::damerau_levenshtein(&word, lower), *known));
    let near = distances.filter(|(distance, known)| *distance <= known.chars().count().max(3) / 3);
    // `int` for `integer`: too far by the letters, and yet clear.
    let begun =
        known.iter().find(|(_, lower)| word.len() >= 3 && lower.starts_with(&word)).map(|(known, _)| *known);
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known).or(begun)
}
