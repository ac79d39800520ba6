//! Who waits, in order, found by what they like.
//!
//! The rule of this file: an index and no policy. It answers who of those who might suit somebody was
//! there first, in O(log n) for each interest; whether two people really suit is the lobby's to say.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::id::PeerId;
use crate::core::interest::Interest;
use crate::core::protocol::Mode;
use crate::core::redacted::Redacted;
use crate::core::time::{Millis, Timestamp};

/// For how long somebody is particular: nobody without a shared interest, nobody met just now. After
/// that company is better than waiting. The longest with which 99 of 100 wait less than two seconds, where there are
/// people enough (docs/scale/people.md).
pub(super) const PARTICULAR: Millis = Millis::new(1_500);

/// A place in the queue: since when, and the how manyth of this lobby, in one number. The smaller was there first,
/// wherever it began to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Ticket(u64);

impl Ticket {
    /// So many bits count, round and round: four million in one millisecond. That leaves the time until the year 2109.
    const BITS: u32 = 22;

    /// The place of who begins to wait now, with a number that nobody else has.
    pub(super) const fn new(since: Timestamp, number: u64) -> Self {
        let number = number & ((1 << Self::BITS) - 1);
        Self(since.unix_millis() << Self::BITS | number)
    }

    /// Since when.
    pub(super) const fn since(self) -> Timestamp {
        Timestamp::from_unix_millis(self.0 >> Self::BITS)
    }

    /// The number.
    pub(super) const fn number(self) -> u64 {
        self.0 & ((1 << Self::BITS) - 1)
    }
}

/// Whom somebody looks for, since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wish {
    pub(super) ticket: Ticket,
    pub(super) mode: Mode,
    pub(super) interests: Vec<Interest>,
    pub(super) offer: Option<Redacted>,
    pub(super) crosses: bool,
}

impl Wish {
    /// Since when.
    pub(super) const fn since(&self) -> Timestamp {
        self.ticket.since()
    }

    /// When its owner stops being particular.
    pub(super) fn patient_at(&self) -> Timestamp {
        self.since().after(PARTICULAR)
    }

    /// Whether anybody will do: nothing in particular was named, or not found in time.
    pub(super) fn open(&self, now: Timestamp) -> bool {
        self.interests.is_empty() || self.patient_at() <= now
    }

    /// The interests that both name.
    pub(super) fn shared(&self, other: &Self) -> Vec<String> {
        let both = self.interests.iter();
        both.filter(|interest| other.interests.binary_search(interest).is_ok())
            .map(|interest| interest.as_str().into())
            .collect()
    }
}

/// Everybody who waits for the same mode.
#[derive(Debug, Default)]
pub(super) struct Queue {
    all: BTreeMap<Ticket, PeerId>,
    /// Those for whom anybody will do.
    open: BTreeMap<Ticket, PeerId>,
    /// Earliest first. Those who like the same and still wait have just met, so they are few.
    by_interest: BTreeMap<Interest, Vec<(Ticket, PeerId)>>,
    /// Those who are still particular, by when they stop.
    particular: BTreeSet<(Timestamp, Ticket)>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether two have stopped being particular.
    pub(super) fn two_are_patient(&self) -> bool {
        self.all.len() > self.particular.len() + 1
    }

    /// Since when the first waits of those who began after a moment.
    pub(super) fn first_after(&self, moment: Option<Timestamp>) -> Option<Timestamp> {
        let from = moment.map_or(Timestamp::from_unix_millis(0), |moment| {
            moment.after(Millis::new(1))
        });
        let (ticket, _) = self.all.range(Ticket::new(from, 0)..).next()?;
        Some(ticket.since())
    }

    /// Everybody, earliest first.
    pub(super) fn all(&self) -> impl Iterator<Item = PeerId> {
        self.all.values().copied()
    }

    pub(super) fn insert(&mut self, peer: PeerId, wish: &Wish) {
        self.all.insert(wish.ticket, peer);
        self.particular.insert((wish.patient_at(), wish.ticket));
        if wish.interests.is_empty() {
            self.open.insert(wish.ticket, peer);
        }
        for interest in &wish.interests {
            let line = self.by_interest.entry(interest.clone()).or_default();
            let place = line.partition_point(|&(ticket, _)| ticket < wish.ticket);
            line.insert(place, (wish.ticket, peer));
        }
    }

    pub(super) fn remove(&mut self, wish: &Wish) {
        self.all.remove(&wish.ticket);
        self.open.remove(&wish.ticket);
        self.particular.remove(&(wish.patient_at(), wish.ticket));
        for interest in &wish.interests {
            if let Some(line) = self.by_interest.get_mut(interest) {
                line.retain(|&(ticket, _)| ticket != wish.ticket);
                if line.is_empty() {
                    self.by_interest.remove(interest);
                }
            }
        }
    }

    /// Opens those who have been particular for long enough by `now`. If there are any, all who are open
    /// are named, earliest first.
    pub(super) fn ripen(&mut self, now: Timestamp) -> Vec<PeerId> {
        let mut open = Vec::new();
        while let Some(&(at, ticket)) = self.particular.first()
            && at <= now
        {
            self.particular.pop_first();
            if let Some(&peer) = self.all.get(&ticket) {
                self.open.insert(ticket, peer);
                open.push(peer);
            }
        }
        if !open.is_empty() {
            open = self.open.values().copied().collect();
        }
        open
    }

    /// When somebody opens next, if that could help: alone there is nobody to open to.
    pub(super) fn next_opening(&self) -> Option<Timestamp> {
        let (at, _) = self.particular.first()?;
        (self.len() > 1).then_some(*at)
    }

    /// The earliest who suits of those who share an interest with `wish`, and of all who are open if it
    /// is open too.
    pub(super) fn earliest(
        &self,
        wish: &Wish,
        now: Timestamp,
        suits: impl Fn(PeerId) -> bool,
    ) -> Option<PeerId> {
        let suits = |&(ticket, peer): &(Ticket, PeerId)| ticket != wish.ticket && suits(peer);
        let lines = wish.interests.iter();
        let lines = lines.filter_map(|interest| self.by_interest.get(interest));
        let shared = lines.filter_map(|line| line.iter().copied().find(suits));
        let open = wish.open(now).then(|| {
            let mut open = self.open.iter().map(|(&ticket, &peer)| (ticket, peer));
            open.find(suits)
        });
        let (_, peer) = shared.chain(open.flatten()).min()?;
        Some(peer)
    }
}
