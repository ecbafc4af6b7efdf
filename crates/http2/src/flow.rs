//! Flow-control windows (RFC 9113 section 5.2): how much may still be sent and received.

/// The maximum window size.
pub(crate) const LARGEST: i64 = 0x7fff_ffff;
/// The initial window size.
pub(crate) const DEFAULT: u32 = 65_535;

/// What we may send. It is negative if the peer reduced its initial window size below what was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SendWindow(i64);

impl SendWindow {
    pub(crate) fn new(size: u32) -> Self {
        Self(i64::from(size))
    }

    /// Changes the window, by WINDOW_UPDATE or by a change of settings. False: it would exceed the maximum.
    #[must_use]
    pub(crate) fn add(&mut self, change: i64) -> bool {
        self.0 = self.0.saturating_add(change);
        self.0 <= LARGEST
    }

    pub(crate) fn room(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    pub(crate) fn take(&mut self, count: usize) {
        self.0 = self.0.saturating_sub(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

/// What the peer may send. Consumed bytes are returned in large increments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReceiveWindow {
    size: u32,
    room: u32,
    used: u32,
}

impl ReceiveWindow {
    pub(crate) const fn new(size: u32) -> Self {
        Self { size, room: size, used: 0 }
    }

    /// Data arrived. False: it exceeds the window.
    #[must_use]
    pub(crate) fn take(&mut self, count: usize) -> bool {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match self.room.checked_sub(count) {
            Some(room) => {
                self.room = room;
                true
            }
            None => false,
        }
    }

    /// Data was consumed. Some: the increment to send in a WINDOW_UPDATE now.
    pub(crate) fn give_back(&mut self, count: usize) -> Option<u32> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.used = self.used.saturating_add(count).min(self.size.saturating_sub(self.room));
        if self.used == 0 || self.used < self.size / 2 {
            return None;
        }
        let increment = std::mem::take(&mut self.used);
        self.room = self.room.saturating_add(increment);
        Some(increment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_window_can_be_negative_but_not_too_large() {
        let mut window = SendWindow::new(10);
        window.take(10);
        assert!(window.add(-20));
        assert_eq!(window.room(), 0);
        assert!(window.add(25));
        assert_eq!(window.room(), 5);
        assert!(!window.add(LARGEST));
    }

    #[test]
    fn window_updates_are_sent_in_large_increments_and_never_of_zero() {
        let mut window = ReceiveWindow::new(100);
        assert!(window.take(80));
        assert_eq!([49, 0, 1].map(|used| window.give_back(used)), [None, None, Some(50)]);
        assert_eq!(ReceiveWindow::new(1).give_back(0), None);
    }

    proptest! {
        #[test]
        fn a_receiver_never_promises_more_than_its_window(size in 1u32..100_000, moves: Vec<(u16, u16)>) {
            let mut window = ReceiveWindow::new(size);
            let (mut promised, mut received, mut used) = (u64::from(size), 0u64, 0u64);
            for (comes, goes) in moves {
                if window.take(usize::from(comes)) {
                    received += u64::from(comes);
                }
                prop_assert!(received <= promised);
                let goes = u64::from(goes).min(received - used);
                used += goes;
                promised += u64::from(window.give_back(usize::try_from(goes).unwrap()).unwrap_or(0));
                prop_assert!(promised - used <= u64::from(size));
                // A peer that used up its window always gets more.
                prop_assert!(used < received || promised > received);
            }
        }
    }
}
