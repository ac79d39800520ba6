//! Who meets whom: the seats, the queue and the pairs of random chat.
//!
//! One event in, orders out. A lobby made of what its sockets remember goes on as if it had never been
//! away; `tests/properties.rs` holds it to that, and to the rules of matching:
//!
//! - First come, first served, among those who suit each other.
//! - Two people suit when they want the same mode, have not just met, and share an interest. After
//!   three seconds, or for who named no interest, anybody suits who thinks so too.
//! - Who just met meets again only when nobody else is there for either of them, and not at once.
//! - So after every event no two people wait who suit each other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde::{Deserialize, Serialize};

use crate::core::actor::{Actor, Effect, Event, MAX_ATTACHMENT_BYTES, SavedSeat};
use crate::core::id::PeerId;
use crate::core::interest::interests;
use crate::core::protocol::{
    ClientMessage, LeaveReason, Mode, Peer, Relayed, Role, ServerMessage, Stats,
};
use crate::core::queue::{Queue, Ticket, Wish};
use crate::core::rejection::Rejection;
use crate::core::time::Timestamp;

/// How many of its last partners somebody does not want to meet again.
pub const RECENT: usize = 3;

/// With more people than this in a queue some two of them have not just met: n people remember 3 n
/// partners, and make n (n - 1) / 2 pairs.
const ALL_MAY_HAVE_MET: usize = 2 * RECENT + 1;

/// Everything known of one connected peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    status: Status,
    /// The last partners, latest first.
    recent: Vec<PeerId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    Idle,
    Waiting(Wish),
    InCall { partner: PeerId },
}

/// Two who could meet, in the order in which pairs have a right to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    earlier: Ticket,
    later: Ticket,
    by: PeerId,
    with: PeerId,
}

/// The lobby: all seats, and the queues derived from them.
#[derive(Debug, Default)]
pub struct Lobby {
    seats: BTreeMap<PeerId, Seat>,
    video: Queue,
    text: Queue,
    calls: u32,
    next_ticket: u64,
    /// The alarm ordered last, unless it has gone off.
    alarm: Option<Timestamp>,
}

impl Actor for Lobby {
    type Seat = Seat;

    fn handle<'a>(&mut self, event: Event<'a>, now: Timestamp) -> Vec<Effect<'a>> {
        let mut effects = Vec::new();
        if matches!(event, Event::Woken) || self.alarm.is_some_and(|at| at <= now) {
            self.alarm = None;
        }
        // The queue changes with time alone, and whoever could have met before this event comes first.
        self.open_up(now, &mut effects);
        match event {
            Event::Connected { peer } => self.connect(peer, &mut effects),
            Event::Received { peer, message } if self.knows(peer) => {
                self.receive(peer, message, now, &mut effects);
            }
            Event::Disconnected { peer } => {
                self.end(peer, LeaveReason::Lost, &mut effects);
                self.seats.remove(&peer);
            }
            Event::Received { .. } | Event::Woken => {}
        }
        self.meet_again(Mode::Video, now, &mut effects);
        self.meet_again(Mode::Text, now, &mut effects);
        self.set_alarm(&mut effects);
        effects
    }

    fn restore<'a>(&mut self, seats: impl IntoIterator<Item = SavedSeat<Seat>>) -> Vec<Effect<'a>> {
        let seats = seats.into_iter().map(|SavedSeat(peer, seat)| (peer, seat));
        self.seats = seats.collect();
        let mut alone = Vec::new();
        let mut in_call = 0;
        for (&peer, seat) in &self.seats {
            match &seat.status {
                Status::Idle => {}
                Status::Waiting(wish) => {
                    self.next_ticket = self.next_ticket.max(wish.ticket.0 + 1);
                    match wish.mode {
                        Mode::Video => self.video.insert(peer, wish),
                        Mode::Text => self.text.insert(peer, wish),
                    }
                }
                &Status::InCall { partner } => match self.partner(partner) == Some(peer) {
                    true => in_call += 1,
                    false => alone.push((peer, partner)),
                },
            }
        }
        self.calls = in_call / 2;
        let mut effects = Vec::new();
        for (peer, partner) in alone {
            self.set_idle(peer, partner, LeaveReason::Lost, &mut effects);
        }
        effects
    }

    fn seat(&self, peer: PeerId) -> Option<&Seat> {
        self.seats.get(&peer)
    }
}

impl Lobby {
    /// How many people there are.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Stats {
            online: count(self.seats.len()),
            waiting: count(self.video.len() + self.text.len()),
            calls: self.calls,
        }
    }

    fn connect(&mut self, peer: PeerId, effects: &mut Vec<Effect<'_>>) {
        let seat = Seat {
            status: Status::Idle,
            recent: Vec::new(),
        };
        self.seats.insert(peer, seat);
        effects.push(Effect::Save { peer });
        effects.push(Effect::welcome(peer));
    }

    fn receive<'a>(
        &mut self,
        peer: PeerId,
        message: ClientMessage<Relayed<'a>>,
        now: Timestamp,
        effects: &mut Vec<Effect<'a>>,
    ) {
        match message {
            ClientMessage::Signal { to, data } => match self.partner(peer) {
                Some(partner) if partner == to => effects.push(Effect::Send {
                    to,
                    message: ServerMessage::Signal { from: peer, data },
                }),
                _ => effects.extend(Effect::reject(peer, &Rejection::UnknownPeer)),
            },
            ClientMessage::Find {
                mode,
                interests: named,
                offer,
            } => {
                let place = self.end(peer, LeaveReason::Skipped, effects);
                let place = place.filter(|wish| wish.mode == mode);
                let (ticket, since) = match place {
                    Some(wish) => (wish.ticket, wish.since),
                    None => (self.draw_ticket(), now),
                };
                let wish = Wish {
                    ticket,
                    since,
                    mode,
                    interests: interests(&named),
                    offer,
                };
                self.search(peer, wish, now, effects);
            }
            ClientMessage::Leave {} => {
                if self
                    .seats
                    .get(&peer)
                    .is_some_and(|seat| seat.status != Status::Idle)
                {
                    self.end(peer, LeaveReason::Left, effects);
                    effects.push(Effect::Save { peer });
                }
            }
            // No seat outlives its socket yet (`graceMs` is 0), so there is nothing to shorten.
            ClientMessage::Away {} => {}
            ClientMessage::Resume { .. } => {
                effects.extend(Effect::reject(peer, &Rejection::BadToken));
            }
            ClientMessage::Join { .. }
            | ClientMessage::Lock { .. }
            | ClientMessage::AskToMute { .. }
            | ClientMessage::Remove { .. }
            | ClientMessage::Missing { .. } => {
                effects.extend(Effect::reject(peer, &Rejection::OnlyInRooms));
            }
        }
    }

    /// Meets whoever suits, or waits.
    fn search(
        &mut self,
        peer: PeerId,
        mut wish: Wish,
        now: Timestamp,
        effects: &mut Vec<Effect<'_>>,
    ) {
        if let Some(partner) = self.suitable(peer, &wish, now) {
            self.wait(peer, wish);
            self.pair(partner, peer, effects);
            return;
        }
        // An offer that would not survive a hibernation is not kept at all; the pair then negotiates
        // the plain way.
        let room = MAX_ATTACHMENT_BYTES.saturating_sub(NOT_THE_OFFER);
        wish.offer = wish.offer.filter(|sdp| escaped_length(sdp) <= room);
        self.wait(peer, wish);
        effects.push(Effect::Save { peer });
        effects.push(Effect::Send {
            to: peer,
            message: ServerMessage::Waiting {},
        });
    }

    fn wait(&mut self, peer: PeerId, wish: Wish) {
        self.queue_mut(wish.mode).insert(peer, &wish);
        if let Some(seat) = self.seats.get_mut(&peer) {
            seat.status = Status::Waiting(wish);
        }
    }

    /// Whoever became open by `now` looks again. When several open at once, the pair of whom one has
    /// waited longest comes first, so that nobody who was there before is passed over.
    fn open_up(&mut self, now: Timestamp, effects: &mut Vec<Effect<'_>>) {
        for mode in [Mode::Video, Mode::Text] {
            let ripe = self.queue_mut(mode).ripen(now);
            let pairs = ripe
                .into_iter()
                .filter_map(|peer| self.best_pair(peer, now));
            let mut pairs: BinaryHeap<_> = pairs.map(Reverse).collect();
            while let Some(Reverse(pair)) = pairs.pop() {
                // One of them may have met somebody in the meantime.
                match self.best_pair(pair.by, now) {
                    Some(still) if still == pair => self.pair(pair.by, pair.with, effects),
                    Some(other) => pairs.push(Reverse(other)),
                    None => {}
                }
            }
        }
    }

    /// Whom somebody who waits would meet now.
    fn best_pair(&self, by: PeerId, now: Timestamp) -> Option<Pair> {
        let wish = self.wish(by)?;
        let with = self.suitable(by, wish, now)?;
        let other = self.wish(with)?.ticket;
        Some(Pair {
            earlier: wish.ticket.min(other),
            later: wish.ticket.max(other),
            by,
            with,
        })
    }

    /// The earliest in the queue who suits.
    fn suitable(&self, peer: PeerId, wish: &Wish, now: Timestamp) -> Option<PeerId> {
        let mut candidates = self.queue(wish.mode).candidates(wish, now);
        candidates.find(|&other| !self.just_met(peer, other))
    }

    /// Pairs those who just met, are tired of waiting, and have nobody else to hope for.
    fn meet_again(&mut self, mode: Mode, now: Timestamp, effects: &mut Vec<Effect<'_>>) {
        while (2..=ALL_MAY_HAVE_MET).contains(&self.queue(mode).len()) {
            let waiting: Vec<_> = self.queue(mode).all().collect();
            let hopeless = |peer: PeerId| {
                let mut others = waiting.iter().filter(|&&other| other != peer);
                let tired = self.wish(peer).is_some_and(|wish| wish.patient_at() <= now);
                tired && others.all(|&other| self.just_met(peer, other))
            };
            let mut pair = waiting.iter().copied().filter(|&peer| hopeless(peer));
            let (Some(earlier), Some(later)) = (pair.next(), pair.next()) else {
                return;
            };
            self.pair(earlier, later, effects);
        }
    }

    fn just_met(&self, one: PeerId, other: PeerId) -> bool {
        let remembers = |peer: PeerId, whom: PeerId| {
            let seat = self.seats.get(&peer);
            seat.is_some_and(|seat| seat.recent.contains(&whom))
        };
        remembers(one, other) || remembers(other, one)
    }

    /// Makes a call of two who wait. The earlier one offers, unless an offer is there already.
    fn pair(&mut self, one: PeerId, other: PeerId, effects: &mut Vec<Effect<'_>>) {
        let (Some(first), Some(second)) = (self.stop_waiting(one), self.stop_waiting(other)) else {
            return;
        };
        let (one, other, first, mut second) = match first.ticket < second.ticket {
            true => (one, other, first, second),
            false => (other, one, second, first),
        };
        let shared = first.shared(&second);
        // Of two prepared offers the one that waited longer is used.
        let second_offers = first.offer.is_none() && second.offer.is_some();
        let (offerer, answerer, offer) = match second_offers {
            true => (other, one, second.offer.take()),
            false => (one, other, first.offer),
        };
        self.calls += 1;
        for (peer, partner, role, offer) in [
            (answerer, offerer, Role::Answerer, offer),
            (offerer, answerer, Role::Offerer, None),
        ] {
            if let Some(seat) = self.seats.get_mut(&peer) {
                seat.status = Status::InCall { partner };
                seat.recent.retain(|&met| met != partner);
                seat.recent.insert(0, partner);
                seat.recent.truncate(RECENT);
            }
            effects.push(Effect::Save { peer });
            effects.push(Effect::Send {
                to: peer,
                message: ServerMessage::PeerJoined {
                    peer: Peer {
                        id: partner,
                        role,
                        name: None,
                        interests: shared.clone(),
                        offer,
                    },
                    resume: None,
                },
            });
        }
    }

    /// Ends whatever a peer is doing; its partner is told why. Gives back what it was waiting for.
    fn end(
        &mut self,
        peer: PeerId,
        reason: LeaveReason,
        effects: &mut Vec<Effect<'_>>,
    ) -> Option<Wish> {
        if let Some(partner) = self.partner(peer) {
            self.calls -= 1;
            self.set_idle(partner, peer, reason, effects);
            if let Some(seat) = self.seats.get_mut(&peer) {
                seat.status = Status::Idle;
            }
            return None;
        }
        self.stop_waiting(peer)
    }

    /// Takes a peer out of a call that `gone` has ended, and tells it.
    fn set_idle(
        &mut self,
        peer: PeerId,
        gone: PeerId,
        reason: LeaveReason,
        effects: &mut Vec<Effect<'_>>,
    ) {
        if let Some(seat) = self.seats.get_mut(&peer) {
            seat.status = Status::Idle;
            effects.push(Effect::Save { peer });
            effects.push(Effect::Send {
                to: peer,
                message: ServerMessage::PeerLeft { peer: gone, reason },
            });
        }
    }

    fn stop_waiting(&mut self, peer: PeerId) -> Option<Wish> {
        let seat = self.seats.get_mut(&peer)?;
        if !matches!(seat.status, Status::Waiting(_)) {
            return None;
        }
        let Status::Waiting(wish) = std::mem::replace(&mut seat.status, Status::Idle) else {
            return None;
        };
        self.queue_mut(wish.mode).remove(&wish);
        Some(wish)
    }

    fn set_alarm(&mut self, effects: &mut Vec<Effect<'_>>) {
        let openings = [self.video.next_opening(), self.text.next_opening()];
        let Some(next) = openings.into_iter().flatten().min() else {
            return;
        };
        if self.alarm.is_none_or(|at| next < at) {
            self.alarm = Some(next);
            effects.push(Effect::WakeAt(next));
        }
    }

    fn draw_ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket - 1)
    }

    fn partner(&self, peer: PeerId) -> Option<PeerId> {
        match self.seats.get(&peer)?.status {
            Status::InCall { partner } => Some(partner),
            Status::Idle | Status::Waiting(_) => None,
        }
    }

    fn wish(&self, peer: PeerId) -> Option<&Wish> {
        match &self.seats.get(&peer)?.status {
            Status::Waiting(wish) => Some(wish),
            Status::Idle | Status::InCall { .. } => None,
        }
    }

    fn queue(&self, mode: Mode) -> &Queue {
        match mode {
            Mode::Video => &self.video,
            Mode::Text => &self.text,
        }
    }

    fn queue_mut(&mut self, mode: Mode) -> &mut Queue {
        match mode {
            Mode::Video => &mut self.video,
            Mode::Text => &mut self.text,
        }
    }
}

/// The most that a seat takes in an attachment beside its offer: 8 interests of 32 characters, each
/// at most 6 bytes in JSON, 4 ids, and the names of the fields.
const NOT_THE_OFFER: usize = 2_048;

/// How long a text is as a JSON string: line ends, quotes and backslashes take two bytes, other
/// control characters six.
fn escaped_length(text: &str) -> usize {
    let length = |byte: u8| match byte {
        b'"' | b'\\' | b'\r' | b'\n' | b'\t' | 8 | 12 => 2,
        0..32 => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}
