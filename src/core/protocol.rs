//! The wire, version 1: this file is its only definition.
//!
//! WebSocket text frames, one JSON object a frame, `type` in kebab-case, fields in camelCase. The
//! TypeScript declarations in `pages/lib/protocol.d.ts` are generated from here, and a test fails when
//! they are stale. `D` is what stands for the relayed JSON of a signal: borrowed and unparsed
//! ([`Relayed`]) in the server, whatever is handy elsewhere.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::core::id::PeerId;
use crate::core::interest::{MAX_INTEREST_CHARS, MAX_INTERESTS};
use crate::core::note::{Report, Waits};
use crate::core::redacted::Redacted;
use crate::core::rejection::Rejection;

/// The version of the protocol, as `welcome` tells it.
pub const VERSION: u32 = 1;
/// The longest frame a client may send, in bytes of UTF-8.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// The longest offer that may be prepared, in bytes: it has to fit into what a hibernating socket
/// remembers (16,384 bytes, Cloudflare: Durable Objects, WebSocket attachments) beside the rest.
pub const MAX_OFFER_BYTES: usize = 12 * 1024;
/// The longest name somebody may go by in a room, in characters.
pub const MAX_NAME_CHARS: usize = 32;
/// Sent as bare text by clients to see whether the connection lives. The runtime answers [`PONG`]
/// without waking the object.
pub const PING: &str = "ping";
/// The answer to [`PING`].
pub const PONG: &str = "pong";

/// What a client says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ClientMessage<D> {
    /// Join the queue. In a call this is "next": the call ends and the search starts, in one step.
    Find {
        /// Video or text.
        mode: Mode,
        /// What one likes: at most 8 strings of at most 32 characters.
        #[serde(
            default,
            deserialize_with = "or_default",
            skip_serializing_if = "Vec::is_empty"
        )]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<String>>"))]
        interests: Vec<String>,
        /// The SDP offer of a connection prepared in advance, handed to whoever is met.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, as = "Option<String>"))]
        offer: Option<Redacted>,
        /// Whether two offers are enough for this client, where those of both are alike: each takes the
        /// other's for an answer, and nobody has to answer.
        #[serde(
            default,
            deserialize_with = "or_default",
            skip_serializing_if = "is_false"
        )]
        #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
        crosses: bool,
        /// How the last call came about, for who runs the server to see; nothing depends on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        last: Option<Report>,
    },
    /// While waiting: hand over this one from now on, and not that of `find`. Answered by `waiting`; who
    /// does not wait any more is not answered, and whoever was met has the offer from before.
    Offer {
        /// The SDP offer.
        #[cfg_attr(test, ts(as = "String"))]
        offer: Redacted,
    },
    /// Enter the room of this address. Sent by a member, it changes the name.
    Join {
        /// What to be called: at most 32 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        name: Option<String>,
    },
    /// Let nobody in any more, or let people in again. Only the host may.
    Lock {
        /// Whether the room is to be locked.
        on: bool,
    },
    /// Ask a member to mute itself; nobody's microphone is touched. Only the host may.
    AskToMute {
        /// Whom.
        #[cfg_attr(test, ts(as = "String"))]
        peer: PeerId,
    },
    /// Put a member out of the room. Only the host may.
    Remove {
        /// Whom.
        #[cfg_attr(test, ts(as = "String"))]
        peer: PeerId,
    },
    /// Nothing arrives from this member any more. If the server has heard nothing of it either, it is
    /// lost; otherwise nothing happens.
    Missing {
        /// Whom one misses.
        #[cfg_attr(test, ts(as = "String"))]
        peer: PeerId,
    },
    /// Relayed as it is to a peer of the same call, to nobody else.
    Signal {
        /// A peer of the sender's call.
        #[cfg_attr(test, ts(as = "String"))]
        to: PeerId,
        /// Any JSON; between EchoMingle clients a description or a batch of candidates.
        data: D,
    },
    /// End the call, stop waiting or leave the room. The socket stays.
    Leave {},
    /// The page is going away and may come back at once, as in a reload. The seat is then kept for
    /// four seconds instead of `graceMs`.
    Away {},
    /// First message of a new socket after a lost one: the same id, the same call. Answered by a second
    /// `welcome`, or by `bad-token`; then the first one holds.
    Resume {
        /// The latest token that the lost socket was given.
        #[cfg_attr(test, ts(as = "String"))]
        token: Redacted,
    },
}

/// What the server says. Clients ignore messages whose type they do not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ServerMessage<D> {
    /// The first message on every socket, and the answer to `resume`.
    Welcome {
        /// Who you are.
        #[cfg_attr(test, ts(as = "String"))]
        id: PeerId,
        /// The token to resume with; absent where the server keeps no seats.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, as = "Option<String>"))]
        resume: Option<Redacted>,
        /// For how many milliseconds a lost seat is kept; 0: not at all.
        grace_ms: u32,
        /// The version of the protocol.
        version: u32,
        /// The peers of the call that goes on; those of them who are away are told next.
        peers: Vec<Peer>,
    },
    /// You are in the queue.
    Waiting {},
    /// You are in the room, and this is how it stands; told again whenever it changes.
    Room {
        /// Who may lock it, remove and ask to mute: who has been in it longest.
        #[cfg_attr(test, ts(as = "String"))]
        host: PeerId,
        /// Whether nobody is let in.
        locked: bool,
        /// How many people fit in.
        capacity: u32,
        /// The token to resume with from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, as = "Option<String>"))]
        resume: Option<Redacted>,
    },
    /// The host asks you to mute yourself.
    AskedToMute {},
    /// Somebody to talk to.
    PeerJoined {
        /// Who, and who of you two offers.
        peer: Peer,
        /// The token to resume this call with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, as = "Option<String>"))]
        resume: Option<Redacted>,
    },
    /// The peer's socket is lost and may come back; media goes on.
    PeerAway {
        /// Who.
        #[cfg_attr(test, ts(as = "String"))]
        peer: PeerId,
    },
    /// The peer's socket is back.
    PeerBack {
        /// Who.
        #[cfg_attr(test, ts(as = "String"))]
        peer: PeerId,
    },
    /// The peer is gone from the call.
    PeerLeft {
        /// Who. You yourself, if the host has removed you.
        #[cfg_attr(test, ts(as = "String"))]
        peer: PeerId,
        /// Why.
        reason: LeaveReason,
    },
    /// Relayed from a peer of your call.
    Signal {
        /// Who sent it.
        #[cfg_attr(test, ts(as = "String"))]
        from: PeerId,
        /// What it sent, as it was.
        data: D,
    },
    /// Somebody wants to resume your seat, as you yourself would if this socket were dead. Show that it
    /// is not: send anything, best the text `ping`, within two seconds, or it is closed.
    StillThere {},
    /// Open this address instead; what you were doing goes on there.
    Redirect {
        /// A WebSocket address; it may be relative to that of this socket (RFC 3986, section 5).
        url: String,
        /// The token to resume with there; absent where the one you came with holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, as = "Option<String>"))]
        resume: Option<Redacted>,
    },
    /// What you sent was refused; nothing else has changed.
    Error {
        /// For programs.
        code: ErrorCode,
        /// For people: what happened and what to do.
        message: String,
    },
}

/// The JSON of a signal, checked to be JSON and passed on to the letter. It holds addresses, so it
/// shows nothing but its length to whoever prints it.
#[derive(Clone, Copy, Serialize)]
#[serde(transparent)]
pub struct Relayed<'a>(&'a RawValue);

impl Relayed<'_> {
    /// What comes before the data in the message that passes it on, a [`ServerMessage::Signal`] as JSON;
    /// after it comes a brace. It is the same for everything that a peer says.
    #[must_use]
    pub fn head(from: PeerId) -> String {
        format!(r#"{{"type":"signal","from":"{from}","data":"#)
    }

    /// Where in the frame that it was [read](parse) from the data stand, in bytes.
    #[must_use]
    pub fn place_in(&self, frame: &str) -> Range<usize> {
        let text = self.0.get();
        let start = (text.as_ptr() as usize).saturating_sub(frame.as_ptr() as usize);
        start..start + text.len()
    }
}

impl fmt::Debug for Relayed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.get().len())
    }
}

impl PartialEq for Relayed<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

/// Video and text searches never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// With camera and microphone.
    Video,
    /// Chat only.
    Text,
}

/// Somebody in your call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// Where to send signals.
    #[cfg_attr(test, ts(as = "String"))]
    pub id: PeerId,
    /// Your role towards this peer.
    pub role: Role,
    /// The name it goes by, where there are names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub name: Option<String>,
    /// The interests that you share. What else it likes is its own business.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<String>>"))]
    pub interests: Vec<String>,
    /// The SDP offer it prepared; then you are the answerer, unless your offers have crossed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    pub offer: Option<Redacted>,
    /// Whether it has your prepared offer as you have its own, and both of you know what to do then.
    #[serde(default, skip_serializing_if = "is_false")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub crossed: bool,
}

/// What is left out where it is false.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Who begins the negotiation: one of the two, so that the first offers never collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Makes the first offer; the impolite side of perfect negotiation.
    Offerer,
    /// Waits for the first offer; the polite side (W3C WebRTC 1.0, section 10.7).
    Answerer,
}

impl Role {
    /// That of the other one of the two.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Offerer => Self::Answerer,
            Self::Answerer => Self::Offerer,
        }
    }
}

/// Why a peer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum LeaveReason {
    /// It ended the call.
    Left,
    /// It looks for somebody else.
    Skipped,
    /// Its connection to the server is gone.
    Lost,
    /// The host put it out of the room.
    Removed,
}

/// The kinds of `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// Not a message of this protocol.
    BadMessage,
    /// Longer than allowed.
    TooLarge,
    /// Faster than allowed.
    RateLimited,
    /// Not a peer of your call.
    UnknownPeer,
    /// No seat is left in the room.
    RoomFull,
    /// The host has locked the room.
    RoomLocked,
    /// The token resumes nothing.
    BadToken,
    /// Only somebody else may do this.
    NotAllowed,
    /// The server's fault.
    Internal,
}

/// The answer of `GET /v1/stats`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Connected sockets.
    pub online: u32,
    /// Of these, in the queue.
    pub waiting: u32,
    /// Calls of two or more.
    pub calls: u32,
    /// How many have waited at most 0, 1, 3, 10, 30, 60 and 300 seconds until they met somebody, and longer, since
    /// the server woke up.
    pub waits: Waits,
}

/// Reads one text frame of a client.
///
/// # Errors
/// A [`Rejection`] that says what is wrong with the frame. Sizes are checked before anything is parsed.
pub fn parse(frame: &str) -> Result<ClientMessage<Relayed<'_>>, Rejection> {
    if frame.len() > MAX_FRAME_BYTES {
        return Err(Rejection::TooLarge);
    }
    // A derived `Deserialize` also takes an array, its fields in order.
    match frame.trim_ascii_start().as_bytes().first() {
        Some(b'{') => {}
        Some(b'[' | b'"' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n') => {
            return Err(Rejection::NotAnObject);
        }
        _ => return Err(Rejection::NotJson("no object begins here".into())),
    }
    let fields: Fields<'_> = serde_json::from_str(frame).map_err(|error| {
        let why = error.to_string().chars().take(MAX_EXPLANATION).collect();
        match error.classify() {
            Category::Data => Rejection::Malformed(why),
            Category::Syntax | Category::Eof | Category::Io => Rejection::NotJson(why),
        }
    })?;
    fields.into_message()
}

/// An explanation may quote the client's own frame, and only so much of it.
const MAX_EXPLANATION: usize = 160;

/// The fields of all messages at once: the `type` need not come first, one pass is enough, and the
/// relayed data stays the borrowed text it was.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(rename = "type")]
    kind: Word<Kind>,
    mode: Option<Word<Mode>>,
    interests: Option<Vec<String>>,
    offer: Option<Redacted>,
    crosses: Option<bool>,
    last: Option<Report>,
    name: Option<String>,
    on: Option<bool>,
    peer: Option<Addressee>,
    to: Option<Addressee>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<Relayed<'a>>,
    token: Option<Redacted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Find,
    Offer,
    Join,
    Lock,
    AskToMute,
    Remove,
    Missing,
    Signal,
    Leave,
    Away,
    Resume,
    #[serde(other)]
    Unknown,
}

/// A word is text. A derived `Deserialize` of an enum takes `{"word": null}` as well.
struct Word<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Text<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
                T::deserialize(text.into_deserializer())
            }
        }
        deserializer.deserialize_str(Text(PhantomData)).map(Self)
    }
}

/// What may be absent may be `null` as well, as many a writer of JSON says it.
fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// `null` is JSON like any other and is relayed; `Option` alone would take it for absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Relayed<'de>>, D::Error> {
    Deserialize::deserialize(deserializer)
        .map(Relayed)
        .map(Some)
}

/// A peer id, or text that is none: nobody has it, which is not the same as a malformed message.
struct Addressee(Option<PeerId>);

impl Addressee {
    fn known(self) -> Result<PeerId, Rejection> {
        self.0.ok_or(Rejection::UnknownPeer)
    }
}

impl<'de> Deserialize<'de> for Addressee {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Addressee;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Addressee, E> {
                Ok(Addressee(text.parse().ok()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl<'a> Fields<'a> {
    fn into_message(mut self) -> Result<ClientMessage<Relayed<'a>>, Rejection> {
        let takes = self.kind.0.takes().ok_or(Rejection::UnknownType)?;
        match self.take() {
            Some(message) if self.are_spent() => message,
            _ => Err(Rejection::Malformed(takes.into())),
        }
    }

    /// Takes the fields of this type out; nothing where one is missing.
    fn take(&mut self) -> Option<Result<ClientMessage<Relayed<'a>>, Rejection>> {
        Some(match self.kind.0 {
            Kind::Find => {
                let interests = self.interests.take().unwrap_or_default();
                let crosses = self.crosses.take().unwrap_or_default();
                let (offer, last) = (self.offer.take(), self.last.take());
                find(self.mode.take()?.0, interests, offer, crosses, last)
            }
            Kind::Offer => {
                let offer = fitting(self.offer.take()?);
                offer.map(|offer| ClientMessage::Offer { offer })
            }
            Kind::Join => join(self.name.take()),
            Kind::Lock => Ok(ClientMessage::Lock {
                on: self.on.take()?,
            }),
            Kind::AskToMute => {
                let peer = self.peer.take()?.known();
                peer.map(|peer| ClientMessage::AskToMute { peer })
            }
            Kind::Remove => {
                let peer = self.peer.take()?.known();
                peer.map(|peer| ClientMessage::Remove { peer })
            }
            Kind::Missing => {
                let peer = self.peer.take()?.known();
                peer.map(|peer| ClientMessage::Missing { peer })
            }
            Kind::Signal => {
                let (to, data) = (self.to.take()?.known(), self.data.take()?);
                to.map(|to| ClientMessage::Signal { to, data })
            }
            Kind::Leave => Ok(ClientMessage::Leave {}),
            Kind::Away => Ok(ClientMessage::Away {}),
            Kind::Resume => Ok(ClientMessage::Resume {
                token: self.token.take()?,
            }),
            Kind::Unknown => Err(Rejection::UnknownType),
        })
    }

    /// Whether no field is left that the type does not take.
    fn are_spent(&self) -> bool {
        matches!(
            self,
            Self {
                kind: _,
                mode: None,
                interests: None,
                offer: None,
                crosses: None,
                last: None,
                name: None,
                on: None,
                peer: None,
                to: None,
                data: None,
                token: None,
            }
        )
    }
}

impl Kind {
    /// The fields of this type, in words; nothing for a type that does not exist.
    fn takes(&self) -> Option<&'static str> {
        match self {
            Self::Find => Some("find takes mode, and perhaps interests, offer, crosses and last"),
            Self::Offer => Some("offer takes offer"),
            Self::Join => Some("join takes perhaps name"),
            Self::Lock => Some("lock takes on"),
            Self::AskToMute => Some("ask-to-mute takes peer"),
            Self::Remove => Some("remove takes peer"),
            Self::Missing => Some("missing takes peer"),
            Self::Signal => Some("signal takes to and data"),
            Self::Leave => Some("leave takes nothing"),
            Self::Away => Some("away takes nothing"),
            Self::Resume => Some("resume takes token"),
            Self::Unknown => None,
        }
    }
}

fn find<D>(
    mode: Mode,
    interests: Vec<String>,
    offer: Option<Redacted>,
    crosses: bool,
    last: Option<Report>,
) -> Result<ClientMessage<D>, Rejection> {
    let too_long = |interest: &String| interest.chars().count() > MAX_INTEREST_CHARS;
    if interests.len() > MAX_INTERESTS {
        return Err(Rejection::TooManyInterests);
    }
    if interests.iter().any(too_long) {
        return Err(Rejection::InterestTooLong);
    }
    Ok(ClientMessage::Find {
        mode,
        interests,
        offer: offer.map(fitting).transpose()?,
        crosses,
        last,
    })
}

/// An offer that is not too long.
fn fitting(offer: Redacted) -> Result<Redacted, Rejection> {
    if offer.expose().len() > MAX_OFFER_BYTES {
        return Err(Rejection::OfferTooLarge);
    }
    Ok(offer)
}

fn join<D>(name: Option<String>) -> Result<ClientMessage<D>, Rejection> {
    let too_long = |name: &String| name.chars().count() > MAX_NAME_CHARS;
    if name.as_ref().is_some_and(too_long) {
        return Err(Rejection::NameTooLong);
    }
    Ok(ClientMessage::Join { name })
}
