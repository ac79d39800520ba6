//! The wire as files, one message each, which the JavaScript tests read too. No I/O but reading them.
//!
//! `client/accept` is what the server takes, `client/refuse/<code>` what it refuses with that code, and
//! `server/accept` what it says. Frames that are too long are made here rather than kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use echomingle::core::protocol::{
    ClientMessage, ErrorCode, LeaveReason, MAX_FRAME_BYTES, MAX_OFFER_BYTES, Mode, Peer, Relayed,
    Role, ServerMessage, parse,
};
use serde_json::Value;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// Names the variant of a value. All variants have to be listed, or it does not compile, and each that
/// is listed has to be seen in a fixture.
macro_rules! variants {
    ($name:ident, $all:ident: $enum:ident $(<$data:ty>)? { $($variant:ident),+ $(,)? }) => {
        const $all: &[&str] = &[$(concat!(stringify!($enum), "::", stringify!($variant))),+];
        fn $name(value: &$enum $(<$data>)?) -> &'static str {
            match value {
                $($enum::$variant { .. } => concat!(stringify!($enum), "::", stringify!($variant))),+
            }
        }
    };
}

variants!(client_message, CLIENT_MESSAGES: ClientMessage<Relayed<'_>> {
    Find, Offer, Join, Lock, AskToMute, Remove, Missing, Signal, Leave, Away, Resume
});
variants!(server_message, SERVER_MESSAGES: ServerMessage<Value> {
    Welcome, Waiting, Room, AskedToMute, PeerJoined, PeerAway, PeerBack, PeerLeft, Signal, StillThere,
    Redirect, Error
});
variants!(mode, MODES: Mode { Video, Text });
variants!(role, ROLES: Role { Offerer, Answerer });
variants!(leave_reason, LEAVE_REASONS: LeaveReason { Left, Skipped, Lost, Removed });
variants!(error_code, ERROR_CODES: ErrorCode {
    BadMessage, TooLarge, RateLimited, UnknownPeer, RoomFull, RoomLocked, BadToken, NotAllowed, Internal
});

/// What the fixtures of a folder show, taken together.
#[derive(Default)]
struct Shown {
    variants: BTreeSet<&'static str>,
    /// Each optional field: whether it was seen to be absent, to be there.
    optional: BTreeMap<&'static str, [bool; 2]>,
}

impl Shown {
    fn optional(&mut self, field: &'static str, there: bool) {
        self.optional.entry(field).or_default()[usize::from(there)] = true;
    }

    fn client(&mut self, message: &ClientMessage<Relayed<'_>>) {
        self.variants.insert(client_message(message));
        // Every field is named, so that a new one is not forgotten.
        match message {
            ClientMessage::Find {
                mode: wanted,
                interests,
                offer,
                crosses,
                last,
            } => {
                self.variants.insert(mode(wanted));
                self.optional("interests of find", !interests.is_empty());
                self.optional("offer of find", offer.is_some());
                self.optional("crosses of find", *crosses);
                self.optional("last of find", last.is_some());
            }
            ClientMessage::Join { name } => self.optional("name of join", name.is_some()),
            ClientMessage::Offer { offer: _ }
            | ClientMessage::Lock { on: _ }
            | ClientMessage::AskToMute { peer: _ }
            | ClientMessage::Remove { peer: _ }
            | ClientMessage::Missing { peer: _ }
            | ClientMessage::Signal { to: _, data: _ }
            | ClientMessage::Leave {}
            | ClientMessage::Away {}
            | ClientMessage::Resume { token: _ } => {}
        }
    }

    fn server(&mut self, message: &ServerMessage<Value>) {
        self.variants.insert(server_message(message));
        match message {
            ServerMessage::Welcome {
                id: _,
                resume,
                grace_ms: _,
                version: _,
                peers,
            } => {
                self.optional("resume of welcome", resume.is_some());
                self.optional("peers of welcome", !peers.is_empty());
                for peer in peers {
                    self.peer(peer);
                }
            }
            ServerMessage::PeerJoined { peer, resume } => {
                self.optional("resume of peer-joined", resume.is_some());
                self.peer(peer);
            }
            ServerMessage::PeerLeft { peer: _, reason } => {
                self.variants.insert(leave_reason(reason));
            }
            ServerMessage::Error { code, message: _ } => {
                self.variants.insert(error_code(code));
            }
            ServerMessage::Room {
                host: _,
                locked: _,
                capacity: _,
                resume,
            } => self.optional("resume of room", resume.is_some()),
            ServerMessage::Redirect { url: _, resume } => {
                self.optional("resume of redirect", resume.is_some());
            }
            ServerMessage::Waiting {}
            | ServerMessage::AskedToMute {}
            | ServerMessage::PeerAway { peer: _ }
            | ServerMessage::PeerBack { peer: _ }
            | ServerMessage::Signal { from: _, data: _ }
            | ServerMessage::StillThere {} => {}
        }
    }

    fn peer(&mut self, peer: &Peer) {
        let Peer {
            id: _,
            role: ours,
            name,
            interests,
            offer,
            crossed,
        } = peer;
        self.variants.insert(role(ours));
        self.optional("name of a peer", name.is_some());
        self.optional("interests of a peer", !interests.is_empty());
        self.optional("offer of a peer", offer.is_some());
        self.optional("crossed of a peer", *crossed);
    }

    /// Fails unless all of `variants` were seen, and every optional field both ways.
    fn is_all_of(&self, variants: &[&[&'static str]]) {
        let all: BTreeSet<_> = variants.concat().into_iter().collect();
        let missing: Vec<_> = all.symmetric_difference(&self.variants).collect();
        assert!(missing.is_empty(), "no fixture shows {missing:?}");
        for (field, seen) in &self.optional {
            assert_eq!(*seen, [true; 2], "seen without and with {field}");
        }
    }
}

/// The files of a folder that end so, each with its path below `fixtures`. There have to be some, and
/// nothing else.
fn fixtures(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let files: Vec<_> = entries(folder)
        .into_iter()
        .map(|name| {
            let path = format!("{folder}/{name}");
            let known = endings.iter().any(|&ending| name.ends_with(ending));
            assert!(known, "{path}: is neither of {endings:?}");
            let text = fs::read_to_string(Path::new(FIXTURES).join(&path))
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            (path, text)
        })
        .collect();
    assert!(!files.is_empty(), "{folder}: is empty");
    files
}

fn entries(folder: &str) -> BTreeSet<String> {
    fs::read_dir(Path::new(FIXTURES).join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| match entry {
            Ok(entry) => entry.file_name().to_string_lossy().into_owned(),
            Err(error) => panic!("{folder}: {error}"),
        })
        .collect()
}

/// The text as JSON, whatever the order of its fields and the space between them.
fn json(path: &str, text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What the server tells the sender of `frame`, as it is on the wire; nothing where it takes the frame.
fn refusal(frame: &str) -> Option<Value> {
    let rejection = parse(frame).err()?;
    Some(serde_json::to_value(rejection.code()).unwrap_or_default())
}

#[test]
fn what_clients_may_say_is_taken_and_stays_what_it_is() {
    let mut shown = Shown::default();
    for (path, text) in fixtures("client/accept", &[".json"]) {
        let message = parse(&text).unwrap_or_else(|rejection| panic!("{path}: {rejection:?}"));
        let again = serde_json::to_string(&message).unwrap();
        assert_eq!(json(&path, &again), json(&path, &text), "{path}");
        shown.client(&message);
    }
    shown.is_all_of(&[CLIENT_MESSAGES, MODES]);
}

#[test]
fn what_may_be_absent_may_be_null() {
    for (frame, without) in [
        (
            r#"{"type":"find","mode":"text","interests":null,"offer":null,"crosses":null,"last":null}"#,
            r#"{"type":"find","mode":"text"}"#,
        ),
        (r#"{"type":"join","name":null}"#, r#"{"type":"join"}"#),
    ] {
        let message = parse(frame).unwrap();
        assert_eq!(serde_json::to_string(&message).unwrap(), without);
        let read: ClientMessage<Value> = serde_json::from_str(frame).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), without);
    }
}

#[test]
fn what_clients_may_not_say_is_refused_with_the_code_of_its_folder() {
    let codes = entries("client/refuse");
    assert!(!codes.is_empty(), "client/refuse: is empty");
    let mut wrong = Vec::new();
    for code in codes {
        for (path, text) in fixtures(&format!("client/refuse/{code}"), &[".json", ".txt"]) {
            let refused = refusal(&text);
            if refused != Some(code.as_str().into()) {
                wrong.push((path, refused));
            }
        }
    }
    assert_eq!(wrong, [], "files, and what they were refused with");
}

#[test]
fn what_the_server_says_is_read_and_stays_what_it_is() {
    let mut shown = Shown::default();
    for (path, text) in fixtures("server/accept", &[".json"]) {
        let message: ServerMessage<Value> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let again = serde_json::to_string(&message).unwrap();
        assert_eq!(json(&path, &again), json(&path, &text), "{path}");
        shown.server(&message);
    }
    shown.is_all_of(&[SERVER_MESSAGES, ROLES, LEAVE_REASONS, ERROR_CODES]);
}

/// A signal of so many bytes in all.
fn signal_of(bytes: usize) -> String {
    let around = r#"{"type":"signal","to":"5g7m0c2kx9","data":""}"#.len();
    let data = "x".repeat(bytes - around);
    format!(r#"{{"type":"signal","to":"5g7m0c2kx9","data":"{data}"}}"#)
}

#[test]
fn a_frame_of_64_kib_is_taken_and_one_byte_more_is_not() {
    assert_eq!(MAX_FRAME_BYTES, 65_536);
    assert_eq!(refusal(&signal_of(MAX_FRAME_BYTES)), None);
    assert_eq!(
        refusal(&signal_of(MAX_FRAME_BYTES + 1)),
        Some("too-large".into())
    );
    let in_bytes_and_not_in_characters = "é".repeat(MAX_FRAME_BYTES / 2 + 1);
    assert_eq!(
        refusal(&in_bytes_and_not_in_characters),
        Some("too-large".into())
    );
}

#[test]
fn a_prepared_offer_of_12_kib_is_taken_and_one_byte_more_is_not() {
    assert_eq!(MAX_OFFER_BYTES, 12_288);
    for fields in [r#""type":"find","mode":"video""#, r#""type":"offer""#] {
        let with = |bytes| format!(r#"{{{fields},"offer":"{}"}}"#, "x".repeat(bytes));
        assert_eq!(refusal(&with(MAX_OFFER_BYTES)), None);
        assert_eq!(
            refusal(&with(MAX_OFFER_BYTES + 1)),
            Some("too-large".into())
        );
    }
}

#[test]
fn deep_nesting_is_relayed_in_data_and_refused_elsewhere() {
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    let signal = format!(r#"{{"type":"signal","to":"5g7m0c2kx9","data":{deep}}}"#);
    let message = parse(&signal).unwrap();
    assert_eq!(serde_json::to_string(&message).unwrap(), signal);
    for frame in [
        deep.clone(),
        r#"{"type":"#.repeat(5_000),
        format!(r#"{{"type":{deep}}}"#),
        format!(r#"{{"type":"leave","deep":{deep}}}"#),
        format!(r#"{{"type":"find","mode":"text","interests":{deep}}}"#),
    ] {
        assert_eq!(
            refusal(&frame),
            Some("bad-message".into()),
            "{}",
            &frame[..40]
        );
    }
}

#[test]
fn data_is_relayed_to_the_letter() {
    let data = r#"{ "b": 1.0, "a":1e400, "b":12345678901234567890123, "\u0061": "\/\ud83c" }"#;
    let frame = format!("\t{{ \"data\" :{data} , \"to\":\"5g7m0c2kx9\",\"type\":\"signal\" }}\r\n");
    assert_eq!(
        serde_json::to_string(&parse(&frame).unwrap()).unwrap(),
        format!(r#"{{"type":"signal","to":"5g7m0c2kx9","data":{data}}}"#)
    );
}
