//! How much one socket may send: a token bucket, counted before anything is parsed.
//!
//! The bucket is the one thing about a socket that is not remembered across a hibernation: an object
//! sleeps after ten seconds without events, and by then the bucket is full again.

use crate::core::rejection::Rejection;
use crate::core::time::Timestamp;

/// Messages that may come at once. The set-up of a call takes about ten, thirty where every
/// candidate comes alone.
pub const BURST: u32 = 120;
/// Messages a second that go on for ever.
pub const PER_SECOND: u32 = 20;
/// Dropped messages after which the socket is closed.
pub const PATIENCE: u32 = 1_000;

const MILLIS_A_MESSAGE: u64 = 1_000 / PER_SECOND as u64;

/// What a socket has left to send.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// When the bucket will be full again: one number instead of a level and a clock (the generic
    /// cell rate algorithm, ITU-T I.371).
    full_at: Timestamp,
    dropped: u32,
}

impl Allowance {
    /// A full bucket.
    #[must_use]
    pub const fn full(now: Timestamp) -> Self {
        Self {
            full_at: now,
            dropped: 0,
        }
    }

    /// Takes one message out of the bucket.
    ///
    /// # Errors
    /// The message is to be dropped without reading it. `Some` rejection is to be told; a flood is
    /// answered once and not message by message.
    pub fn take(&mut self, now: Timestamp) -> Result<(), Option<Rejection>> {
        let full_at = self.full_at.max(now);
        let owed = full_at.since(now).get() + MILLIS_A_MESSAGE;
        if owed > u64::from(BURST) * MILLIS_A_MESSAGE {
            self.dropped += 1;
            return Err(match self.dropped {
                1 => Some(Rejection::RateLimited),
                PATIENCE.. => Some(Rejection::Flooding),
                _ => None,
            });
        }
        if full_at == now {
            self.dropped = 0;
        }
        self.full_at = Timestamp::from_unix_millis(now.unix_millis() + owed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    #[test]
    fn a_burst_is_served_and_then_a_steady_rate() {
        let mut allowance = Allowance::full(at(0));
        assert!((0..BURST).all(|_| allowance.take(at(0)).is_ok()));
        assert_eq!(allowance.take(at(0)), Err(Some(Rejection::RateLimited)));
        for n in 1..=100 {
            assert_eq!(allowance.take(at(n * MILLIS_A_MESSAGE)), Ok(()), "{n}");
        }
    }

    #[test]
    fn a_flood_is_told_once_and_then_closed() {
        let mut allowance = Allowance::full(at(0));
        let answers: Vec<_> = (0..BURST + PATIENCE)
            .filter_map(|_| allowance.take(at(0)).err().flatten())
            .collect();
        assert_eq!(answers, [Rejection::RateLimited, Rejection::Flooding]);
    }

    #[test]
    fn who_calms_down_is_forgiven() {
        let mut allowance = Allowance::full(at(0));
        for _ in 0..2 * BURST {
            let _ = allowance.take(at(0));
        }
        assert_eq!(allowance.take(at(60_000)), Ok(()));
        let answers: Vec<_> = (0..BURST)
            .filter_map(|_| allowance.take(at(60_000)).err())
            .collect();
        assert_eq!(answers, [Some(Rejection::RateLimited)]);
    }
}
