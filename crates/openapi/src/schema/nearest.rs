//! The known name that was probably meant.

use instance::work;

/// Longer lists and names are not compared: it would cost a request more than a hint is worth.
const MAX_NAMES: usize = 500;
const LONGEST: usize = 64;

/// The known name that is nearest to what was sent, if it is near enough to be what was meant.
pub(crate) fn nearest<'n>(sent: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    nearest_where(sent, known, |_| true)
}

/// The nearest name that fits. Whether one fits is asked only of names that are near.
///
/// Comparing counts as work: a small body can have many unknown names, and a schema many known ones.
pub(crate) fn nearest_where<'n>(
    sent: &str,
    known: impl Iterator<Item = &'n str>,
    fits: impl Fn(&str) -> bool,
) -> Option<&'n str> {
    let length = sent.chars().count();
    if length == 0 || length > LONGEST {
        return None;
    }
    let plain = |text: &str| text.replace(['_', '-'], "");
    let sent_folded = sent.to_lowercase();
    let sent_plain = plain(&sent_folded);
    let mut best: Option<((usize, usize), &str)> = None;
    for name in known.take(MAX_NAMES) {
        let other = name.chars().count();
        // A third of the letters may differ, and no more than three.
        let allowed = (length.max(other) / 3).min(3);
        let is_far = other == 0 || length.abs_diff(other) > allowed;
        let cost = if is_far { 1 } else { length * other };
        if !work::spend(u32::try_from(cost).unwrap_or(u32::MAX)) {
            return None;
        }
        if is_far {
            continue;
        }
        let folded = name.to_lowercase();
        let distance =
            if plain(&folded) == sent_plain { 0 } else { strsim::osa_distance(&folded, &sent_folded) };
        // Of two that are as near, the one that begins alike: few slip at the first letter.
        let alike = folded.chars().zip(sent_folded.chars()).take_while(|(one, other)| one == other).count();
        let rank = (distance, usize::MAX - alike);
        if distance <= allowed && best.is_none_or(|(least, _)| rank < least) && name != sent && fits(name) {
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
        assert_eq!(nearest_where("sise", known.into_iter(), |name| name != "size"), None);
    }

    #[test]
    fn comparing_names_is_work_that_can_be_stopped() {
        let known: Vec<String> = (0..500).map(|n| format!("property_{n:04}_name")).collect();
        let hints = || {
            (0..5_000).map(|n| nearest(&format!("propertx_{n:06}_name"), known.iter().map(|s| &**s))).count()
        };
        let began = std::time::Instant::now();
        assert_eq!(work::within(work::TimeLimit::Short(std::time::Duration::from_millis(10)), hints), None);
        // Without a stop it takes seconds.
        assert!(began.elapsed().as_millis() < 1_000, "{:?}", began.elapsed());
    }
}
