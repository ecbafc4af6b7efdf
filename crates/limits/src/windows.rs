//! The windows in which a reservation took its units, one for each limit of its account.

use crate::compiled::MAX_LIMITS;

/// Windows by the position of their limit.
///
/// Four numbers of two windows each, not an array: a reservation is passed through several
/// functions, and numbers stay in registers. As an array, written one window at a time and copied
/// four at a time, every copy waited for the writes before it (18 ns for a limit instead of 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Windows(u64, u64, u64, u64);

const _: () = assert!(MAX_LIMITS == 8);

impl Windows {
    /// For an account with one limit.
    #[inline]
    pub(crate) const fn one(window: u32) -> Self {
        Self(window as u64, 0, 0, 0)
    }

    /// The same with this window at a position.
    #[inline]
    pub(crate) const fn with(self, position: usize, window: u32) -> Self {
        let bits = (window as u64) << (position % 2 * 32);
        match position / 2 {
            0 => Self(self.0 | bits, self.1, self.2, self.3),
            1 => Self(self.0, self.1 | bits, self.2, self.3),
            2 => Self(self.0, self.1, self.2 | bits, self.3),
            _ => Self(self.0, self.1, self.2, self.3 | bits),
        }
    }

    /// The window at a position.
    #[inline]
    pub(crate) const fn get(self, position: usize) -> u32 {
        let pair = match position / 2 {
            0 => self.0,
            1 => self.1,
            2 => self.2,
            _ => self.3,
        };
        (pair >> (position % 2 * 32)) as u32 // truncates on purpose: one half of the pair
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_has_its_own_position() {
        let each: Vec<u32> = (0..MAX_LIMITS as u32).map(|position| u32::MAX - position * 77).collect();
        let windows =
            each.iter().enumerate().fold(Windows::default(), |windows, (at, one)| windows.with(at, *one));
        let found: Vec<u32> = (0..MAX_LIMITS).map(|position| windows.get(position)).collect();
        assert_eq!(found, each);
        assert_eq!((Windows::one(7).get(0), Windows::one(7).get(1)), (7, 0));
    }
}
