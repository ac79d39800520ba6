//! What is worth counting: a closed list, in which nothing of anybody's own has a place. What it says is
//! that something came about, and how long it took; never to whom.

use serde::{Deserialize, Serialize};

use crate::core::protocol::{ErrorCode, LeaveReason, Mode};
use crate::core::time::Millis;

/// Something that came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Note {
    /// Two met in random chat.
    Met {
        /// What both looked for.
        mode: Mode,
        /// For how many milliseconds the one who was there first had waited.
        waited_ms: u64,
        /// Whether they share an interest.
        shared: bool,
        /// Whether their offers crossed.
        crossed: bool,
    },
    /// A call of two is over.
    Ended {
        /// Why.
        reason: LeaveReason,
    },
    /// Somebody came into a room.
    Entered {
        /// How many are in it now.
        members: usize,
    },
    /// A member of a room is gone.
    Gone {
        /// Why.
        reason: LeaveReason,
    },
    /// Somebody took its seat again, whose socket was lost.
    Resumed,
    /// Somebody who waited was sent to another lobby.
    Moved {
        /// For how many milliseconds it had waited.
        waited_ms: u64,
    },
    /// A client was told of a mistake.
    Refused {
        /// Of which kind.
        code: ErrorCode,
    },
    /// How a call came about, as a page says.
    SetUp(Report),
}

/// How a call came about for one of its two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Report {
    /// Whether it did.
    pub connected: bool,
    /// For how many milliseconds both tried.
    #[cfg_attr(test, ts(as = "u32"))]
    pub ms: u32,
    /// Whether it went by a relay.
    pub relayed: bool,
}

/// One of how many notes goes to the log, as it stands in the configuration: 0 for none; all where nothing that
/// is a number stands there.
#[must_use]
pub fn sampling(configured: Option<&str>) -> u32 {
    let number = configured.and_then(|text| text.trim().parse().ok());
    number.unwrap_or(1)
}

/// Up to how many milliseconds of waiting each place of [`Waits`] counts; the last one counts all others.
pub const UP_TO_MS: [u64; 7] = [0, 1_000, 3_000, 10_000, 30_000, 60_000, 300_000];

/// How long people waited until they met somebody, since the object woke up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Waits(#[cfg_attr(test, ts(as = "Vec<u32>"))] [u32; UP_TO_MS.len() + 1]);

impl Waits {
    /// Counts one of them.
    pub fn count(&mut self, waited: Millis) {
        let place = UP_TO_MS.iter().filter(|&&most| waited.get() > most).count();
        if let Some(people) = self.0.get_mut(place) {
            *people = people.saturating_add(1);
        }
    }

    /// Counts those of another one as well.
    pub fn add(&mut self, others: Self) {
        for (people, more) in self.0.iter_mut().zip(others.0) {
            *people = people.saturating_add(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_logged_where_nothing_else_is_configured() {
        for (configured, expected) in [
            (None, 1),
            (Some(""), 1),
            (Some("some"), 1),
            (Some("0.5"), 1),
            (Some(" 10 "), 10),
            (Some("0"), 0),
        ] {
            assert_eq!(sampling(configured), expected, "{configured:?}");
        }
    }

    #[test]
    fn each_wait_is_counted_once_and_in_its_place() {
        let mut waits = Waits::default();
        for (waited, place) in [
            (0, 0),
            (1, 1),
            (1_000, 1),
            (1_001, 2),
            (60_000, 5),
            (300_000, 6),
            (300_001, 7),
            (u64::MAX, 7),
        ] {
            let before = waits.0;
            waits.count(Millis::new(waited));
            let mut expected = before;
            expected[place] += 1;
            assert_eq!(waits.0, expected, "{waited}");
        }
    }
}
