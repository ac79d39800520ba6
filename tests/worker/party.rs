//! Several visitors together: who comes to them, what all of them hear, what each says to each.

use std::sync::atomic::{AtomicU32, Ordering};

use echomingle::core::id::PeerId;
use echomingle::core::protocol::{LeaveReason, Role, ServerMessage};

use crate::server::{ROOM_CAPACITY, Server};
use crate::visitor::{Hears, Visitor, call, they_talk};

/// What somebody who comes into a room is to each of its members, and the members to the newcomer.
pub(crate) const NEWCOMER: Role = Role::Answerer;
pub(crate) const MEMBER: Role = match NEWCOMER {
    Role::Answerer => Role::Offerer,
    Role::Offerer => Role::Answerer,
};

/// Where two can be in a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    Lobby,
    Room,
}

impl Place {
    pub(crate) const BOTH: [Self; 2] = [Self::Lobby, Self::Room];

    /// A call of two who have just come, in a room in a new one. The first one has waited there for
    /// the other, so that a room is its own.
    pub(crate) async fn call(self, server: &Server, one: &str, other: &str) -> (Visitor, Visitor) {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let [one, other] = [one, other].map(|name| format!("{name} ({self:?})"));
        match self {
            Self::Lobby => call(server, &one, &other).await,
            Self::Room => {
                let room = format!("call-{}", LAST.fetch_add(1, Ordering::Relaxed));
                let [one, other] = gather(server, &room, [&one, &other]).await;
                (one, other)
            }
        }
    }

    /// In a room, somebody hears how it stands, as after every change and after coming back.
    pub(crate) async fn tells(self, visitor: &mut Visitor, host: PeerId) {
        if self == Self::Room {
            visitor.hears(stands(host, false)).await;
        }
    }

    /// In a room, somebody hears that it is the host.
    pub(crate) async fn tells_the_host(self, visitor: &mut Visitor) {
        self.tells(visitor, visitor.id).await;
    }
}

/// New people in a new room, who came in this order and go by these names.
pub(crate) async fn gather<const N: usize>(
    server: &Server,
    room: &str,
    names: [&str; N],
) -> [Visitor; N] {
    let mut members = Vec::new();
    for name in names {
        let mut newcomer = server.visitor_of(room, name).await;
        comes_in(&mut newcomer, name, &mut members).await;
        members.push(newcomer);
    }
    members
        .try_into()
        .unwrap_or_else(|_| unreachable!("one visitor a name"))
}

/// Somebody comes into an open room: it hears how the room stands and of all members, longest present
/// first, and each of them hears of it.
pub(crate) async fn comes_in<'a>(
    newcomer: &mut Visitor,
    name: impl Into<Option<&str>>,
    members: impl IntoIterator<Item = &'a mut Visitor>,
) {
    newcomer.enters(name).await;
    let mut members = members.into_iter().peekable();
    let host = members.peek().map_or(newcomer.id, |host| host.id);
    newcomer.hears(stands(host, false)).await;
    for member in members {
        newcomer.meets(member.seen_by(NEWCOMER)).await;
        member.meets(newcomer.seen_by(MEMBER)).await;
    }
}

/// Each of these hears it, as the very next message.
pub(crate) async fn is_told_to_all<'a>(
    message: Hears,
    visitors: impl IntoIterator<Item = &'a mut Visitor>,
) {
    for visitor in visitors {
        visitor.hears(message.clone()).await;
    }
}

/// A peer is gone.
pub(crate) fn gone(peer: PeerId, reason: LeaveReason) -> Hears {
    ServerMessage::PeerLeft { peer, reason }
}

/// A peer is away.
pub(crate) fn away(peer: PeerId) -> Hears {
    ServerMessage::PeerAway { peer }
}

/// A peer is back.
pub(crate) fn back(peer: PeerId) -> Hears {
    ServerMessage::PeerBack { peer }
}

/// Each of these hears that a peer is gone, and if it was lost, at first that it is away.
pub(crate) async fn all_lose<'a>(
    peer: PeerId,
    reason: LeaveReason,
    visitors: impl IntoIterator<Item = &'a mut Visitor>,
) {
    for visitor in visitors {
        if reason == LeaveReason::Lost {
            visitor.misses(peer).await;
        }
        visitor.is_left_by(peer, reason).await;
    }
}

/// How a room stands.
pub(crate) fn stands(host: PeerId, locked: bool) -> Hears {
    ServerMessage::Room {
        host,
        locked,
        capacity: ROOM_CAPACITY,
        resume: None,
    }
}

/// Every two of these talk, both ways.
pub(crate) async fn all_talk<const N: usize>(mut visitors: [&mut Visitor; N]) {
    for n in 1..N {
        let (before, [visitor, ..]) = visitors.split_at_mut(n) else {
            unreachable!("n is below N");
        };
        for other in before {
            they_talk(other, visitor).await;
        }
    }
}
