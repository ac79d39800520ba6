//! A room, and people in it and before its door.

use echomingle::core::id::PeerId;
use echomingle::core::protocol::LeaveReason;
use echomingle::core::room::Room;

use super::{Heard, KEY, Named, Script, introduced, left, room, welcome};

/// How many fit into the rooms of these scenes.
pub(crate) const SEATS: u32 = 4;

/// So many people before the door of an empty room, who have been welcomed.
pub(crate) fn people<const N: usize>() -> (Script<Room>, [PeerId; N]) {
    let (script, mut people) = Script::with(|| Room::new(SEATS, KEY));
    // The first has the highest id, so that an order of ids is no order of coming.
    people.reverse();
    (script, people)
}

/// So many people who came into a room one after the other.
pub(crate) fn inside<const N: usize>() -> (Script<Room>, [PeerId; N]) {
    let (mut script, people) = people();
    for peer in people {
        script.joins(peer, None);
    }
    script.heard();
    (script, people)
}

/// Somebody else comes to the door.
pub(crate) fn comes(script: &mut Script<Room>, number: u64) -> PeerId {
    let peer = script.connects(number);
    assert_eq!(script.heard(), [welcome(peer)]);
    peer
}

/// All of these hear how the room stands.
pub(crate) fn told(people: &[PeerId], host: PeerId, locked: bool) -> Vec<Heard> {
    let hears = |&to| room(to, host, locked, SEATS);
    people.iter().map(hears).collect()
}

/// All of these hear that somebody is gone.
pub(crate) fn gone(people: &[PeerId], peer: PeerId, reason: LeaveReason) -> Vec<Heard> {
    people.iter().map(|&to| left(to, peer, reason)).collect()
}

/// What is heard when somebody comes in to these, of whom the first is the host.
pub(crate) fn entrance(newcomer: Named<'_>, members: &[Named<'_>]) -> Vec<Heard> {
    let host = members.first().unwrap_or(&newcomer).0;
    let mut heard = told(&[newcomer.0], host, false);
    heard.extend(members.iter().flat_map(|&one| introduced(one, newcomer)));
    heard
}

/// What is heard when somebody without a name comes in to others without names.
pub(crate) fn nameless(newcomer: PeerId, members: &[PeerId]) -> Vec<Heard> {
    let members: Vec<_> = members.iter().map(|&member| (member, None)).collect();
    entrance((newcomer, None), &members)
}

/// What is heard of several things, one after the other.
pub(crate) fn all<const N: usize>(parts: [Vec<Heard>; N]) -> Vec<Heard> {
    parts.concat()
}
