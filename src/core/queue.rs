//! Who waits, in order, found by what they like.
//!
//! The rule of this file: an index and no policy. It answers who might suit somebody, earliest first,
//! in O(log n) a step; whether two people really suit is the lobby's to say.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use serde::{Deserialize, Serialize};

use crate::core::id::PeerId;
use crate::core::interest::Interest;
use crate::core::protocol::Mode;
use crate::core::time::{Millis, Timestamp};

/// For how long somebody is particular: nobody without a shared interest, nobody met just now. After
/// that company is better than waiting.
pub(super) const PARTICULAR: Millis = Millis::new(3_000);

/// A place in the queue; the smaller was there first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Ticket(pub(super) u64);

/// Whom somebody looks for, since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wish {
    pub(super) ticket: Ticket,
    pub(super) since: Timestamp,
    pub(super) mode: Mode,
    pub(super) interests: Vec<Interest>,
    pub(super) offer: Option<String>,
    pub(super) crosses: bool,
}

impl Wish {
    /// When its owner stops being particular.
    pub(super) fn patient_at(&self) -> Timestamp {
        self.since.after(PARTICULAR)
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
    by_interest: BTreeMap<Interest, BTreeMap<Ticket, PeerId>>,
    /// Those who are still particular, by when they stop.
    particular: BTreeSet<(Timestamp, Ticket)>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.all.len()
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
            line.insert(wish.ticket, peer);
        }
    }

    pub(super) fn remove(&mut self, wish: &Wish) {
        self.all.remove(&wish.ticket);
        self.open.remove(&wish.ticket);
        self.particular.remove(&(wish.patient_at(), wish.ticket));
        for interest in &wish.interests {
            if let Some(line) = self.by_interest.get_mut(interest) {
                line.remove(&wish.ticket);
                if line.is_empty() {
                    self.by_interest.remove(interest);
                }
            }
        }
    }

    /// Opens those who have been particular for long enough by `now`, and names them in order.
    pub(super) fn ripen(&mut self, now: Timestamp) -> Vec<PeerId> {
        let mut ripe = Vec::new();
        while let Some(&(at, ticket)) = self.particular.first()
            && at <= now
        {
            self.particular.pop_first();
            if let Some(&peer) = self.all.get(&ticket) {
                self.open.insert(ticket, peer);
                ripe.push(peer);
            }
        }
        ripe
    }

    /// When somebody opens next, if that could help: alone there is nobody to open to.
    pub(super) fn next_opening(&self) -> Option<Timestamp> {
        let (at, _) = self.particular.first()?;
        (self.len() > 1).then_some(*at)
    }

    /// Those who share an interest with `wish`, and all who are open if it is open too, each once and
    /// earliest first, its own owner left out.
    pub(super) fn candidates(&self, wish: &Wish, now: Timestamp) -> impl Iterator<Item = PeerId> {
        let shared = wish.interests.iter();
        let open = wish.open(now).then_some(&self.open);
        let mut lines: Vec<_> = shared
            .filter_map(|interest| self.by_interest.get(interest))
            .chain(open)
            .map(|line| line.iter().peekable())
            .collect();
        let own = wish.ticket;
        iter::from_fn(move || {
            let earliest = lines.iter_mut().filter_map(|line| line.peek().copied());
            let (ticket, peer) = earliest.min()?;
            for line in &mut lines {
                line.next_if(|(other, _)| *other == ticket);
            }
            Some((ticket, *peer))
        })
        .filter(move |(ticket, _)| **ticket != own)
        .map(|(_, peer)| peer)
    }
}
