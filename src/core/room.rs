//! Who is in a room and what its host may do.
//!
//! A room is a call of several: everybody in it hears of everybody else, once, and signals go from any
//! member to any other and to nobody outside. `tests/room_properties.rs` holds it to these rules:
//!
//! - Never more members than the room has seats, and nobody comes in while it is locked.
//! - The host is the member who has been in it longest, so there is always one, and who it is needs no
//!   memory of its own.
//! - The lock is on every member's seat, so it lasts as long as anybody is inside.
//! - Whoever was heard of is gone only by being told so, even if its socket went while the room slept.
//! - Who loses its socket is away for a while and keeps its place, the host too: the seats of those who
//!   have heard of it remember that, and its own seat is in its token ([`resume`](crate::core::resume)).
//!   It is let back in by somebody who remembers it, or by being the first of an empty room.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::actor::{Actor, Effect, Event, LastHeard, SILENCE, SavedSeat};
use crate::core::id::PeerId;
use crate::core::note::Note;
use crate::core::protocol::{ClientMessage, LeaveReason, Peer, Relayed, Role, ServerMessage};
use crate::core::redacted::Redacted;
use crate::core::rejection::Rejection;
use crate::core::resume::{Claim, Claimed, GRACE, Key, PROOF, Signer, grace};
use crate::core::time::Timestamp;
use crate::core::words::words;

/// How many people fit into a room where nothing else is configured. In a mesh everybody sends to
/// everybody, and eight is what an ordinary uplink carries (docs/mesh.md).
pub const DEFAULT_CAPACITY: u32 = 8;
/// The most that may be configured.
pub const MAX_CAPACITY: u32 = 16;

/// How many may stand before the door of a room: who opens its link does until it has pressed Join.
pub const MAX_OUTSIDE: usize = 64;

/// How many people fit, as it stands in the configuration: a number from 2 to [`MAX_CAPACITY`], or what
/// is nearest; [`DEFAULT_CAPACITY`] for what is no number.
#[must_use]
pub fn capacity(configured: Option<&str>) -> u32 {
    let number = configured.and_then(|text| text.trim().parse::<u32>().ok());
    number.map_or(DEFAULT_CAPACITY, |number| number.clamp(2, MAX_CAPACITY))
}

/// Everything known of one connected peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat(Status);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    Outside,
    Claiming(Claim<Option<Member>>),
    Inside(Member),
}

/// A seat inside the room, which is also what a token carries of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Member {
    /// In which order they came; the smallest is the host's, and of two the smaller one offers.
    place: u64,
    /// The last place that it has heard of. None is given twice while anybody is inside, so that who left
    /// and came in again is not taken for who it was.
    last: u64,
    name: Option<String>,
    locked: bool,
    /// Of whom it has heard, and not that they are gone.
    others: Vec<Other>,
    /// Whether its page said that it goes away, and nothing since.
    leaving: bool,
}

/// Somebody of whom a member has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Other {
    peer: PeerId,
    place: u64,
    /// Until when it may come back; nothing while it is there.
    away: Option<Timestamp>,
}

impl Seat {
    const fn inside(&self) -> Option<&Member> {
        match &self.0 {
            Status::Inside(member) => Some(member),
            Status::Outside | Status::Claiming(_) => None,
        }
    }
}

impl Member {
    fn other(&self, peer: PeerId) -> Option<&Other> {
        self.others.iter().find(|other| other.peer == peer)
    }

    fn other_mut(&mut self, peer: PeerId) -> Option<&mut Other> {
        self.others.iter_mut().find(|other| other.peer == peer)
    }

    /// Its role towards somebody at another place.
    const fn role(&self, place: u64) -> Role {
        if self.place < place {
            Role::Offerer
        } else {
            Role::Answerer
        }
    }
}

/// The room: all seats, inside and before the door.
#[derive(Debug)]
pub struct Room {
    capacity: u32,
    signer: Signer,
    seats: BTreeMap<PeerId, Seat>,
    claimed: Claimed,
    /// The alarm ordered last, unless it has gone off.
    alarm: Option<Timestamp>,
}

impl Room {
    /// An empty room, whose tokens are signed with this key.
    #[must_use]
    pub fn new(capacity: u32, key: Key) -> Self {
        Self {
            capacity,
            signer: Signer::new(&key),
            seats: BTreeMap::new(),
            claimed: Claimed::default(),
            alarm: None,
        }
    }

    fn receive<'a>(
        &mut self,
        peer: PeerId,
        message: ClientMessage<Relayed<'a>>,
        now: Timestamp,
        heard: LastHeard<'_>,
    ) -> Result<Vec<Effect<'a>>, Rejection> {
        match message {
            ClientMessage::Join { name } => self.join(peer, name.as_deref().and_then(words), now),
            ClientMessage::Signal { to, data } => {
                let message = ServerMessage::Signal { from: peer, data };
                self.pass_on(peer, to, message)
            }
            ClientMessage::Lock { on } => {
                self.is_host(peer)?;
                Ok(self.lock(on))
            }
            ClientMessage::AskToMute { peer: to } => {
                self.is_host(peer)?;
                self.pass_on(peer, to, ServerMessage::AskedToMute {})
            }
            ClientMessage::Remove { peer: whom } => {
                self.is_host(peer)?;
                self.knows_of(peer, whom)?;
                let told = self.leave(whom, LeaveReason::Removed);
                let gone = self.knows(whom).then(|| Effect::Send {
                    to: whom,
                    message: left(whom, LeaveReason::Removed),
                });
                Ok(told.into_iter().chain(gone).collect())
            }
            ClientMessage::Missing { peer: whom } => {
                let there = self.knows_of(peer, whom)?.away.is_none();
                let silent = there && heard(whom) < Some(now.before(SILENCE));
                let gone = silent.then(|| self.evict(whom, now));
                Ok(gone.unwrap_or_default())
            }
            ClientMessage::Leave {} => Ok(self.leave(peer, LeaveReason::Left)),
            ClientMessage::Away {} => Ok(Vec::new()),
            ClientMessage::Resume { token } => self.resume(peer, token.expose(), now),
            ClientMessage::Find { .. } | ClientMessage::Offer { .. } => Err(Rejection::NotInRooms),
        }
    }

    /// Passes a message on to another member; to somebody who is away it would come too late.
    fn pass_on<'a>(
        &self,
        from: PeerId,
        to: PeerId,
        message: ServerMessage<Relayed<'a>>,
    ) -> Result<Vec<Effect<'a>>, Rejection> {
        let there = self.knows_of(from, to)?.away.is_none();
        Ok(there
            .then_some(Effect::Send { to, message })
            .into_iter()
            .collect())
    }

    /// Lets somebody in, or changes the name of somebody who is in. Members offer to a newcomer, who hears
    /// of them in the order in which they came (docs/mesh.md says what the other way round would cost).
    fn join<'a>(
        &mut self,
        peer: PeerId,
        name: Option<String>,
        now: Timestamp,
    ) -> Result<Vec<Effect<'a>>, Rejection> {
        if let Some(member) = self.member_mut(peer) {
            member.name = name;
            return Ok(vec![Effect::Save { peer }]);
        }
        if self.locked() {
            return Err(Rejection::RoomLocked);
        }
        let present = self.members();
        let absent = self.absent();
        if present.len() + absent.len() >= self.capacity as usize {
            return Err(Rejection::RoomFull);
        }
        let last = self.inside().map(|(_, member)| member.last).max();
        let place = last.map_or(0, |last| last + 1);
        let member = Member {
            place,
            last: place,
            name,
            locked: false,
            others: Vec::new(),
            leaving: false,
        };
        self.seats.insert(peer, Seat(Status::Inside(member)));
        let mut effects = self.introduce(peer, &present, now);
        let members = present.len() + absent.len() + 1;
        effects.push(Effect::Count(Note::Entered { members }));
        Ok(effects)
    }

    /// Tells a member how the room stands, and it and others of each other.
    fn introduce<'a>(
        &mut self,
        peer: PeerId,
        others: &[PeerId],
        now: Timestamp,
    ) -> Vec<Effect<'a>> {
        for &other in others {
            self.acquaint(peer, other);
            self.acquaint(other, peer);
        }
        let mut effects = vec![Effect::Save { peer }];
        effects.extend(self.state(peer, now));
        for &other in others {
            effects.push(Effect::Save { peer: other });
            effects.extend(self.joined(other, peer, now));
            effects.extend(self.joined(peer, other, now));
        }
        effects
    }

    /// A member knows another one from now on.
    fn acquaint(&mut self, to: PeerId, peer: PeerId) {
        let Some(place) = self.member(peer).map(|member| member.place) else {
            return;
        };
        if let Some(member) = self.member_mut(to) {
            let away = None;
            member.others.push(Other { peer, place, away });
            member.last = member.last.max(place);
        }
    }

    /// Takes a token. Somebody whose socket is still there may be the one who asks, so it is seen first
    /// whether anybody is at its end.
    fn resume<'a>(
        &mut self,
        by: PeerId,
        token: &str,
        now: Timestamp,
    ) -> Result<Vec<Effect<'a>>, Rejection> {
        let outside = self.seats.get(&by) == Some(&Seat(Status::Outside));
        let (seat, pass) = self
            .signer
            .open(token, now)
            .filter(|&(seat, _)| outside && seat != by && !self.claimed.contains(seat))
            .ok_or(Rejection::BadToken)?;
        if !self.knows(seat) {
            return Ok(self.take_back(by, seat, pass, now));
        }
        let until = now.after(PROOF);
        let claim = Claim { seat, pass, until };
        self.claimed.insert(by, &claim);
        self.seats.insert(by, Seat(Status::Claiming(claim)));
        let message = ServerMessage::StillThere {};
        Ok(vec![
            Effect::Save { peer: by },
            Effect::Send { to: seat, message },
        ])
    }

    /// Gives a free seat back to its owner, and the place inside if somebody remembers it there. In an
    /// empty room nobody can: all were lost together then, and the others are on their way, too.
    fn take_back<'a>(
        &mut self,
        by: PeerId,
        peer: PeerId,
        pass: Option<Member>,
        now: Timestamp,
    ) -> Vec<Effect<'a>> {
        let present = self.members();
        let (known, strangers): (Vec<_>, Vec<_>) = present.iter().partition(|&&other| {
            let member = self.member(other);
            member.is_some_and(|member| member.other(peer).is_some())
        });
        if pass.is_some() && known.is_empty() && !present.is_empty() {
            return self.refuse(by);
        }
        self.seats.remove(&by);
        let mut effects = vec![
            Effect::Rename { from: by, to: peer },
            Effect::Count(Note::Resumed),
        ];
        effects.extend(match pass {
            Some(member) => self.come_back_in(peer, member, &known, &strangers, now),
            None => self.come_back_outside(peer, now),
        });
        effects.extend(self.hand_over(by, now));
        effects
    }

    /// Somebody is before the door again. If a token of later has it inside it is not any more: who is
    /// away there could not come in.
    fn come_back_outside<'a>(&mut self, peer: PeerId, now: Timestamp) -> Vec<Effect<'a>> {
        self.seats.insert(peer, Seat(Status::Outside));
        let mut effects = vec![
            Effect::Save { peer },
            Effect::welcome(peer, self.token(peer, now), Vec::new()),
        ];
        effects.extend(self.miss(peer, LeaveReason::Lost));
        effects
    }

    /// Somebody is inside again, as those who know it remember it, or as its token says where there is
    /// nobody.
    fn come_back_in<'a>(
        &mut self,
        peer: PeerId,
        mut member: Member,
        known: &[PeerId],
        strangers: &[PeerId],
        now: Timestamp,
    ) -> Vec<Effect<'a>> {
        let witness = known.first().and_then(|&other| self.member(other));
        member.others = match witness.and_then(|witness| Some((witness, witness.other(peer)?))) {
            Some((witness, own)) => {
                // A token may be of another time inside.
                member.place = own.place;
                member.last = member.last.max(witness.last);
                member.locked = witness.locked;
                // Who has left and come in again meanwhile is a newcomer to it.
                let known = |other: &Other| {
                    let own = member.other(other.peer);
                    own.is_some_and(|own| own.place == other.place)
                };
                let mut absent = self.absent();
                absent.retain(known);
                absent
            }
            None => {
                // Whoever is connected and not inside does not come back.
                let others = member.others.iter();
                let lost = others.filter(|other| !self.knows(other.peer));
                let away = Some(now.after(GRACE));
                lost.map(|&other| Other { away, ..other }).collect()
            }
        };
        member.leaving = false;
        self.seats.insert(peer, Seat(Status::Inside(member)));
        for &other in known {
            self.acquaint(peer, other);
        }
        let mut effects = self.welcome_back(peer, now);
        for &to in known {
            if let Some(other) = self
                .member_mut(to)
                .and_then(|member| member.other_mut(peer))
            {
                other.away = None;
            }
            effects.push(Effect::Save { peer: to });
            let message = ServerMessage::PeerBack { peer };
            effects.push(Effect::Send { to, message });
        }
        effects.extend(self.introduce(peer, strangers, now));
        effects
    }

    /// Tells somebody who is back of everybody it knew and may still see, and who of them are away.
    fn welcome_back<'a>(&self, to: PeerId, now: Timestamp) -> Vec<Effect<'a>> {
        let Some(member) = self.member(to) else {
            return Vec::new();
        };
        let others = in_order(member.others.clone());
        let peers = others.iter().map(|other| {
            let name = self.member(other.peer).and_then(|other| other.name.clone());
            met(other.peer, member.role(other.place), name)
        });
        let welcome = Effect::welcome(to, self.token(to, now), peers.collect());
        let away = others.iter().filter(|other| other.away.is_some());
        let away = away.map(|other| Effect::Send {
            to,
            message: ServerMessage::PeerAway { peer: other.peer },
        });
        [welcome].into_iter().chain(away).collect()
    }

    /// A seat is free, as is that of whoever takes another. If somebody has claimed it, it is that one's
    /// now.
    fn hand_over<'a>(&mut self, seat: PeerId, now: Timestamp) -> Vec<Effect<'a>> {
        let by = self.claimed.remove(seat);
        match by.and_then(|by| Some((by, self.seats.get(&by)?))) {
            Some((by, Seat(Status::Claiming(claim)))) => {
                let pass = claim.pass.clone();
                self.take_back(by, seat, pass, now)
            }
            Some((_, Seat(Status::Outside | Status::Inside(_)))) | None => Vec::new(),
        }
    }

    /// Whoever had its time to show that it lives keeps its seat, or was dead.
    fn decide_claims<'a>(&mut self, now: Timestamp, heard: LastHeard<'_>) -> Vec<Effect<'a>> {
        let mut effects = Vec::new();
        while let Some((seat, since)) = self.claimed.due(now) {
            if heard(seat) < Some(since) {
                effects.extend(self.evict(seat, now));
            } else if let Some(by) = self.claimed.remove(seat) {
                effects.extend(self.refuse(by));
            }
        }
        effects
    }

    /// Who says anything else, or goes, does not wait for a seat any more.
    fn claim_no_more<'a>(&mut self, by: PeerId) -> Option<Effect<'a>> {
        let Seat(status) = self.seats.get_mut(&by)?;
        let Status::Claiming(claim) = status else {
            return None;
        };
        self.claimed.remove(claim.seat);
        *status = Status::Outside;
        Some(Effect::Save { peer: by })
    }

    /// A token resumes nothing any more.
    fn refuse<'a>(&mut self, by: PeerId) -> Vec<Effect<'a>> {
        self.seats.insert(by, Seat(Status::Outside));
        let mut effects = vec![Effect::Save { peer: by }];
        effects.extend(Effect::reject(by, &Rejection::BadToken));
        effects
    }

    /// A socket is gone. Whoever has heard of its owner is told, and keeps its place for a while.
    fn disconnect<'a>(&mut self, peer: PeerId, now: Timestamp) -> Vec<Effect<'a>> {
        let leaving = self.member(peer).is_some_and(|member| member.leaving);
        self.claim_no_more(peer);
        self.seats.remove(&peer);
        let mut effects = self.lose(peer, now.after(grace(leaving)));
        effects.extend(self.hand_over(peer, now));
        effects
    }

    /// Somebody has been silent for too long.
    fn evict<'a>(&mut self, peer: PeerId, now: Timestamp) -> Vec<Effect<'a>> {
        let mut effects = vec![Effect::Evict { peer }];
        effects.extend(self.disconnect(peer, now));
        effects
    }

    /// Somebody is away.
    fn lose<'a>(&mut self, gone: PeerId, until: Timestamp) -> Vec<Effect<'a>> {
        let mut effects = Vec::new();
        for to in self.members() {
            if let Some(other) = self
                .member_mut(to)
                .and_then(|member| member.other_mut(gone))
            {
                other.away = Some(until);
                effects.push(Effect::Save { peer: to });
                let message = ServerMessage::PeerAway { peer: gone };
                effects.push(Effect::Send { to, message });
            }
        }
        effects
    }

    /// Whoever was away for too long is gone.
    fn give_up<'a>(&mut self, now: Timestamp) -> Vec<Effect<'a>> {
        let late = |other: &Other| other.away.is_some_and(|until| until <= now);
        let gone = self.absent().into_iter().filter(late);
        gone.flat_map(|other| self.leave(other.peer, LeaveReason::Lost))
            .collect()
    }

    /// Takes somebody out, be it there or away, and tells the others; nothing for who is not inside.
    fn leave<'a>(&mut self, peer: PeerId, reason: LeaveReason) -> Vec<Effect<'a>> {
        let mut effects = Vec::new();
        if self.member(peer).is_some() {
            self.seats.insert(peer, Seat(Status::Outside));
            effects.push(Effect::Save { peer });
        }
        let missed = self.miss(peer, reason);
        if !effects.is_empty() || !missed.is_empty() {
            effects.push(Effect::Count(Note::Gone { reason }));
        }
        effects.extend(missed);
        effects
    }

    /// Tells everybody who has heard of somebody that it is gone.
    fn miss<'a>(&mut self, gone: PeerId, reason: LeaveReason) -> Vec<Effect<'a>> {
        let mut effects = Vec::new();
        for to in self.members() {
            let Some(member) = self.member_mut(to) else {
                continue;
            };
            if let Some(place) = member.others.iter().position(|other| other.peer == gone) {
                member.others.remove(place);
                effects.push(Effect::Save { peer: to });
                let message = left(gone, reason);
                effects.push(Effect::Send { to, message });
            }
        }
        effects
    }

    fn lock<'a>(&mut self, on: bool) -> Vec<Effect<'a>> {
        if self.locked() == on {
            return Vec::new();
        }
        let mut effects = Vec::new();
        for peer in self.members() {
            if let Some(member) = self.member_mut(peer) {
                member.locked = on;
                effects.push(Effect::Save { peer });
            }
        }
        effects
    }

    /// Tells everybody how the room stands.
    fn tell_state<'a>(&self, now: Timestamp) -> Vec<Effect<'a>> {
        let members = self.members().into_iter();
        members.filter_map(|to| self.state(to, now)).collect()
    }

    /// Whether the room stands otherwise than it did before, or than somebody was told meanwhile: seats that are
    /// handed over come one after the other, and the next may change what the last was told.
    fn is_news(&self, before: Option<(PeerId, bool)>, effects: &[Effect<'_>]) -> bool {
        let told = effects.iter().filter_map(|effect| {
            let Effect::Send {
                message: ServerMessage::Room { host, locked, .. },
                ..
            } = effect
            else {
                return None;
            };
            Some((*host, *locked))
        });
        let standing = self.standing();
        before
            .into_iter()
            .chain(told)
            .any(|it| Some(it) != standing)
    }

    /// Tells one member how the room stands.
    fn state<'a>(&self, to: PeerId, now: Timestamp) -> Option<Effect<'a>> {
        let (host, locked) = self.standing()?;
        let message = ServerMessage::Room {
            host,
            locked,
            capacity: self.capacity,
            resume: self.token(to, now),
        };
        Some(Effect::Send { to, message })
    }

    /// Who is the host and whether the room is locked; nothing of an empty room.
    fn standing(&self) -> Option<(PeerId, bool)> {
        let (_, first) = self.inside().next()?;
        Some((self.host()?, first.locked))
    }

    /// Tells somebody of another member.
    fn joined<'a>(&self, to: PeerId, peer: PeerId, now: Timestamp) -> Option<Effect<'a>> {
        let (own, other) = (self.member(to)?, self.member(peer)?);
        let message = ServerMessage::PeerJoined {
            peer: met(peer, own.role(other.place), other.name.clone()),
            resume: self.token(to, now),
        };
        Some(Effect::Send { to, message })
    }

    /// The token of somebody as it is now.
    fn token(&self, peer: PeerId, now: Timestamp) -> Option<Redacted> {
        self.signer.seal(peer, self.member(peer), now)
    }

    fn inside(&self) -> impl Iterator<Item = (PeerId, &Member)> {
        let seats = self.seats.iter();
        seats.filter_map(|(&peer, seat)| Some((peer, seat.inside()?)))
    }

    /// Those inside and there, longest present first.
    fn members(&self) -> Vec<PeerId> {
        let members = self.inside().map(|(peer, member)| Other {
            peer,
            place: member.place,
            away: None,
        });
        let members = in_order(members.collect()).into_iter();
        members.map(|member| member.peer).collect()
    }

    /// Those who are away, longest present first.
    fn absent(&self) -> Vec<Other> {
        let others = self.inside().flat_map(|(_, member)| &member.others);
        let absent = others.filter(|other| other.away.is_some());
        let mut absent = in_order(absent.copied().collect());
        absent.dedup_by_key(|other| other.peer);
        absent
    }

    fn member(&self, peer: PeerId) -> Option<&Member> {
        self.seats.get(&peer)?.inside()
    }

    fn member_mut(&mut self, peer: PeerId) -> Option<&mut Member> {
        match self.seats.get_mut(&peer)? {
            Seat(Status::Inside(member)) => Some(member),
            Seat(Status::Outside | Status::Claiming(_)) => None,
        }
    }

    /// Whoever has been in it longest, be it there or away.
    fn host(&self) -> Option<PeerId> {
        let there = self.inside().map(|(peer, member)| (member.place, peer));
        let away = self.absent().into_iter();
        let all = there.chain(away.map(|other| (other.place, other.peer)));
        Some(all.min()?.1)
    }

    fn locked(&self) -> bool {
        self.standing().is_some_and(|(_, locked)| locked)
    }

    fn is_host(&self, peer: PeerId) -> Result<(), Rejection> {
        match self.host() == Some(peer) {
            true => Ok(()),
            false => Err(Rejection::NotTheHost),
        }
    }

    /// What a member knows of another one.
    fn knows_of(&self, one: PeerId, other: PeerId) -> Result<Other, Rejection> {
        let other = self.member(one).and_then(|one| one.other(other));
        other.copied().ok_or(Rejection::UnknownPeer)
    }

    /// Takes note of whether a page goes away.
    fn hear<'a>(&mut self, peer: PeerId, leaving: bool) -> Option<Effect<'a>> {
        let member = self.member_mut(peer)?;
        let news = member.leaving != leaving;
        member.leaving = leaving;
        news.then_some(Effect::Save { peer })
    }

    fn set_alarm(&mut self, effects: &mut Vec<Effect<'_>>) {
        let returns = self.absent().into_iter().filter_map(|other| other.away);
        let Some(next) = returns.chain(self.claimed.next()).min() else {
            return;
        };
        if self.alarm.is_none_or(|at| next < at) {
            self.alarm = Some(next);
            effects.push(Effect::WakeAt(next));
        }
    }
}

impl Actor for Room {
    type Seat = Seat;

    fn handle<'a>(
        &mut self,
        event: Event<'a>,
        now: Timestamp,
        heard: LastHeard<'_>,
    ) -> Vec<Effect<'a>> {
        if matches!(event, Event::Woken) || self.alarm.is_some_and(|at| at <= now) {
            self.alarm = None;
        }
        let before = self.standing();
        // Time alone changes things, and what it has changed by now came before this event.
        let mut effects = self.give_up(now);
        match event {
            Event::Connected { peer, .. } => {
                self.seats.insert(peer, Seat(Status::Outside));
                effects.push(Effect::Save { peer });
                effects.push(Effect::welcome(peer, self.token(peer, now), Vec::new()));
            }
            Event::Received { peer, message } if self.knows(peer) => {
                effects.extend(self.claim_no_more(peer));
                effects.extend(self.hear(peer, matches!(message, ClientMessage::Away {})));
                let done = self.receive(peer, message, now, heard);
                effects.extend(done.unwrap_or_else(|rejection| Effect::reject(peer, &rejection)));
            }
            Event::Disconnected { peer } => effects.extend(self.disconnect(peer, now)),
            Event::Received { .. } | Event::Woken | Event::Advised(_) | Event::Expected { .. } => {}
        }
        effects.extend(self.decide_claims(now, heard));
        if self.is_news(before, &effects) {
            effects.extend(self.tell_state(now));
        }
        self.set_alarm(&mut effects);
        effects
    }

    fn recall(&mut self, SavedSeat(peer, seat, _): SavedSeat<Seat>) {
        self.seats.insert(peer, seat);
    }

    fn restore<'a>(&mut self, now: Timestamp) -> Vec<Effect<'a>> {
        let known = self.inside().flat_map(|(_, member)| &member.others);
        let there = known.filter(|other| other.away.is_none());
        let gone = there
            .map(|other| other.peer)
            .filter(|&peer| self.member(peer).is_none());
        let gone: BTreeSet<_> = gone.collect();
        let missed = !gone.is_empty();
        let mut free = Vec::new();
        for (&by, Seat(status)) in &self.seats {
            if let Status::Claiming(claim) = status {
                self.claimed.insert(by, claim);
                free.extend((!self.knows(claim.seat)).then_some(claim.seat));
            }
        }
        let mut effects = Vec::new();
        for peer in gone {
            effects.extend(self.lose(peer, now.after(GRACE)));
        }
        for seat in free {
            effects.extend(self.hand_over(seat, now));
        }
        // Who was away and known to nobody but those who are gone is forgotten, and may have been the host.
        if missed || self.is_news(None, &effects) {
            effects.extend(self.tell_state(now));
        }
        // What was to come before has its alarm.
        if !effects.is_empty() {
            self.set_alarm(&mut effects);
        }
        effects
    }

    fn relays(&self, from: PeerId, to: PeerId) -> bool {
        let member = self.member(from).filter(|member| !member.leaving);
        let other = member.and_then(|member| member.other(to));
        other.is_some_and(|other| other.away.is_none())
    }

    fn admits(&self) -> bool {
        self.seats.len() - self.inside().count() < MAX_OUTSIDE
    }

    fn seat(&self, peer: PeerId) -> Option<&Seat> {
        self.seats.get(&peer)
    }
}

/// Somebody as others are told of it.
const fn met(id: PeerId, role: Role, name: Option<String>) -> Peer {
    Peer {
        id,
        role,
        name,
        interests: Vec::new(),
        offer: None,
        crossed: false,
    }
}

const fn left<'a>(peer: PeerId, reason: LeaveReason) -> ServerMessage<Relayed<'a>> {
    ServerMessage::PeerLeft { peer, reason }
}

/// Longest present first. The one place where people are sorted: each kind of sorting is 4 KiB of wasm.
fn in_order(mut others: Vec<Other>) -> Vec<Other> {
    others.sort_unstable_by_key(|other| (other.place, other.peer));
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configured_capacity_is_kept_within_what_a_mesh_can_carry() {
        for (configured, expected) in [
            (None, 8),
            (Some(""), 8),
            (Some("many"), 8),
            (Some("-3"), 8),
            (Some("0"), 2),
            (Some("1"), 2),
            (Some("2"), 2),
            (Some(" 12 "), 12),
            (Some("16"), 16),
            (Some("17"), 16),
            (Some("99999999999"), 8),
        ] {
            assert_eq!(capacity(configured), expected, "{configured:?}");
        }
    }
}
