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

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::actor::{Actor, Effect, Event, SavedSeat};
use crate::core::id::PeerId;
use crate::core::protocol::{ClientMessage, LeaveReason, Peer, Relayed, Role, ServerMessage};
use crate::core::rejection::Rejection;
use crate::core::time::Timestamp;

/// How many people fit into a room where nothing else is configured. In a mesh everybody sends to
/// everybody, and eight is what an ordinary uplink carries (docs/mesh.md).
pub const DEFAULT_CAPACITY: u32 = 8;
/// The most that may be configured.
pub const MAX_CAPACITY: u32 = 16;

/// How many people fit, as it stands in the configuration: a number from 2 to [`MAX_CAPACITY`], or what
/// is nearest; [`DEFAULT_CAPACITY`] for what is no number.
#[must_use]
pub fn capacity(configured: Option<&str>) -> u32 {
    let number = configured.and_then(|text| text.trim().parse::<u32>().ok());
    number.map_or(DEFAULT_CAPACITY, |number| number.clamp(2, MAX_CAPACITY))
}

/// Everything known of one connected peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat(Option<Member>);

/// A seat inside the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Member {
    /// In which order they came; the smallest is the host's.
    place: u64,
    name: Option<String>,
    locked: bool,
    /// Of whom it has heard, and not that they are gone.
    others: Vec<PeerId>,
}

/// The room: all seats, inside and before the door.
#[derive(Debug)]
pub struct Room {
    capacity: u32,
    seats: BTreeMap<PeerId, Seat>,
}

impl Room {
    /// An empty room.
    #[must_use]
    pub const fn new(capacity: u32) -> Self {
        Self {
            capacity,
            seats: BTreeMap::new(),
        }
    }

    fn receive<'a>(
        &mut self,
        peer: PeerId,
        message: ClientMessage<Relayed<'a>>,
    ) -> Result<Vec<Effect<'a>>, Rejection> {
        match message {
            ClientMessage::Join { name } => self.join(peer, name.as_deref().and_then(tidy)),
            ClientMessage::Signal { to, data } => {
                self.both_inside(peer, to)?;
                let message = ServerMessage::Signal { from: peer, data };
                Ok(vec![Effect::Send { to, message }])
            }
            ClientMessage::Lock { on } => {
                self.is_host(peer)?;
                Ok(self.lock(on))
            }
            ClientMessage::AskToMute { peer: to } => {
                self.is_host(peer)?;
                self.both_inside(peer, to)?;
                let message = ServerMessage::AskedToMute {};
                Ok(vec![Effect::Send { to, message }])
            }
            ClientMessage::Remove { peer: whom } => {
                self.is_host(peer)?;
                self.both_inside(peer, whom)?;
                let gone = Effect::Send {
                    to: whom,
                    message: left(whom, LeaveReason::Removed),
                };
                let told = self.leave(whom, LeaveReason::Removed);
                Ok(told.into_iter().chain([gone]).collect())
            }
            ClientMessage::Missing { peer: whom } => {
                self.both_inside(peer, whom)?;
                Ok(vec![Effect::Check { peer: whom }])
            }
            ClientMessage::Leave {} => Ok(self.leave(peer, LeaveReason::Left)),
            // No seat outlives its socket yet (`graceMs` is 0), so there is nothing to shorten.
            ClientMessage::Away {} => Ok(Vec::new()),
            ClientMessage::Resume { .. } => Err(Rejection::BadToken),
            ClientMessage::Find { .. } => Err(Rejection::NotInRooms),
        }
    }

    /// Lets somebody in, or changes the name of somebody who is in. Members offer to a newcomer, who hears
    /// of them in the order in which they came (docs/mesh.md says what the other way round would cost).
    fn join<'a>(
        &mut self,
        peer: PeerId,
        name: Option<String>,
    ) -> Result<Vec<Effect<'a>>, Rejection> {
        if let Some(member) = self.member_mut(peer) {
            member.name = name;
            return Ok(vec![Effect::Save { peer }]);
        }
        if self.locked() {
            return Err(Rejection::RoomLocked);
        }
        let present = self.members();
        if present.len() >= self.capacity as usize {
            return Err(Rejection::RoomFull);
        }
        let last = present.last().and_then(|&last| self.member(last));
        let member = Member {
            place: last.map_or(0, |last| last.place + 1),
            name: name.clone(),
            locked: false,
            others: present.clone(),
        };
        self.seats.insert(peer, Seat(Some(member)));
        let mut effects = vec![Effect::Save { peer }];
        effects.extend(
            self.state()
                .map(|message| Effect::Send { to: peer, message }),
        );
        for other in present {
            let Some(member) = self.member_mut(other) else {
                continue;
            };
            member.others.push(peer);
            let introduced = member.name.clone();
            effects.push(Effect::Save { peer: other });
            effects.push(joined(other, peer, name.clone(), Role::Offerer));
            effects.push(joined(peer, other, introduced, Role::Answerer));
        }
        Ok(effects)
    }

    /// Takes a member out and tells the others; nothing for who is not inside.
    fn leave<'a>(&mut self, peer: PeerId, reason: LeaveReason) -> Vec<Effect<'a>> {
        let was_host = self.host() == Some(peer);
        let Some(Seat(Some(_))) = self.seats.insert(peer, Seat(None)) else {
            return Vec::new();
        };
        let mut effects = vec![Effect::Save { peer }];
        effects.extend(self.miss(peer, reason));
        if was_host {
            effects.extend(self.tell_state());
        }
        effects
    }

    /// Tells everybody who has heard of somebody that it is gone.
    fn miss<'a>(&mut self, gone: PeerId, reason: LeaveReason) -> Vec<Effect<'a>> {
        let mut effects = Vec::new();
        for to in self.members() {
            let Some(member) = self.member_mut(to) else {
                continue;
            };
            if let Some(place) = member.others.iter().position(|&other| other == gone) {
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
        effects.extend(self.tell_state());
        effects
    }

    /// Tells everybody how the room stands.
    fn tell_state<'a>(&self) -> Vec<Effect<'a>> {
        let Some(state) = self.state() else {
            return Vec::new();
        };
        let members = self.members().into_iter();
        members
            .map(|to| Effect::Send {
                to,
                message: state.clone(),
            })
            .collect()
    }

    fn state<'a>(&self) -> Option<ServerMessage<Relayed<'a>>> {
        Some(ServerMessage::Room {
            host: self.host()?,
            locked: self.locked(),
            capacity: self.capacity,
        })
    }

    /// Those inside, longest present first.
    fn members(&self) -> Vec<PeerId> {
        let seats = self.seats.iter();
        let mut members: Vec<_> = seats
            .filter_map(|(&peer, seat)| Some((seat.0.as_ref()?.place, peer)))
            .collect();
        members.sort_unstable();
        members.into_iter().map(|(_, peer)| peer).collect()
    }

    fn member(&self, peer: PeerId) -> Option<&Member> {
        self.seats.get(&peer)?.0.as_ref()
    }

    fn member_mut(&mut self, peer: PeerId) -> Option<&mut Member> {
        self.seats.get_mut(&peer)?.0.as_mut()
    }

    fn host(&self) -> Option<PeerId> {
        self.members().first().copied()
    }

    fn locked(&self) -> bool {
        let host = self.host().and_then(|host| self.member(host));
        host.is_some_and(|host| host.locked)
    }

    fn is_host(&self, peer: PeerId) -> Result<(), Rejection> {
        match self.host() == Some(peer) {
            true => Ok(()),
            false => Err(Rejection::NotTheHost),
        }
    }

    /// Two different members.
    fn both_inside(&self, one: PeerId, other: PeerId) -> Result<(), Rejection> {
        match one != other && self.member(one).is_some() && self.member(other).is_some() {
            true => Ok(()),
            false => Err(Rejection::UnknownPeer),
        }
    }
}

impl Actor for Room {
    type Seat = Seat;

    fn handle<'a>(&mut self, event: Event<'a>, _: Timestamp) -> Vec<Effect<'a>> {
        match event {
            Event::Connected { peer } => {
                self.seats.insert(peer, Seat(None));
                vec![Effect::Save { peer }, Effect::welcome(peer)]
            }
            Event::Received { peer, message } if self.knows(peer) => self
                .receive(peer, message)
                .unwrap_or_else(|rejection| Effect::reject(peer, &rejection)),
            Event::Disconnected { peer } => {
                let effects = self.leave(peer, LeaveReason::Lost);
                self.seats.remove(&peer);
                effects
            }
            Event::Received { .. } | Event::Woken => Vec::new(),
        }
    }

    fn restore<'a>(&mut self, seats: impl IntoIterator<Item = SavedSeat<Seat>>) -> Vec<Effect<'a>> {
        let seats = seats.into_iter().map(|SavedSeat(peer, seat)| (peer, seat));
        self.seats = seats.collect();
        let members = self.seats.values().filter_map(|seat| seat.0.as_ref());
        let known = members.flat_map(|member| member.others.iter().copied());
        let mut gone: Vec<_> = known.filter(|&peer| self.member(peer).is_none()).collect();
        gone.sort_unstable();
        gone.dedup();
        let mut effects = Vec::new();
        for &peer in &gone {
            effects.extend(self.miss(peer, LeaveReason::Lost));
        }
        // One of them may have been the host.
        if !gone.is_empty() {
            effects.extend(self.tell_state());
        }
        effects
    }

    fn seat(&self, peer: PeerId) -> Option<&Seat> {
        self.seats.get(&peer)
    }
}

fn joined<'a>(to: PeerId, peer: PeerId, name: Option<String>, role: Role) -> Effect<'a> {
    let peer = Peer {
        id: peer,
        role,
        name,
        interests: Vec::new(),
        offer: None,
    };
    let message = ServerMessage::PeerJoined { peer, resume: None };
    Effect::Send { to, message }
}

const fn left<'a>(peer: PeerId, reason: LeaveReason) -> ServerMessage<Relayed<'a>> {
    ServerMessage::PeerLeft { peer, reason }
}

/// A name in single spaces and without control characters; nothing where nothing is left of it.
fn tidy(name: &str) -> Option<String> {
    let plain: String = name
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words: Vec<_> = plain.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
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

    #[test]
    fn a_name_is_words() {
        for (name, expected) in [
            ("Ana", Some("Ana")),
            ("  Ana \n María\t", Some("Ana María")),
            ("A\u{0}na\u{7}", Some("A na")),
            (" \u{7f} ", None),
            ("", None),
        ] {
            assert_eq!(tidy(name).as_deref(), expected, "{name:?}");
        }
    }
}
