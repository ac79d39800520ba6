//! What is counted, from when everybody is there.

use std::collections::BTreeMap;

use echomingle::core::note::Note;
use echomingle::core::protocol::{ErrorCode, LeaveReason};
use serde_json::{Value, json};

use crate::prices::Usage;

/// How often something was each number of milliseconds.
#[derive(Default)]
pub(crate) struct Spread(BTreeMap<u64, u64>);

impl Spread {
    pub(crate) fn note(&mut self, millis: u64) {
        *self.0.entry(millis).or_default() += 1;
    }

    fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// Under which so many of 1,000 are.
    fn quantile(&self, of_1000: u64) -> u64 {
        let mut left = self.count() * of_1000 / 1_000;
        for (&millis, &times) in &self.0 {
            if times > left {
                return millis;
            }
            left -= times;
        }
        self.0.last_key_value().map_or(0, |(&millis, _)| millis)
    }

    pub(crate) fn summary(&self) -> Value {
        json!({
            "count": self.count(),
            "p50": self.quantile(500),
            "p90": self.quantile(900),
            "p99": self.quantile(990),
            "p999": self.quantile(999),
            "max": self.0.last_key_value().map(|(&millis, _)| millis),
        })
    }
}

/// Shares of a whole.
#[derive(Default)]
pub(crate) struct Share {
    some: u64,
    all: u64,
}

impl Share {
    pub(crate) fn note(&mut self, is: bool) {
        self.all += 1;
        self.some += u64::from(is);
    }

    pub(crate) fn value(&self) -> f64 {
        self.some as f64 / self.all.max(1) as f64
    }
}

/// The most that there was in any five seconds of the clock.
#[derive(Default, Clone)]
pub(crate) struct Busy {
    slot: u64,
    count: u64,
    most: u64,
    /// After a kill everybody comes back at once.
    storm_until: u64,
    in_storms: u64,
    over: bool,
}

/// For how long that is told apart.
const STORM: u64 = 30_000;

impl Busy {
    pub(crate) fn note(&mut self, now: u64) {
        if self.over {
            return;
        }
        if now / 5_000 != self.slot {
            (self.slot, self.count) = (now / 5_000, 0);
        }
        self.count += 1;
        let most = if now < self.storm_until {
            &mut self.in_storms
        } else {
            &mut self.most
        };
        *most = self.count.max(*most);
    }

    /// Nothing counts any more.
    pub(crate) fn ends(&mut self) {
        self.over = true;
    }

    /// It was killed.
    pub(crate) fn storms(&mut self, now: u64) {
        self.storm_until = now + STORM;
        (self.slot, self.count) = (0, 0);
    }

    pub(crate) fn a_second(&self) -> f64 {
        self.most as f64 / 5.0
    }

    pub(crate) fn after_a_kill(&self) -> f64 {
        self.in_storms as f64 / 5.0
    }
}

#[derive(Default)]
pub(crate) struct Tally {
    /// From what is counted.
    pub(crate) measured: bool,
    pub(crate) usage: Usage,
    pub(crate) waits: Spread,
    /// Of those who want video and name nothing, of those who do, and of those who want text.
    pub(crate) waits_by: [Spread; 3],
    /// How much of it somebody suitable waited as well.
    pub(crate) stranded: Spread,
    pub(crate) gave_up: u64,
    pub(crate) arrivals: u64,
    pub(crate) met: u64,
    pub(crate) moves: u64,
    pub(crate) resumed: u64,
    pub(crate) ended: BTreeMap<&'static str, u64>,
    pub(crate) refused: BTreeMap<&'static str, u64>,
    pub(crate) own_region: Share,
    pub(crate) shared: Share,
    /// Of milliseconds in which people were online.
    pub(crate) person_seconds: u64,
    pub(crate) in_call_seconds: u64,
    pub(crate) most_online: u64,
    pub(crate) most_lobbies: usize,
    pub(crate) told_of_a_second: u64,
    /// The longest time in which somebody was in a call that the other one was not in, in seconds.
    pub(crate) longest_half_call: u64,
    pub(crate) longest_stranded: u64,
    pub(crate) stranded_for_5: u64,
    pub(crate) lobbies_killed: u64,
    pub(crate) directory_killed: u64,
    pub(crate) splits: u64,
    pub(crate) folds: u64,
    /// In all of the time: seconds, people, lobbies in use, and waiting.
    pub(crate) history: Vec<[u64; 4]>,
}

impl Tally {
    pub(crate) fn note(&mut self, note: Note) {
        if !self.measured {
            return;
        }
        match note {
            Note::Met { .. } => self.met += 1,
            Note::Ended { reason } => *self.ended.entry(reason_name(reason)).or_default() += 1,
            Note::Moved { .. } => self.moves += 1,
            Note::Resumed => self.resumed += 1,
            Note::Refused { code } => *self.refused.entry(code_name(code)).or_default() += 1,
            Note::Entered { .. } | Note::Gone { .. } | Note::SetUp(_) => {}
        }
    }
}

const fn reason_name(reason: LeaveReason) -> &'static str {
    match reason {
        LeaveReason::Skipped => "skipped",
        LeaveReason::Left => "left",
        LeaveReason::Lost => "lost",
        LeaveReason::Removed => "removed",
    }
}

fn code_name(code: ErrorCode) -> &'static str {
    if code == ErrorCode::BadToken {
        "badToken"
    } else if code == ErrorCode::UnknownPeer {
        "unknownPeer"
    } else {
        "other"
    }
}
