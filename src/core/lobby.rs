//! Who meets whom: the seats, the queue and the pairs of random chat.
//!
//! One event in, orders out. A lobby made of what its sockets remember goes on as if it had never been
//! away; `tests/properties.rs` holds it to that, and to the rules of matching:
//!
//! - First come, first served, among those who suit each other.
//! - Two people suit when they want the same mode, have not just met, and share an interest. After
//!   a second and a half, or for who named no interest, anybody suits who thinks so too.
//! - Who just met meets again only when nobody else is there for either of them, and not at once.
//! - Nobody meets somebody of whom nothing was heard for 45 seconds: a network that went away closes no socket.
//! - So after every event no two people wait who suit each other.
//! - Who waits for somebody in a lobby that is not in use any more, or alone, moves to another one (`moving`).
//!
//! Who loses its socket in a call is away for a while, which its partner's seat remembers; its own seat is
//! in its token ([`resume`](crate::core::resume)). A call of which both are away is in two tokens and
//! nowhere else, and the first who comes back holds it for the other.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::actor::{Actor, Effect, Event, LastHeard, SILENCE, SavedSeat};
use crate::core::id::PeerId;
use crate::core::interest::interests;
use crate::core::layout::LobbyName;
use crate::core::note::{Note, Waits};
use crate::core::outlook::Outlook;
use crate::core::protocol::{
    ClientMessage, LeaveReason, Mode, Peer, Relayed, Role, ServerMessage, Stats,
};
use crate::core::queue::{Queue, Ticket, Wish};
use crate::core::redacted::Redacted;
use crate::core::region::Region;
use crate::core::rejection::Rejection;
use crate::core::resume::{Claim, Claimed, GRACE, Key, PROOF, Signer, grace};
use crate::core::time::{Millis, Timestamp};

mod moving;

use self::moving::{Moving, redirect};

/// How many of its last partners somebody does not want to meet again.
pub const RECENT: usize = 3;

/// With so many searches a second whatever is due happens with the next of them. An alarm is then for when they stop, and
/// may come a little later: each one that is set is a row that is paid for (docs/costs.md).
const STEADY: u32 = 10;
const COARSE: Millis = Millis::new(5_000);

/// With more people than this in a queue some two of them have not just met: n people remember 3 n
/// partners, and make n (n - 1) / 2 pairs.
const ALL_MAY_HAVE_MET: usize = 2 * RECENT + 1;

/// Everything known of one connected peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    status: Status,
    /// Where in the world its socket comes from.
    region: Region,
    /// The last partners, latest first.
    recent: Vec<PeerId>,
    /// Whether its page said that it goes away, and nothing since.
    leaving: bool,
}

impl Seat {
    const fn idle(recent: Vec<PeerId>, region: Region) -> Self {
        Self {
            status: Status::Idle,
            region,
            recent,
            leaving: false,
        }
    }

    fn call(&self) -> Option<&Pairing> {
        match &self.status {
            Status::InCall(call) => Some(call),
            Status::Idle | Status::Waiting(_) | Status::Claiming(_) | Status::Moving(_) => None,
        }
    }

    fn pass(&self) -> Pass {
        Pass {
            call: self.call().map(|call| (call.partner, call.role)),
            recent: self.recent.clone(),
            wish: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    Idle,
    Waiting(Wish),
    InCall(Pairing),
    Claiming(Claim<Pass>),
    Moving(Moving),
}

/// One's side of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pairing {
    partner: PeerId,
    role: Role,
    /// Until when the partner may come back. Nothing while it is there; then its pairing is with us.
    away: Option<Timestamp>,
}

/// What a token carries of a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pass {
    call: Option<(PeerId, Role)>,
    recent: Vec<PeerId>,
    /// What its owner looks for, who was sent here by another lobby.
    wish: Option<Wish>,
}

/// The lobby: all seats, and the queues derived from them.
#[derive(Debug)]
pub struct Lobby {
    signer: Signer,
    seats: BTreeMap<PeerId, Seat>,
    video: Queue,
    text: Queue,
    /// Those whose partner is away, by when they wait no longer.
    bereft: BTreeSet<(Timestamp, PeerId)>,
    claimed: Claimed,
    /// Those who are on the way to another lobby, by when they wait here again.
    moving: BTreeSet<(Timestamp, PeerId)>,
    /// Those who came from another lobby in this step.
    arrived: Vec<PeerId>,
    outlook: Outlook,
    next_ticket: u64,
    /// Which the latest move is.
    moves: u64,
    /// The alarm ordered last, unless it has gone off.
    alarm: Option<Timestamp>,
    /// Not remembered: a statistic.
    waits: Waits,
}

impl Actor for Lobby {
    type Seat = Seat;

    fn handle<'a>(
        &mut self,
        event: Event<'a>,
        now: Timestamp,
        heard: LastHeard<'_>,
    ) -> Vec<Effect<'a>> {
        let mut effects = Vec::new();
        if matches!(event, Event::Woken) || self.alarm.is_some_and(|at| at <= now) {
            self.alarm = None;
        }
        // Time alone changes things, and what it has changed by now came before this event.
        self.give_up(now, &mut effects);
        self.open_up(now, heard, &mut effects);
        self.settle(now, heard, &mut effects);
        match event {
            Event::Connected { peer, region } => {
                self.outlook.messages.count(now);
                self.connect(peer, region, now, &mut effects);
            }
            Event::Received { peer, message } if self.knows(peer) => {
                self.receive(peer, message, now, heard, &mut effects);
            }
            Event::Disconnected { peer } => {
                self.outlook.messages.count(now);
                self.outlook.changes(now);
                self.disconnect(peer, now, &mut effects);
            }
            Event::Advised(advice) => self.advised(advice, now, &mut effects),
            Event::Expected {
                peer,
                number,
                token,
            } => self.expected(peer, number, token, now, heard, &mut effects),
            Event::Received { .. } | Event::Woken => {}
        }
        self.decide_claims(now, heard, &mut effects);
        self.look_around(now, heard, &mut effects);
        self.meet_again(Mode::Video, now, heard, &mut effects);
        self.meet_again(Mode::Text, now, heard, &mut effects);
        self.arrived.clear();
        self.report(now, &mut effects);
        self.set_alarm(now, &mut effects);
        effects
    }

    fn recall(&mut self, SavedSeat(peer, seat, _): SavedSeat<Seat>) {
        self.seats.insert(peer, seat);
    }

    fn restore<'a>(&mut self, now: Timestamp) -> Vec<Effect<'a>> {
        let mut alone = Vec::new();
        let mut free = Vec::new();
        for (&peer, seat) in &self.seats {
            match &seat.status {
                Status::Idle => {}
                Status::Waiting(wish) => {
                    self.next_ticket = self.next_ticket.max(wish.ticket.number() + 1);
                    match wish.mode {
                        Mode::Video => self.video.insert(peer, wish),
                        Mode::Text => self.text.insert(peer, wish),
                    }
                }
                Status::InCall(call) => match call.away {
                    Some(until) => {
                        self.bereft.insert((until, peer));
                    }
                    None if self.partner(call.partner) == Some(peer) => {}
                    None => alone.push(peer),
                },
                Status::Moving(moving) => {
                    self.next_ticket = self.next_ticket.max(moving.wish.ticket.number() + 1);
                    self.moves = self.moves.max(moving.number());
                    self.moving.insert((moving.until, peer));
                }
                Status::Claiming(claim) => {
                    self.claimed.insert(peer, claim);
                    if !self.knows(claim.seat) {
                        free.push(claim.seat);
                    }
                }
            }
        }
        self.outlook.changes(now);
        let mut effects = Vec::new();
        for peer in alone {
            self.miss(peer, now.after(GRACE), &mut effects);
        }
        for seat in free {
            self.hand_over(seat, now, &mut effects);
        }
        // What was to come before has its alarm.
        if !effects.is_empty() {
            self.set_alarm(now, &mut effects);
        }
        effects
    }

    fn relays(&self, from: PeerId, to: PeerId) -> bool {
        let seat = self.seats.get(&from).filter(|seat| !seat.leaving);
        match seat.map(|seat| &seat.status) {
            // To somebody who is away it would come too late.
            Some(Status::InCall(call)) => call.partner == to && call.away.is_none(),
            Some(Status::Idle | Status::Waiting(_) | Status::Claiming(_) | Status::Moving(_))
            | None => false,
        }
    }

    fn hears(&mut self, now: Timestamp) {
        self.outlook.messages.count(now);
    }

    fn seat(&self, peer: PeerId) -> Option<&Seat> {
        self.seats.get(&peer)
    }
}

impl Lobby {
    /// An empty lobby, beside which there is no other one. Its tokens are signed with this key.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self::with(key, Outlook::new(LobbyName::Global, false))
    }

    /// Likewise, with others beside it, of which the directory knows.
    #[must_use]
    pub fn among_others(name: LobbyName, key: Key) -> Self {
        Self::with(key, Outlook::new(name, true))
    }

    fn with(key: Key, outlook: Outlook) -> Self {
        Self {
            signer: Signer::new(&key),
            seats: BTreeMap::new(),
            video: Queue::default(),
            text: Queue::default(),
            bereft: BTreeSet::new(),
            claimed: Claimed::default(),
            moving: BTreeSet::new(),
            arrived: Vec::new(),
            outlook,
            next_ticket: 0,
            moves: 0,
            alarm: None,
            waits: Waits::default(),
        }
    }

    /// How many people there are.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (_, calls) = self.census();
        Stats {
            online: count(self.seats.len()),
            waiting: count(self.video.len() + self.text.len() + self.moving.len()),
            calls,
            waits: self.waits,
        }
    }

    /// How many people of each region there are, and how many calls.
    fn census(&self) -> ([u32; Region::COUNT], u32) {
        let mut people = [0; Region::COUNT];
        let mut in_call = 0;
        for seat in self.seats.values() {
            people[seat.region as usize] += 1;
            in_call += usize::from(seat.call().is_some());
        }
        (people, count(in_call + self.bereft.len()) / 2)
    }

    fn connect(
        &mut self,
        peer: PeerId,
        region: Region,
        now: Timestamp,
        effects: &mut Vec<Effect<'_>>,
    ) {
        self.seats.insert(peer, Seat::idle(Vec::new(), region));
        effects.push(Effect::Save { peer });
        effects.push(Effect::welcome(peer, self.token(peer, now), Vec::new()));
    }

    /// A socket is gone. A call goes on without it for a while.
    fn disconnect(&mut self, peer: PeerId, now: Timestamp, effects: &mut Vec<Effect<'_>>) {
        let leaving = self.seats.get(&peer).is_some_and(|seat| seat.leaving);
        match self.pairing(peer) {
            Some(&Pairing {
                partner,
                away: None,
                ..
            }) => self.miss(partner, now.after(grace(leaving)), effects),
            Some(_) | None => {
                self.end(peer, LeaveReason::Lost, effects);
            }
        }
        self.seats.remove(&peer);
        self.hand_over(peer, now, effects);
    }

    /// Somebody has been silent for too long.
    fn evict(&mut self, peer: PeerId, now: Timestamp, effects: &mut Vec<Effect<'_>>) {
        effects.push(Effect::Evict { peer });
        self.disconnect(peer, now, effects);
    }

    /// The partner of somebody is away.
    fn miss(&mut self, peer: PeerId, until: Timestamp, effects: &mut Vec<Effect<'_>>) {
        if let Some(Seat {
            status: Status::InCall(call),
            ..
        }) = self.seats.get_mut(&peer)
        {
            call.away = Some(until);
            self.bereft.insert((until, peer));
            effects.push(Effect::Save { peer });
            effects.push(Effect::Send {
                to: peer,
                message: ServerMessage::PeerAway { peer: call.partner },
            });
        }
    }

    /// Whoever was away for too long is gone.
    fn give_up(&mut self, now: Timestamp, effects: &mut Vec<Effect<'_>>) {
        while let Some(&(until, peer)) = self.bereft.first()
            && until <= now
        {
            self.bereft.pop_first();
            if let Some(partner) = self.partner(peer) {
                let reason = LeaveReason::Lost;
                effects.push(Effect::Count(Note::Ended { reason }));
                self.set_idle(peer, partner, reason, effects);
            }
        }
    }

    /// Takes a token. Somebody whose socket is still there may be the one who asks, so it is seen first
    /// whether anybody is at its end.
    fn resume(&mut self, by: PeerId, token: &str, now: Timestamp, effects: &mut Vec<Effect<'_>>) {
        let token = match self.ours(token) {
            Ok(token) => token,
            Err(other) => return effects.push(redirect(by, other, None)),
        };
        let idle = self.seats.get(&by).map(|seat| &seat.status) == Some(&Status::Idle);
        match self.signer.open(token, now) {
            Some((seat, pass)) if idle && seat != by && !self.claimed.contains(seat) => {
                if !self.knows(seat) {
                    return self.take_back(by, seat, pass, now, effects);
                }
                let until = now.after(PROOF);
                let claim = Claim { seat, pass, until };
                self.claimed.insert(by, &claim);
                self.set(by, Status::Claiming(claim), effects);
                effects.push(Effect::Send {
                    to: seat,
                    message: ServerMessage::StillThere {},
                });
            }
            Some(_) | None => effects.extend(Effect::reject(by, &Rejection::BadToken)),
        }
    }

    /// Whoever had its time to show that it lives keeps its seat, or was dead.
    fn decide_claims(
        &mut self,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'_>>,
    ) {
        while let Some((seat, since)) = self.claimed.due(now) {
            if heard(seat) < Some(since) {
                self.evict(seat, now, effects);
            } else if let Some(by) = self.claimed.remove(seat) {
                self.refuse(by, Vec::new(), effects);
            }
        }
    }

    /// A seat is free, as is that of whoever takes another. If somebody has claimed it, it is that one's
    /// now.
    fn hand_over(&mut self, seat: PeerId, now: Timestamp, effects: &mut Vec<Effect<'_>>) {
        if let Some(by) = self.claimed.remove(seat)
            && let Some(Status::Claiming(claim)) = self.seats.get(&by).map(|seat| &seat.status)
        {
            let pass = claim.pass.clone();
            self.take_back(by, seat, pass, now, effects);
        }
    }

    /// Gives a free seat back to its owner, and the call if it goes on: the partner waits for it, or was
    /// lost as well.
    fn take_back(
        &mut self,
        by: PeerId,
        peer: PeerId,
        pass: Pass,
        now: Timestamp,
        effects: &mut Vec<Effect<'_>>,
    ) {
        let call = match pass.call {
            Some((partner, _)) if self.knows(partner) => match self.pairing(partner) {
                // A token may be of another call of the same two.
                Some(theirs) if theirs.partner == peer => Some(Pairing {
                    partner,
                    role: theirs.role.opposite(),
                    away: None,
                }),
                Some(_) | None => return self.refuse(by, pass.recent, effects),
            },
            Some((partner, role)) => Some(Pairing {
                partner,
                role,
                away: Some(now.after(GRACE)),
            }),
            None => None,
        };
        let before = self.seats.remove(&by);
        let region = before.map(|seat| seat.region).unwrap_or_default();
        self.seats.insert(peer, Seat::idle(pass.recent, region));
        effects.push(Effect::Rename { from: by, to: peer });
        let others = call.iter().map(|call| met(call.partner, call.role));
        let others = others.collect();
        if let Some(call) = call.clone() {
            self.set(peer, Status::InCall(call), effects);
        } else {
            effects.push(Effect::Save { peer });
        }
        effects.push(Effect::welcome(peer, self.token(peer, now), others));
        effects.push(Effect::Count(Note::Resumed));
        match call {
            Some(Pairing {
                away: Some(until), ..
            }) => self.miss(peer, until, effects),
            Some(Pairing { partner, .. }) => self.find_again(partner, effects),
            None => {}
        }
        if let Some(wish) = pass.wish {
            let ticket = Ticket::new(wish.since(), self.draw_number());
            self.wait(peer, Wish { ticket, ..wish }, effects);
            self.arrived.push(peer);
        }
        self.hand_over(by, now, effects);
    }

    /// The partner of somebody is back.
    fn find_again(&mut self, peer: PeerId, effects: &mut Vec<Effect<'_>>) {
        if let Some(Seat {
            status: Status::InCall(call),
            ..
        }) = self.seats.get_mut(&peer)
            && let Some(until) = call.away.take()
        {
            self.bereft.remove(&(until, peer));
            effects.push(Effect::Save { peer });
            effects.push(Effect::Send {
                to: peer,
                message: ServerMessage::PeerBack { peer: call.partner },
            });
        }
    }

    /// A token resumes nothing any more. Whom its owner met it need not meet again, beside those whom it
    /// met since.
    fn refuse(&mut self, by: PeerId, recent: Vec<PeerId>, effects: &mut Vec<Effect<'_>>) {
        if let Some(seat) = self.seats.get_mut(&by) {
            seat.status = Status::Idle;
            let before = recent.into_iter();
            let before = before.filter(|met| !seat.recent.contains(met));
            let before: Vec<_> = before.collect();
            seat.recent.extend(before);
            seat.recent.truncate(RECENT);
            effects.push(Effect::Save { peer: by });
        }
        effects.extend(Effect::reject(by, &Rejection::BadToken));
    }

    /// The token of somebody as it is now.
    fn token(&self, peer: PeerId, now: Timestamp) -> Option<Redacted> {
        let seat = self.seats.get(&peer)?;
        let sealed = self.signer.seal(peer, seat.pass(), now)?;
        Some(self.addressed(&sealed))
    }

    fn set(&mut self, peer: PeerId, status: Status, effects: &mut Vec<Effect<'_>>) {
        if let Some(seat) = self.seats.get_mut(&peer) {
            seat.status = status;
            effects.push(Effect::Save { peer });
        }
    }

    /// Takes note of whether a page goes away.
    fn hear(&mut self, peer: PeerId, leaving: bool, effects: &mut Vec<Effect<'_>>) {
        if let Some(seat) = self.seats.get_mut(&peer)
            && seat.leaving != leaving
        {
            seat.leaving = leaving;
            effects.push(Effect::Save { peer });
        }
    }

    fn receive<'a>(
        &mut self,
        peer: PeerId,
        message: ClientMessage<Relayed<'a>>,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'a>>,
    ) {
        self.hear(peer, matches!(message, ClientMessage::Away {}), effects);
        match message {
            ClientMessage::Signal { to, data } if self.relays(peer, to) => {
                let message = ServerMessage::Signal { from: peer, data };
                effects.push(Effect::Send { to, message });
            }
            ClientMessage::Signal { to, .. } => {
                if self.partner(peer) != Some(to) {
                    effects.extend(Effect::reject(peer, &Rejection::UnknownPeer));
                }
            }
            ClientMessage::Find {
                mode,
                interests: named,
                offer,
                crosses,
                last,
            } => {
                let last = last.map(|report| Effect::Count(Note::SetUp(report)));
                effects.extend(last);
                let told_to_go = self.told_to_go(peer);
                let place = self.end(peer, LeaveReason::Skipped, effects);
                let place = place.filter(|wish| wish.mode == mode);
                let place = place.map(|wish| wish.ticket);
                let wish = Wish {
                    ticket: place.unwrap_or_else(|| Ticket::new(now, self.draw_number())),
                    mode,
                    interests: interests(&named),
                    offer,
                    crosses,
                };
                self.outlook.searches.count(now);
                if let Some(moving) = told_to_go {
                    return self.still_goes(peer, moving, wish, effects);
                }
                let region = self.seats.get(&peer).map(|seat| seat.region);
                let random = peer.number() ^ now.unix_millis();
                let elsewhere = self
                    .outlook
                    .elsewhere(region.unwrap_or_default(), random, now);
                match elsewhere {
                    Some(to) => {
                        self.move_to(peer, to, wish, now, effects);
                        // What it brought is in good hands, as its page is to know.
                        effects.push(Effect::Send {
                            to: peer,
                            message: ServerMessage::Waiting {},
                        });
                    }
                    None => self.search(peer, wish, now, heard, effects),
                }
            }
            ClientMessage::Offer { offer } => self.renew(peer, offer, now, heard, effects),
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
            ClientMessage::Away {} => {}
            ClientMessage::Resume { token } => self.resume(peer, token.expose(), now, effects),
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
        wish: Wish,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'_>>,
    ) {
        while let Some(partner) = self.suitable(peer, &wish, now) {
            if self.is_there(partner, now, heard, effects)
                && let Some(theirs) = self.end(partner, LeaveReason::Skipped, effects)
            {
                return self.pair((partner, theirs), (peer, wish), now, effects);
            }
        }
        self.wait(peer, wish, effects);
    }

    /// Waits, until somebody else looks.
    fn wait(&mut self, peer: PeerId, wish: Wish, effects: &mut Vec<Effect<'_>>) {
        self.queue_mut(wish.mode).insert(peer, &wish);
        if let Some(seat) = self.seats.get_mut(&peer) {
            seat.status = Status::Waiting(wish);
        }
        effects.push(Effect::Save { peer });
        effects.push(Effect::Send {
            to: peer,
            message: ServerMessage::Waiting {},
        });
    }

    /// Somebody who waits has prepared another connection. Who is about to move stays: the other lobby has the
    /// offer from before. But who was told to go may be gone.
    fn renew(
        &mut self,
        peer: PeerId,
        offer: Redacted,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'_>>,
    ) {
        let told_to_go = self.told_to_go(peer);
        if let Some(Status::Moving(_)) = self.seats.get(&peer).map(|seat| &seat.status)
            && let Some(wish) = self.end(peer, LeaveReason::Left, effects)
        {
            let offer = Some(offer);
            let wish = Wish { offer, ..wish };
            return match told_to_go {
                Some(moving) => self.still_goes(peer, moving, wish, effects),
                None => self.search(peer, wish, now, heard, effects),
            };
        }
        if let Some(Seat {
            status: Status::Waiting(wish),
            ..
        }) = self.seats.get_mut(&peer)
        {
            wish.offer = Some(offer);
            effects.push(Effect::Save { peer });
            effects.push(Effect::Send {
                to: peer,
                message: ServerMessage::Waiting {},
            });
        }
    }

    /// Whoever became open by `now` looks again. When several open at once, the pair of whom one has
    /// waited longest comes first, so that nobody who was there before is passed over.
    fn open_up(&mut self, now: Timestamp, heard: LastHeard<'_>, effects: &mut Vec<Effect<'_>>) {
        for mode in [Mode::Video, Mode::Text] {
            for peer in self.queue_mut(mode).ripen(now) {
                self.look_again(peer, now, heard, effects);
            }
        }
    }

    /// Whoever came from another lobby looks for somebody in this one.
    fn look_around(&mut self, now: Timestamp, heard: LastHeard<'_>, effects: &mut Vec<Effect<'_>>) {
        for peer in self.arrived.clone() {
            self.look_again(peer, now, heard, effects);
            if self.wish(peer).is_some() {
                self.outlook.misses(now);
            }
        }
    }

    /// Meets whoever suits, unless it has met somebody in the meantime.
    fn look_again(
        &mut self,
        peer: PeerId,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'_>>,
    ) {
        while let Some(wish) = self.wish(peer)
            && let Some(partner) = self.suitable(peer, wish, now)
        {
            self.pair_if_there(peer, partner, now, heard, effects);
        }
    }

    /// The earliest in the queue who suits.
    fn suitable(&self, peer: PeerId, wish: &Wish, now: Timestamp) -> Option<PeerId> {
        let suits = |other| !self.just_met(peer, other);
        self.queue(wish.mode).earliest(wish, now, suits)
    }

    /// Whether somebody who waits still does. Who began a moment ago was heard then; who waits for long may
    /// have lost its network meanwhile, and is gone if it is silent. Who came from another lobby has just spoken, on
    /// a socket that is not known by its name yet.
    fn is_there(
        &mut self,
        peer: PeerId,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'_>>,
    ) -> bool {
        let since = now.before(SILENCE);
        let asked = self.wish(peer).filter(|wish| wish.since() < since);
        let asked = asked.filter(|_| !self.arrived.contains(&peer));
        let silent = asked.is_some() && heard(peer) < Some(since);
        if silent {
            self.evict(peer, now, effects);
        }
        !silent
    }

    /// Pairs those who just met, are tired of waiting, and have nobody else to hope for.
    fn meet_again(
        &mut self,
        mode: Mode,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'_>>,
    ) {
        while self.queue(mode).len() <= ALL_MAY_HAVE_MET && self.queue(mode).two_are_patient() {
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
            self.pair_if_there(earlier, later, now, heard, effects);
        }
    }

    fn just_met(&self, one: PeerId, other: PeerId) -> bool {
        let remembers = |peer: PeerId, whom: PeerId| {
            let seat = self.seats.get(&peer);
            seat.is_some_and(|seat| seat.recent.contains(&whom))
        };
        remembers(one, other) || remembers(other, one)
    }

    /// Makes a call of two who wait, if both still do.
    fn pair_if_there(
        &mut self,
        one: PeerId,
        other: PeerId,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'_>>,
    ) {
        let mut is_there = |peer| self.is_there(peer, now, heard, effects);
        if !is_there(one) || !is_there(other) {
            return;
        }
        let mut stop_waiting = |peer| self.end(peer, LeaveReason::Skipped, effects);
        if let (Some(first), Some(second)) = (stop_waiting(one), stop_waiting(other)) {
            self.pair((one, first), (other, second), now, effects);
        }
    }

    /// Makes a call of two who wait no more. The earlier one offers, unless an offer is there already.
    fn pair(
        &mut self,
        one: (PeerId, Wish),
        other: (PeerId, Wish),
        now: Timestamp,
        effects: &mut Vec<Effect<'_>>,
    ) {
        let ((one, first), (other, mut second)) = match one.1.ticket < other.1.ticket {
            true => (one, other),
            false => (other, one),
        };
        let shared = first.shared(&second);
        let waited = |wish: &Wish| now.since(wish.since());
        self.waits.count(waited(&first));
        self.waits.count(waited(&second));
        let cross = first.crosses && second.crosses;
        let crossed = cross && first.offer.is_some() && second.offer.is_some();
        effects.push(Effect::Count(Note::Met {
            mode: first.mode,
            waited_ms: waited(&first).max(waited(&second)).get(),
            shared: !shared.is_empty(),
            crossed,
        }));
        // Of two prepared offers the one that waited longer is used, if they do not cross.
        let second_offers = first.offer.is_none() && second.offer.is_some();
        let (offerer, answerer, offer) = match second_offers {
            true => (other, one, second.offer.take()),
            false => (one, other, first.offer),
        };
        let back = second.offer.filter(|_| crossed);
        for (peer, partner, role, offer) in [
            (answerer, offerer, Role::Answerer, offer),
            (offerer, answerer, Role::Offerer, back),
        ] {
            let Some(seat) = self.seats.get_mut(&peer) else {
                continue;
            };
            seat.status = Status::InCall(Pairing {
                partner,
                role,
                away: None,
            });
            seat.recent.retain(|&met| met != partner);
            seat.recent.insert(0, partner);
            seat.recent.truncate(RECENT);
            effects.push(Effect::Save { peer });
            effects.push(Effect::Send {
                to: peer,
                message: ServerMessage::PeerJoined {
                    peer: Peer {
                        interests: shared.clone(),
                        offer,
                        crossed,
                        ..met(partner, role)
                    },
                    resume: self.token(peer, now),
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
        let seat = self.seats.get_mut(&peer)?;
        match std::mem::replace(&mut seat.status, Status::Idle) {
            Status::Idle => None,
            Status::Waiting(wish) => {
                self.queue_mut(wish.mode).remove(&wish);
                Some(wish)
            }
            Status::InCall(call) => {
                effects.push(Effect::Count(Note::Ended { reason }));
                match call.away {
                    Some(until) => {
                        self.bereft.remove(&(until, peer));
                    }
                    None => self.set_idle(call.partner, peer, reason, effects),
                }
                None
            }
            Status::Claiming(claim) => {
                self.claimed.remove(claim.seat);
                None
            }
            Status::Moving(moving) => {
                self.moving.remove(&(moving.until, peer));
                Some(moving.wish)
            }
        }
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

    fn set_alarm(&mut self, now: Timestamp, effects: &mut Vec<Effect<'_>>) {
        let nearest = [
            self.video.next_opening(),
            self.text.next_opening(),
            self.bereft.first().map(|&(until, _)| until),
            self.claimed.next(),
            self.moving.first().map(|&(until, _)| until),
            self.report_due(),
        ];
        let Some(next) = nearest.into_iter().flatten().min() else {
            return;
        };
        let steady = self.outlook.searches.a_second(now) >= STEADY;
        let next = if steady {
            next.rounded_up(COARSE)
        } else {
            next
        };
        if self.alarm.is_none_or(|at| next < at) {
            self.alarm = Some(next);
            effects.push(Effect::WakeAt(next));
        }
    }

    fn draw_number(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket - 1
    }

    fn partner(&self, peer: PeerId) -> Option<PeerId> {
        Some(self.pairing(peer)?.partner)
    }

    fn pairing(&self, peer: PeerId) -> Option<&Pairing> {
        self.seats.get(&peer)?.call()
    }

    fn wish(&self, peer: PeerId) -> Option<&Wish> {
        match &self.seats.get(&peer)?.status {
            Status::Waiting(wish) => Some(wish),
            Status::Idle | Status::InCall(_) | Status::Claiming(_) | Status::Moving(_) => None,
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

/// A number of people or calls.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A partner as the other one is told of it.
const fn met(id: PeerId, role: Role) -> Peer {
    Peer {
        id,
        role,
        name: None,
        interests: Vec::new(),
        offer: None,
        crossed: false,
    }
}
