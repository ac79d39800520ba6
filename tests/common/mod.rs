//! A lobby on a virtual clock, and what its people say and hear: the script that the core's tests are
//! written in. It does what the shell does with effects, and nothing that a real object could not do.

#![allow(dead_code, reason = "each test crate uses its own part of the script")]

use std::collections::BTreeMap;

use echomingle::core::id::PeerId;
use echomingle::core::lobby::{Effect, Event, Lobby, SavedSeat};
use echomingle::core::protocol::{
    ClientMessage, ErrorCode, LeaveReason, Mode, Peer, Role, ServerMessage, VERSION, parse,
};
use echomingle::core::time::{Millis, Timestamp};
use serde_json::Value;

/// Who heard what.
pub(crate) type Heard = (PeerId, ServerMessage<Value>);

/// A lobby, its sockets' attachments, its alarm and its clock.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) lobby: Lobby,
    attachments: BTreeMap<PeerId, Vec<u8>>,
    alarm: Option<Timestamp>,
    elapsed: u64,
    heard: Vec<Heard>,
    /// How often the alarm went off.
    pub(crate) alarms: u32,
}

impl Script {
    /// Somebody connects; `number` becomes the id.
    pub(crate) fn connects(&mut self, number: u64) -> PeerId {
        let peer = PeerId::from_random(number);
        self.happens(Event::Connected { peer });
        peer
    }

    /// Somebody sends a frame.
    pub(crate) fn says(&mut self, peer: PeerId, frame: &str) {
        match parse(frame) {
            Ok(message) => self.happens(Event::Received { peer, message }),
            Err(rejection) => self.perform(Effect::reject(peer, &rejection)),
        }
    }

    /// Somebody sends a message of the protocol.
    pub(crate) fn sends(&mut self, peer: PeerId, message: &ClientMessage<Value>) {
        self.says(peer, &serde_json::to_string(message).unwrap());
    }

    /// Somebody searches.
    pub(crate) fn finds(&mut self, peer: PeerId, mode: Mode, interests: &[&str]) {
        self.sends(peer, &find(mode, interests));
    }

    /// Somebody's socket is gone.
    pub(crate) fn drops(&mut self, peer: PeerId) {
        self.attachments.remove(&peer);
        self.happens(Event::Disconnected { peer });
    }

    /// In how many milliseconds the alarm goes off.
    pub(crate) fn alarm_in(&self) -> Option<u64> {
        Some(self.alarm?.since(self.now()).get())
    }

    /// Time passes, and the alarm goes off whenever it is due.
    pub(crate) fn passes(&mut self, millis: u64) {
        let until = self.elapsed + millis;
        while let Some(at) = self.alarm
            && at <= at_millis(until)
        {
            self.elapsed = self.elapsed.max(at.unix_millis() - START);
            self.alarm = None;
            self.alarms += 1;
            self.happens(Event::Woken);
        }
        self.elapsed = until;
    }

    /// The object is thrown out of memory, and made again of what the sockets remember.
    pub(crate) fn forgets(&mut self) {
        let attachments = self.attachments.values();
        let seats = attachments.map(|attachment| SavedSeat::read(attachment).unwrap());
        let (lobby, effects) = Lobby::restore(seats);
        self.lobby = lobby;
        self.perform(effects);
    }

    /// A socket is gone and the object with it, so that nobody was told.
    pub(crate) fn loses(&mut self, peer: PeerId) {
        self.attachments.remove(&peer);
        self.forgets();
    }

    /// The length of what a socket remembers.
    pub(crate) fn remembers(&self, peer: PeerId) -> usize {
        self.attachments[&peer].len()
    }

    /// The virtual time.
    pub(crate) fn now(&self) -> Timestamp {
        at_millis(self.elapsed)
    }

    /// What was heard since this was asked last.
    pub(crate) fn heard(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.heard)
    }

    fn happens(&mut self, event: Event<'_>) {
        let now = self.now();
        let effects = self.lobby.handle(event, now);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect<'_>>) {
        for effect in effects {
            match effect {
                Effect::Send { to, message } => {
                    let frame = serde_json::to_string(&message).unwrap();
                    self.heard.push((to, serde_json::from_str(&frame).unwrap()));
                }
                Effect::Save { peer } => {
                    if let Some(attachment) = self.lobby.attachment(peer) {
                        self.attachments.insert(peer, attachment);
                    }
                }
                Effect::Close { peer, .. } => self.drops(peer),
                Effect::WakeAt(at) => self.alarm = Some(at.max(self.now())),
            }
        }
    }
}

/// When every script begins; any time will do but the epoch, which hides a missing time.
const START: u64 = 1_800_000_000_000;

fn at_millis(elapsed: u64) -> Timestamp {
    Timestamp::from_unix_millis(START).after(Millis::new(elapsed))
}

/// A search.
pub(crate) fn find(mode: Mode, interests: &[&str]) -> ClientMessage<Value> {
    ClientMessage::Find {
        mode,
        interests: interests.iter().map(|&interest| interest.into()).collect(),
        offer: None,
    }
}

/// A search with a prepared offer.
pub(crate) fn find_with(offer: &str) -> ClientMessage<Value> {
    ClientMessage::Find {
        mode: Mode::Video,
        interests: Vec::new(),
        offer: Some(offer.into()),
    }
}

/// `to` hears who it is.
pub(crate) fn welcome(to: PeerId) -> Heard {
    let message = ServerMessage::Welcome {
        id: to,
        resume: None,
        grace_ms: 0,
        version: VERSION,
        peers: Vec::new(),
    };
    (to, message)
}

/// `to` hears that it waits.
pub(crate) fn waiting(to: PeerId) -> Heard {
    (to, ServerMessage::Waiting {})
}

/// `to` hears of `peer`, towards whom it has `role`.
pub(crate) fn joined(to: PeerId, peer: PeerId, role: Role) -> Heard {
    joined_with(to, peer, role, &[], None)
}

/// `to` hears of `peer`, of what they share, and perhaps gets its offer.
pub(crate) fn joined_with(
    to: PeerId,
    peer: PeerId,
    role: Role,
    interests: &[&str],
    offer: Option<&str>,
) -> Heard {
    let peer = Peer {
        id: peer,
        role,
        name: None,
        interests: interests.iter().map(|&interest| interest.into()).collect(),
        offer: offer.map(Into::into),
    };
    (to, ServerMessage::PeerJoined { peer, resume: None })
}

/// Both hear of each other; the first one offers.
pub(crate) fn meet(offerer: PeerId, answerer: PeerId) -> [Heard; 2] {
    [
        joined(answerer, offerer, Role::Answerer),
        joined(offerer, answerer, Role::Offerer),
    ]
}

/// `to` hears that `peer` is gone.
pub(crate) fn left(to: PeerId, peer: PeerId, reason: LeaveReason) -> Heard {
    (to, ServerMessage::PeerLeft { peer, reason })
}

/// `to` hears what `from` signaled.
pub(crate) fn signal(to: PeerId, from: PeerId, data: Value) -> Heard {
    (to, ServerMessage::Signal { from, data })
}

/// The codes of the errors that were heard; anything else fails.
pub(crate) fn errors(heard: Vec<Heard>) -> Vec<(PeerId, ErrorCode)> {
    let code = |(to, message)| match message {
        ServerMessage::Error { code, .. } => (to, code),
        other => panic!("{to:?} heard {other:?} instead of an error"),
    };
    heard.into_iter().map(code).collect()
}
