//! Sharing out what is kept in all.

/// The most that each may keep, so that all together keep no more than `most`: who has less keeps all.
pub fn share(mut kept: Vec<u64>, most: u64) -> u64 {
    kept.sort_unstable();
    let (mut left, mut others) = (most, kept.len() as u64);
    for one in kept {
        let share = left / others.max(1);
        if one > share {
            return share;
        }
        left -= one;
        others -= 1;
    }
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_less_than_a_share_keeps_all() {
        assert_eq!(share(vec![10, 20], 100), u64::MAX);
        assert_eq!(share(vec![500], 100), 100);
        assert_eq!(share(vec![10, 500], 100), 90);
        assert_eq!(share(vec![10, 500, 500], 100), 45);
        assert_eq!(share(vec![], 100), u64::MAX);
    }
}
