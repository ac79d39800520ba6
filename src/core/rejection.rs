//! What a client did wrong, what it is told, and when that ends its connection: one table.

use crate::core::interest::{MAX_INTEREST_CHARS, MAX_INTERESTS};
use crate::core::protocol::{ErrorCode, MAX_FRAME_BYTES, MAX_NAME_CHARS, MAX_OFFER_BYTES};

/// A mistake of the client. Nothing else of what the server holds is touched by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The frame is binary.
    NotText,
    /// The frame is longer than [`MAX_FRAME_BYTES`].
    TooLarge,
    /// The frame is not JSON; the parser's explanation.
    NotJson(String),
    /// The frame is JSON, but no object.
    NotAnObject,
    /// The `type` is none of the protocol's.
    UnknownType,
    /// A field is missing, unknown, doubled or of the wrong kind; the parser's explanation.
    Malformed(String),
    /// More than [`MAX_INTERESTS`] interests.
    TooManyInterests,
    /// An interest of more than [`MAX_INTEREST_CHARS`] characters.
    InterestTooLong,
    /// A prepared offer of more than [`MAX_OFFER_BYTES`].
    OfferTooLarge,
    /// A name of more than [`MAX_NAME_CHARS`] characters.
    NameTooLong,
    /// Something that only means something in a room.
    OnlyInRooms,
    /// Something that only means something in random chat.
    NotInRooms,
    /// Something for or about somebody who is not in the sender's call.
    UnknownPeer,
    /// The room has as many members as it may have.
    RoomFull,
    /// The host lets nobody in.
    RoomLocked,
    /// Something that only the host of the room may do.
    NotTheHost,
    /// A token that resumes nothing here.
    BadToken,
    /// Messages come faster than they are served; this one was dropped.
    RateLimited,
    /// The client went on although it was told of [`Rejection::RateLimited`].
    Flooding,
}

/// WebSocket close code 1008: the peer broke a rule (RFC 6455, section 7.4.1).
pub const POLICY_VIOLATION: u16 = 1008;

impl Rejection {
    /// The code on the wire.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NotText
            | Self::NotJson(_)
            | Self::NotAnObject
            | Self::UnknownType
            | Self::Malformed(_)
            | Self::TooManyInterests
            | Self::InterestTooLong
            | Self::NameTooLong
            | Self::OnlyInRooms
            | Self::NotInRooms => ErrorCode::BadMessage,
            Self::TooLarge | Self::OfferTooLarge => ErrorCode::TooLarge,
            Self::UnknownPeer => ErrorCode::UnknownPeer,
            Self::RoomFull => ErrorCode::RoomFull,
            Self::RoomLocked => ErrorCode::RoomLocked,
            Self::NotTheHost => ErrorCode::NotAllowed,
            Self::BadToken => ErrorCode::BadToken,
            Self::RateLimited | Self::Flooding => ErrorCode::RateLimited,
        }
    }

    /// What happened and what to do about it.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::NotText => "Binary frames mean nothing here. Send text frames.".into(),
            Self::TooLarge => format!("A frame has at most {MAX_FRAME_BYTES} bytes. Send less."),
            Self::NotJson(why) => format!("This is not JSON ({why}). Send one object a frame."),
            Self::NotAnObject => "Send a JSON object with a type.".into(),
            Self::UnknownType => {
                "No message has this type. See the protocol for those there are.".into()
            }
            Self::Malformed(why) => format!("The fields do not fit the type: {why}."),
            Self::TooManyInterests => format!("Name at most {MAX_INTERESTS} interests."),
            Self::InterestTooLong => {
                format!("An interest has at most {MAX_INTEREST_CHARS} characters.")
            }
            Self::OfferTooLarge => format!(
                "A prepared offer has at most {MAX_OFFER_BYTES} bytes. Leave it out and signal it later."
            ),
            Self::NameTooLong => format!("A name has at most {MAX_NAME_CHARS} characters."),
            Self::OnlyInRooms => "This is for rooms. Open /v1/rooms/{room} and join.".into(),
            Self::NotInRooms => "This is for random chat. Open /v1/match and find.".into(),
            Self::UnknownPeer => "This peer is not in your call. Name one of your peers.".into(),
            Self::RoomFull => "The room is full. Try again when somebody has left.".into(),
            Self::RoomLocked => {
                "The host has locked the room. Ask to be let in, then try again.".into()
            }
            Self::NotTheHost => "Only the host of the room may do this. Ask the host.".into(),
            Self::BadToken => {
                "This call cannot be resumed. Send find or join to begin anew.".into()
            }
            Self::RateLimited => "You send too fast; messages are dropped. Slow down.".into(),
            Self::Flooding => "Too many messages.".into(),
        }
    }

    /// The close code, where the mistake ends the connection. The close reason is the message.
    #[must_use]
    pub const fn close(&self) -> Option<u16> {
        match self {
            Self::Flooding => Some(POLICY_VIOLATION),
            Self::NotText
            | Self::TooLarge
            | Self::NotJson(_)
            | Self::NotAnObject
            | Self::UnknownType
            | Self::Malformed(_)
            | Self::TooManyInterests
            | Self::InterestTooLong
            | Self::OfferTooLarge
            | Self::NameTooLong
            | Self::OnlyInRooms
            | Self::NotInRooms
            | Self::UnknownPeer
            | Self::RoomFull
            | Self::RoomLocked
            | Self::NotTheHost
            | Self::BadToken
            | Self::RateLimited => None,
        }
    }
}
