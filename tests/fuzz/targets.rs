//! What holds whatever the bytes: each target makes something of them and fails where a rule is broken.

use std::iter;

use arbitrary::{Arbitrary, Unstructured};
use echomingle::core::actor::{Actor, MAX_ATTACHMENT_BYTES, SavedSeat};
use echomingle::core::id::PeerId;
use echomingle::core::interest::{MAX_INTEREST_CHARS, MAX_INTERESTS};
use echomingle::core::lobby::Lobby;
use echomingle::core::protocol::{
    ClientMessage, ErrorCode, MAX_NAME_CHARS, MAX_OFFER_BYTES, Relayed, ServerMessage, parse,
};
use echomingle::core::room::Room;
use serde_json::Value;

use crate::common::world::{DAY, nth, sleeping_changes_nothing, span};
use crate::common::{KEY, Script, errors, lobby_world, pair, party, room_world};

/// How many steps are taken: a run of more says little more, and takes long.
const STEPS: usize = 80;

/// A frame is refused in few words, or it is what every other reader of JSON finds in it, within the limits, and
/// stays that when it is said again.
pub fn protocol(bytes: &[u8]) {
    let Ok(frame) = str::from_utf8(bytes) else {
        return;
    };
    let message = match parse(frame) {
        Ok(message) => message,
        Err(rejection) => {
            // Of the frame there are at most 160 characters in it.
            assert!(rejection.message().chars().count() < 256, "{rejection:?}");
            return;
        }
    };
    let again = serde_json::to_string(&message).unwrap();
    assert_eq!(parse(&again).as_ref(), Ok(&message));
    // Not every number that is relayed is one that this reader can hold.
    if let Ok(said) = serde_json::from_str::<Value>(frame) {
        assert!(said.is_object());
        let other: ClientMessage<Value> = serde_json::from_value(said).unwrap();
        assert_eq!(
            serde_json::to_value(other).unwrap(),
            serde_json::to_value(&message).unwrap()
        );
    }
    fits(&message);
    if let ClientMessage::Signal { to, data } = message {
        let text = &frame[data.place_in(frame)];
        let signal: ServerMessage<_> = ServerMessage::Signal { from: to, data };
        let relayed = format!("{}{text}}}", Relayed::head(to));
        assert_eq!(relayed, serde_json::to_string(&signal).unwrap());
    }
}

fn fits(message: &ClientMessage<Relayed<'_>>) {
    match message {
        ClientMessage::Find {
            interests, offer, ..
        } => {
            assert!(interests.len() <= MAX_INTERESTS);
            let chars = interests.iter().map(|interest| interest.chars().count());
            assert!(chars.max() <= Some(MAX_INTEREST_CHARS));
            let bytes = offer.as_ref().map(|offer| offer.expose().len());
            assert!(bytes <= Some(MAX_OFFER_BYTES));
        }
        ClientMessage::Offer { offer } => assert!(offer.expose().len() <= MAX_OFFER_BYTES),
        ClientMessage::Join { name } => {
            let chars = name.as_ref().map(|name| name.chars().count());
            assert!(chars <= Some(MAX_NAME_CHARS));
        }
        ClientMessage::Lock { .. }
        | ClientMessage::AskToMute { .. }
        | ClientMessage::Remove { .. }
        | ClientMessage::Missing { .. }
        | ClientMessage::Signal { .. }
        | ClientMessage::Leave {}
        | ClientMessage::Away {}
        | ClientMessage::Resume { .. } => {}
    }
}

/// People in the lobby do whatever the bytes say, and the lobby sleeps now and then.
pub fn lobby(bytes: &[u8]) {
    let world = lobby_world::World::default();
    sleeping_changes_nothing(world, || Lobby::new(KEY), steps(bytes));
}

/// People in a room that has place for 2 to 5 do whatever the bytes say, and the room sleeps now and then.
pub fn room(bytes: &[u8]) {
    let Some((seats, bytes)) = bytes.split_first() else {
        return;
    };
    let capacity = 2 + u32::from(seats % 4);
    let world = room_world::World::new(capacity);
    sleeping_changes_nothing(world, move || Room::new(capacity, KEY), steps(bytes));
}

/// What may happen, and whether the object sleeps after it, as often as there are bytes.
fn steps<'a, Step: Arbitrary<'a>>(bytes: &'a [u8]) -> Vec<(Step, bool)> {
    let mut bytes = Unstructured::new(bytes);
    let next = || match bytes.is_empty() {
        true => None,
        false => bytes.arbitrary().ok(),
    };
    iter::from_fn(next).take(STEPS).collect()
}

/// People in the lobby and in a room say whatever the bytes say. Each line is a step: its first character says what
/// happens, the second to whom it does.
///
/// ```text
/// +          somebody connects
/// >1FRAME    the second of those who are there says this
/// ^12        the second takes the third of all tokens that were given, counted from the latest
/// -1         its socket is gone
/// !1         its network is gone
/// @2000      so many milliseconds pass
/// z          the object sleeps
/// ```
pub fn talk(bytes: &[u8]) {
    if let Ok(lines) = str::from_utf8(bytes) {
        let lines: Vec<_> = lines.lines().take(STEPS).collect();
        talks(&lines, || Lobby::new(KEY));
        talks(&lines, || Room::new(4, KEY));
    }
}

/// The same in an object that never sleeps, and in one that does: what is heard is the same, and fits what has to
/// remember it.
fn talks<A: Actor>(lines: &[&str], empty: impl Fn() -> A + Clone + 'static) {
    let mut awake = Script::of(empty.clone()).the_long_way();
    let mut sleepy = Script::of(empty);
    for (number, line) in (1..).zip(lines) {
        if *line == "z" {
            sleepy.sleeps();
        }
        for script in [&mut awake, &mut sleepy] {
            happens(line, number, script);
        }
        assert_eq!(awake.heard(), sleepy.heard(), "{line}");
        assert_eq!(awake.tokens, sleepy.tokens, "{line}");
        let longest = awake.attachments.values().map(Vec::len).max();
        assert!(longest <= Some(MAX_ATTACHMENT_BYTES), "{line}");
    }
}

fn happens<A: Actor>(line: &str, number: u64, script: &mut Script<A>) -> Option<()> {
    let mut rest = line.chars();
    let what = rest.next()?;
    match what {
        '+' => {
            script.connects(number);
            return Some(());
        }
        '@' => {
            // Two years are enough, and no sum overflows.
            let millis: u64 = rest.as_str().parse().ok()?;
            script.passes(millis.min(730 * DAY));
            return Some(());
        }
        _ => {}
    }
    let place = rest.next()?.to_digit(10)?;
    let who = nth(&script.attachments, u8::try_from(place).ok()?)?;
    match what {
        '>' => script.says(who, rest.as_str()),
        '^' => {
            let place = rest.next()?.to_digit(10)?;
            let mut tokens = script.tokens.iter().rev();
            let (_, token) = tokens.nth(usize::try_from(place).ok()?)?.clone();
            script.resumes(who, &token);
        }
        '-' => script.drops(who),
        '!' => script.falls_silent(who),
        _ => {}
    }
    Some(())
}

/// What was done to a token, and when it is used.
#[derive(Debug, Arbitrary)]
struct Use<'a> {
    in_room: bool,
    /// Which it is of all that were given.
    token: u8,
    #[arbitrary(with = span)]
    after: u64,
    touches: Vec<Touch<'a>>,
}

/// Some of the text of a token is cut out, and other text put there.
#[derive(Debug, Arbitrary)]
struct Touch<'a> {
    place: u16,
    length: u8,
    text: &'a str,
}

/// When all sockets were cut a token brings its owner back, until a day is over. No other text brings anybody.
pub fn token(bytes: &[u8]) {
    let Ok(how) = Use::arbitrary_take_rest(Unstructured::new(bytes)) else {
        return;
    };
    if how.in_room {
        brings_back(party::inside::<3>().0, &how);
    } else {
        brings_back(pair::pair().0, &how);
    }
}

fn brings_back<A: Actor>(mut script: Script<A>, how: &Use<'_>) {
    let which = usize::from(how.token) % script.tokens.len();
    let mut text: Vec<_> = script.tokens[which].1.chars().collect();
    for touch in &how.touches {
        let start = usize::from(touch.place) % (text.len() + 1);
        let end = text.len().min(start + usize::from(touch.length));
        text.splice(start..end, touch.text.chars());
    }
    let text: String = text.into_iter().collect();
    // A fuzzer learns the other tokens, too.
    let mut tokens = script.tokens.iter();
    let given = tokens.find(|(_, token)| *token == text);
    let owner = given.map(|&(owner, _)| owner).filter(|_| how.after < DAY);
    script.deploys();
    script.passes(how.after);
    let by = script.connects(100);
    script.heard();
    script.resumes(by, &text);
    let heard = script.heard();
    if let Some(owner) = owner {
        let (to, first) = &heard[0];
        assert_eq!(*to, owner);
        assert!(matches!(first, ServerMessage::Welcome { id, .. } if *id == owner));
    } else {
        assert_eq!(errors(heard), [(by, ErrorCode::BadToken)]);
    }
    let there: Vec<PeerId> = script.attachments.into_keys().collect();
    assert_eq!(there, [owner.unwrap_or(by)]);
}

/// What a socket remembers is read or it is nothing. What was read is the same when it is written and read again, and
/// nothing with a byte more or less.
pub fn seat(bytes: &[u8]) {
    is_the_same_again(bytes, || Lobby::new(KEY));
    is_the_same_again(bytes, || Room::new(4, KEY));
}

fn is_the_same_again<A: Actor>(bytes: &[u8], empty: impl Fn() -> A) {
    let written = |bytes: &[u8]| {
        let seat = SavedSeat::read(bytes)?;
        let (peer, heard) = (seat.peer(), seat.heard());
        let mut actor = empty();
        actor.recall(seat);
        Some(actor.attachment(peer, heard).expect("a seat"))
    };
    if let Some(again) = written(bytes) {
        // A number may have been written in more bytes than it needs.
        assert!(again.len() <= bytes.len());
        assert_eq!(written(&[&again, &[0][..]].concat()), None);
        assert_eq!(written(&again[..again.len() - 1]), None);
        assert_eq!(written(&again), Some(again));
    }
}
