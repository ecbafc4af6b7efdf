//! The known name that was probably meant.

/// Longer lists and names are not compared: it would cost a request more than a hint is worth.
const MAX_NAMES: usize = 500;
const LONGEST: usize = 64;

/// The known name that is nearest to what was sent, if it is near enough to be what was meant.
pub(crate) fn nearest<'n>(sent: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let length = sent.chars().count();
    if length == 0 || length > LONGEST {
        return None;
    }
    let sent_folded = sent.to_lowercase();
    let mut best: Option<((usize, usize), &str)> = None;
    for name in known.take(MAX_NAMES) {
        let other = name.chars().count();
        // A third of the letters may differ, and no more than three.
        let allowed = (length.max(other) / 3).min(3);
        if other == 0 || length.abs_diff(other) > allowed {
            continue;
        }
        let folded = name.to_lowercase();
        let plain = |text: &str| text.replace(['_', '-'], "");
        let distance = if plain(&folded) == plain(&sent_folded) {
            0
        } else {
            strsim::osa_distance(&folded, &sent_folded)
        };
        // Of two that are as near, the one that begins alike: few slip at the first letter.
        let alike = folded.chars().zip(sent_folded.chars()).take_while(|(one, other)| one == other).count();
        let rank = (distance, usize::MAX - alike);
        if distance <= allowed && best.is_none_or(|(least, _)| rank < least) && name != sent {
            best = Some((rank, name));
        }
    }
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_named() {
        let known = ["color", "size", "createdAt", "id"];
        let near = |sent| nearest(sent, known.into_iter());
        assert_eq!(near("colour"), Some("color"));
        assert_eq!(near("Color"), Some("color"));
        assert_eq!(near("created_at"), Some("createdAt"));
        assert_eq!(near("sise"), Some("size"));
        assert_eq!(nearest("dsc", ["asc", "desc"].into_iter()), Some("desc"));
        for far in ["", "weight", "x", "ix", "colorless"] {
            assert_eq!(near(far), None, "{far}");
        }
        assert_eq!(near(&"c".repeat(10_000)), None);
    }
}
