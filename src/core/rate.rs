//! How much one socket may send: token buckets, the first two of which are counted before anything is parsed.
//!
//! The buckets are the one thing about a socket that is not remembered across a hibernation: an object
//! sleeps after ten seconds without events, and by then all of them are full again.

use crate::core::protocol::{ClientMessage, MAX_FRAME_BYTES};
use crate::core::rejection::Rejection;
use crate::core::time::{Millis, Timestamp};

/// How much may come at once, and how much a second for ever.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// What a full bucket holds.
    pub burst: u32,
    /// What it gains.
    pub per_second: u32,
}

/// Messages. The set-up of a call takes about ten, thirty where every candidate comes alone.
pub const MESSAGES: Limit = Limit {
    burst: 120,
    per_second: 20,
};
/// Characters, in units of UTF-16. To enter a room of sixteen takes a fifth of what may come at once.
pub const CHARS: Limit = Limit {
    burst: 1_280_000,
    per_second: 128_000,
};
/// Searches and entrances, each of which is news to others.
pub const SEARCHES: Limit = Limit {
    burst: 20,
    per_second: 2,
};
/// Dropped messages after which the socket is closed.
pub const PATIENCE: u32 = 1_000;

/// What a socket has left to send.
#[derive(Debug, Clone)]
pub struct Allowance {
    messages: Bucket,
    chars: Bucket,
    searches: Bucket,
    dropped: u32,
}

impl Allowance {
    /// All that there is.
    #[must_use]
    pub const fn full(now: Timestamp) -> Self {
        let full = Bucket::full(now);
        Self {
            messages: full,
            chars: full,
            searches: full,
            dropped: 0,
        }
    }

    /// Counts a message of so many characters, in units of UTF-16. One that is too long to be read counts as
    /// the longest that is.
    ///
    /// # Errors
    /// The message is to be dropped without reading it. `Some` rejection is to be told; a flood is
    /// answered once and not message by message.
    pub fn take(&mut self, chars: u32, now: Timestamp) -> Result<(), Option<Rejection>> {
        if self.messages.is_full(now) && self.chars.is_full(now) {
            self.dropped = 0;
        }
        let chars = chars.min(MAX_FRAME_BYTES as u32);
        let messages = self.messages.take(1, MESSAGES, now);
        let taken = messages.and_then(|()| self.chars.take(chars, CHARS, now));
        taken.map_err(|_| {
            self.dropped += 1;
            match self.dropped {
                1 => Some(Rejection::RateLimited),
                PATIENCE.. => Some(Rejection::Flooding),
                _ => None,
            }
        })
    }

    /// Counts what a message asks for, beside that it is one.
    ///
    /// # Errors
    /// It is to be dropped, and that is to be told: who searches waits for an answer.
    pub fn serve<D>(
        &mut self,
        message: &ClientMessage<D>,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        let searches = matches!(
            message,
            ClientMessage::Find { .. } | ClientMessage::Join { .. }
        );
        let taken = self.searches.take(searches.into(), SEARCHES, now);
        taken.map_err(|_| Rejection::RateLimited)
    }
}

/// A token bucket, which is one number instead of a level and a clock: when it will be full again (the generic
/// cell rate algorithm, ITU-T I.371).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket {
    full_at: Timestamp,
}

impl Bucket {
    /// One that is full.
    #[must_use]
    pub const fn full(now: Timestamp) -> Self {
        Self { full_at: now }
    }

    /// Whether it is as good as new.
    #[must_use]
    pub fn is_full(self, now: Timestamp) -> bool {
        self.full_at <= now
    }

    /// Takes so many out.
    ///
    /// # Errors
    /// There are not as many in it. The span after which there are, if it can hold them.
    pub fn take(&mut self, count: u32, limit: Limit, now: Timestamp) -> Result<(), Millis> {
        let span = |count: u32| (u64::from(count) * 1_000).div_ceil(limit.per_second.into());
        let full_at = self.full_at.max(now);
        let owed = full_at.since(now).get() + span(count);
        let most = span(limit.burst);
        if owed > most {
            return Err(Millis::new(owed - most));
        }
        self.full_at = now.after(Millis::new(owed));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BURST: u32 = MESSAGES.burst;
    const MILLIS_A_MESSAGE: u64 = 1_000 / MESSAGES.per_second as u64;
    const LONG: u32 = MAX_FRAME_BYTES as u32;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    #[test]
    fn a_burst_is_served_and_then_a_steady_rate() {
        let mut allowance = Allowance::full(at(0));
        assert!((0..BURST).all(|_| allowance.take(9, at(0)).is_ok()));
        let told = Err(Some(Rejection::RateLimited));
        assert_eq!(allowance.take(9, at(0)), told);
        for n in 1..=100 {
            assert_eq!(allowance.take(9, at(n * MILLIS_A_MESSAGE)), Ok(()), "{n}");
        }
    }

    #[test]
    fn a_flood_is_told_once_and_then_closed() {
        let mut allowance = Allowance::full(at(0));
        let answers: Vec<_> = (0..BURST + PATIENCE)
            .filter_map(|_| allowance.take(9, at(0)).err().flatten())
            .collect();
        assert_eq!(answers, [Rejection::RateLimited, Rejection::Flooding]);
    }

    #[test]
    fn few_that_are_long_are_a_flood_as_well() {
        let mut allowance = Allowance::full(at(0));
        let served = (0..BURST).filter(|_| allowance.take(LONG, at(0)).is_ok());
        assert_eq!(served.count() as u32, CHARS.burst / LONG);
        // Five a second are few enough, but for their length: three of them are dropped, until all are.
        let later = (1..=2_000).map(|n| allowance.take(LONG, at(n * 200)));
        let told: Vec<_> = later.filter_map(Result::err).flatten().take(1).collect();
        assert_eq!(told, [Rejection::Flooding]);
    }

    #[test]
    fn one_that_is_too_long_is_no_flood() {
        let mut allowance = Allowance::full(at(0));
        assert_eq!(allowance.take(u32::MAX, at(0)), Ok(()));
        assert_eq!(allowance.take(LONG, at(0)), Ok(()));
    }

    #[test]
    fn what_enters_a_full_room_is_no_flood() {
        let mut allowance = Allowance::full(at(0));
        // Fifteen others, each of whom is answered at length and told of candidates twice.
        for _ in 0..15 {
            for chars in [10_000, 2_000, 2_000] {
                assert_eq!(allowance.take(chars, at(0)), Ok(()));
            }
        }
    }

    #[test]
    fn searches_are_counted_beside_and_each_is_answered() {
        const JOIN: ClientMessage<()> = ClientMessage::Join { name: None };
        let mut allowance = Allowance::full(at(0));
        assert!((0..SEARCHES.burst).all(|_| allowance.serve(&JOIN, at(0)).is_ok()));
        for _ in 0..3 {
            assert_eq!(allowance.serve(&JOIN, at(0)), Err(Rejection::RateLimited));
        }
        assert_eq!(allowance.take(9, at(0)), Ok(()));
        for n in 1..=10 {
            let second = at(n * 1_000);
            let served = (0..9).filter(|_| allowance.serve(&JOIN, second).is_ok());
            assert_eq!(served.count() as u32, SEARCHES.per_second, "{n}");
        }
    }

    #[test]
    fn whatever_is_no_search_is_served() {
        const LEAVE: ClientMessage<()> = ClientMessage::Leave {};
        let mut allowance = Allowance::full(at(0));
        assert!((0..9 * SEARCHES.burst).all(|_| allowance.serve(&LEAVE, at(0)).is_ok()));
    }

    #[test]
    fn who_calms_down_is_forgiven() {
        let mut allowance = Allowance::full(at(0));
        for _ in 0..2 * BURST {
            let _ = allowance.take(9, at(0));
        }
        assert_eq!(allowance.take(9, at(60_000)), Ok(()));
        let answers: Vec<_> = (0..BURST)
            .filter_map(|_| allowance.take(9, at(60_000)).err())
            .collect();
        assert_eq!(answers, [Some(Rejection::RateLimited)]);
    }

    #[test]
    fn all_is_full_when_an_object_falls_asleep() {
        for limit in [MESSAGES, CHARS, SEARCHES] {
            assert!(limit.burst <= 10 * limit.per_second, "{limit:?}");
        }
    }
}
