//! What the lobby and a room have in common: an event in, orders out, and seats that sockets remember.
//!
//! The rule of this file: nothing here knows whom anybody meets. It is what the shell needs to know of
//! the rules, and the rules of the shell.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::core::compact::{pack, unpack};
use crate::core::directory::{Advice, Report};
use crate::core::id::PeerId;
use crate::core::layout::LobbyName;
use crate::core::note::Note;
use crate::core::protocol::{ClientMessage, Peer, Relayed, ServerMessage, VERSION};
use crate::core::redacted::Redacted;
use crate::core::region::Region;
use crate::core::rejection::Rejection;
use crate::core::resume::GRACE;
use crate::core::time::{Millis, Timestamp};

/// The longest attachment, in bytes: 16,384 (Cloudflare: Durable Objects, `serializeAttachment`) less
/// what the structured clone adds around a byte array.
pub const MAX_ATTACHMENT_BYTES: usize = 16_384 - 128;

/// After so long without a sign of life a socket may be taken for lost: clients ask every 25 seconds
/// whether the connection lives (`pages/lib/signaling.js`), and the answer may take ten.
pub const SILENCE: Millis = Millis::new(45_000);

/// When somebody who is connected was heard last: said something, or had a ping answered for us. It costs a
/// question to the runtime, so it is asked only of those of whom it matters.
pub type LastHeard<'h> = &'h dyn Fn(PeerId) -> Option<Timestamp>;

/// The rules behind the sockets of one Durable Object.
pub trait Actor {
    /// Everything known of one connected peer. As bytes, with its owner's id, at most
    /// [`MAX_ATTACHMENT_BYTES`].
    type Seat: Serialize + DeserializeOwned;

    /// Takes one event and says what is to be done. Events of unknown peers do nothing.
    fn handle<'a>(
        &mut self,
        event: Event<'a>,
        now: Timestamp,
        heard: LastHeard<'_>,
    ) -> Vec<Effect<'a>>;

    /// Whether a signal goes from one to the other, and nothing else comes of it. It is asked of each signal
    /// before all else, for most of what clients say is that: it takes no time into account, allocates
    /// nothing, and looks at the sender's seat alone. Where the answer is no, [`handle`](Self::handle) knows
    /// why.
    fn relays(&self, from: PeerId, to: PeerId) -> bool;

    /// Takes a seat whose socket is still there into an actor that was made anew. Nothing comes of that, and
    /// until [all are there](Self::restore) nothing may be asked but [`relays`](Self::relays) of this peer.
    fn recall(&mut self, seat: SavedSeat<Self::Seat>);

    /// Every seat whose socket is still there has been recalled: goes on from them as if it had never been
    /// away. The effects tell those who miss somebody that is no longer among them.
    fn restore<'a>(&mut self, now: Timestamp) -> Vec<Effect<'a>>;

    /// Something was said, be it relayed or refused or handled.
    fn hears(&mut self, _now: Timestamp) {}

    /// Whether one more may connect.
    fn admits(&self) -> bool {
        true
    }

    /// The seat of a connected peer.
    fn seat(&self, peer: PeerId) -> Option<&Self::Seat>;

    /// Whether an id is taken.
    fn knows(&self, peer: PeerId) -> bool {
        self.seat(peer).is_some()
    }

    /// What the socket of a peer has to remember, one of which was when the peer was heard last.
    fn attachment(&self, peer: PeerId, heard: Timestamp) -> Option<Vec<u8>> {
        pack(&(peer, self.seat(peer)?, heard))
    }
}

/// A seat as a socket's attachment remembers it.
#[derive(Debug, Deserialize)]
pub struct SavedSeat<Seat>(pub(super) PeerId, pub(super) Seat, pub(super) Timestamp);

impl<Seat: DeserializeOwned> SavedSeat<Seat> {
    /// The seat in an attachment; nothing where there is none or it cannot be read.
    #[must_use]
    pub fn read(attachment: &[u8]) -> Option<Self> {
        unpack(attachment)
    }
}

impl<Seat> SavedSeat<Seat> {
    /// Whose it is.
    #[must_use]
    pub const fn peer(&self) -> PeerId {
        self.0
    }

    /// When that one had been heard last when this was written: it may have been heard since.
    #[must_use]
    pub const fn heard(&self) -> Timestamp {
        self.2
    }
}

/// What happened. Messages borrow the relayed data from the frame they came in.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// A socket was accepted; the id is new ([`Actor::knows`]).
    Connected {
        /// The id it was given.
        peer: PeerId,
        /// Where in the world it comes from.
        region: Region,
    },
    /// A socket sent something that could be read.
    Received {
        /// Who.
        peer: PeerId,
        /// What.
        message: ClientMessage<Relayed<'a>>,
    },
    /// A socket is gone, however it went.
    Disconnected {
        /// Whose.
        peer: PeerId,
    },
    /// The alarm that [`Effect::WakeAt`] ordered, or any other, went off.
    Woken,
    /// The answer to [`Effect::Report`]. There may be none, or it may be late.
    Advised(Advice),
    /// The answer to [`Effect::HandOver`], likewise.
    Expected {
        /// Who is to move.
        peer: PeerId,
        /// Which of its moves this is.
        number: u64,
        /// What it takes its place there with, unless it is not wanted.
        token: Option<Redacted>,
    },
}

/// What is to be done about it, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect<'a> {
    /// Send a message.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: ServerMessage<Relayed<'a>>,
    },
    /// Put the seat's [`Actor::attachment`] on its socket.
    Save {
        /// Whose.
        peer: PeerId,
    },
    /// Close a socket. Its [`Event::Disconnected`] is still to come.
    Close {
        /// Whose.
        peer: PeerId,
        /// The close code.
        code: u16,
        /// The close reason, at most 123 bytes.
        reason: String,
    },
    /// Give up the socket of somebody who has been [silent](LastHeard) for too long: a network that went away
    /// says nothing. It is nobody's from now on, and no [`Event::Disconnected`] follows.
    Evict {
        /// Whose.
        peer: PeerId,
    },
    /// A socket belongs to somebody else from now on: its owner was known by another id before.
    Rename {
        /// Whose it was.
        from: PeerId,
        /// Whose it is; nobody's until now.
        to: PeerId,
    },
    /// Set the one alarm to this time, instead of any other.
    WakeAt(Timestamp),
    /// Count something that came about.
    Count(Note),
    /// Tell the directory how this lobby stands ([`Event::Advised`]).
    Report(Report),
    /// Ask another lobby for a token, by which somebody who waits takes its place there ([`Event::Expected`]).
    HandOver {
        /// Who.
        peer: PeerId,
        /// Which of its moves this is.
        number: u64,
        /// To which.
        to: LobbyName,
        /// What [`Lobby::expect`](crate::core::lobby::Lobby::expect) has to know of it.
        arrival: Vec<u8>,
    },
}

impl Effect<'_> {
    /// What a mistake leads to: its owner is told, and sent away if it is grave.
    #[must_use]
    pub fn reject(peer: PeerId, rejection: &Rejection) -> Vec<Self> {
        let error = Effect::Send {
            to: peer,
            message: ServerMessage::Error {
                code: rejection.code(),
                message: rejection.message(),
            },
        };
        let close = rejection.close().map(|code| Effect::Close {
            peer,
            code,
            reason: rejection.message(),
        });
        let note = Effect::Count(Note::Refused {
            code: rejection.code(),
        });
        [error, note].into_iter().chain(close).collect()
    }

    /// The first message of a socket, or of one that belongs to somebody else from now on.
    #[must_use]
    pub fn welcome(peer: PeerId, resume: Option<Redacted>, peers: Vec<Peer>) -> Self {
        Effect::Send {
            to: peer,
            message: ServerMessage::Welcome {
                id: peer,
                resume,
                grace_ms: u32::try_from(GRACE.get()).unwrap_or(u32::MAX),
                version: VERSION,
                peers,
            },
        }
    }
}
