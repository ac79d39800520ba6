//! The pages of docs/ that say what the code says: docs/protocol.md, held to the declarations that are made from
//! the Rust types and to the limits themselves, and docs/operations.md, to what is counted.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

use echomingle::core::interest::{MAX_INTEREST_CHARS, MAX_INTERESTS};
use echomingle::core::note::{Note, Report};
use echomingle::core::protocol::{
    ErrorCode, LeaveReason, MAX_FRAME_BYTES, MAX_NAME_CHARS, MAX_OFFER_BYTES, Mode, ServerMessage,
    parse,
};
use echomingle::core::quota::Counted;
use echomingle::core::rate::{CHARS, Limit, MESSAGES, PATIENCE, SEARCHES};
use echomingle::core::room::MAX_OUTSIDE;
use serde_json::Value;

const PAGE: &str = include_str!("../docs/protocol.md");
const OPERATIONS: &str = include_str!("../docs/operations.md");
const DECLARATIONS: &str = include_str!("../pages/lib/protocol.d.ts");

/// What is declared under this name.
fn declared(name: &str) -> &'static str {
    let (_, rest) = DECLARATIONS
        .split_once(&format!("export type {name} = "))
        .or_else(|| DECLARATIONS.split_once(&format!("export type {name}<D = unknown> = ")))
        .unwrap();
    rest.split("\nexport ").next().unwrap()
}

/// The fields in the declaration of one object, each in quotes as a table has it.
fn fields(object: &str) -> Vec<String> {
    let names = object.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("  ")?.split_once(": ")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '?';
        name.chars().all(plain).then(|| format!("`{name}`"))
    });
    names.collect()
}

/// The types of the messages in a declaration, and their fields.
fn messages(name: &str) -> Vec<(String, String)> {
    let objects = declared(name).split("{ \"type\": \"").skip(1);
    let messages = objects.map(|object| {
        let kind = object.split('"').next().unwrap();
        (format!("`{kind}`"), fields(object).join(", "))
    });
    messages.collect()
}

/// The words that a declaration allows.
fn words(name: &str) -> Vec<(String, String)> {
    let words = declared(name).split('"').skip(1).step_by(2);
    words
        .map(|word| (format!("`{word}`"), String::new()))
        .collect()
}

/// The first two cells of each row of the tables under a heading, or of the table that has this in its head.
fn rows(heading: &str) -> Vec<(String, String)> {
    rows_of(PAGE, heading)
}

fn rows_of(page: &str, heading: &str) -> Vec<(String, String)> {
    let (_, rest) = page.split_once(heading).expect(heading);
    let lines = rest.lines().skip_while(|line| !line.starts_with("|---"));
    let table = lines.skip(1).take_while(|line| line.starts_with('|'));
    let rows = table.map(|row| {
        let mut cells = row.split('|').skip(1).map(|cell| cell.trim().to_owned());
        (cells.next().unwrap(), cells.next().unwrap())
    });
    rows.collect()
}

/// The first cells alone.
fn names(rows: Vec<(String, String)>) -> Vec<(String, String)> {
    rows.into_iter()
        .map(|(name, _)| (name, String::new()))
        .collect()
}

#[test]
fn every_message_has_its_row_with_its_fields() {
    let client = messages("ClientMessage");
    assert!(client.contains(&("`signal`".into(), "`to`, `data`".into())));
    assert_eq!(rows("## What a client says"), client);
    assert_eq!(rows("## What the server says"), messages("ServerMessage"));
}

#[test]
fn every_word_has_its_row() {
    let peer = fields(declared("Peer")).into_iter();
    let peer: Vec<_> = peer.map(|field| (field, String::new())).collect();
    assert_eq!(names(rows("| a `peer` has |")), peer);
    assert_eq!(names(rows("| `reason` |")), words("LeaveReason"));
    assert_eq!(names(rows("| `code` |")), words("ErrorCode"));
}

#[test]
fn the_limits_are_those_that_hold() {
    let flow = |Limit { burst, per_second }| format!("{burst} at once, {per_second} a second");
    let minute = |counted: Counted| format!("{} a minute (429 after that)", counted.limit().burst);
    let limits = [
        format!("{MAX_FRAME_BYTES} bytes"),
        format!("{MAX_OFFER_BYTES} bytes"),
        format!("{MAX_INTERESTS}, of {MAX_INTEREST_CHARS} characters each"),
        format!("{MAX_NAME_CHARS} characters"),
        flow(MESSAGES),
        flow(CHARS),
        flow(SEARCHES),
        format!("{PATIENCE}"),
        minute(Counted::Connections),
        minute(Counted::Relays),
        format!("{MAX_OUTSIDE} (503 after that)"),
    ];
    let told = rows("## Limits").into_iter().map(|(_, limit)| limit);
    assert_eq!(told.collect::<Vec<_>>(), limits);
}

#[test]
fn the_example_is_made_of_messages() {
    let (_, rest) = PAGE.split_once("client     ").unwrap();
    let example = rest.split("```").next().unwrap();
    let (mut said, mut heard) = (0, 0);
    for line in example.lines().filter(|line| line.contains("{\"type\"")) {
        let frame = line.trim();
        if line.starts_with("   ") {
            let message: ServerMessage<Value> = serde_json::from_str(frame).unwrap();
            drop(message);
            heard += 1;
        } else {
            assert!(parse(frame).is_ok(), "{frame}");
            said += 1;
        }
    }
    assert_eq!((said, heard), (3, 4));
}

/// One of each kind.
const NOTES: [Note; 8] = [
    Note::Met {
        mode: Mode::Video,
        waited_ms: 0,
        shared: true,
        crossed: true,
    },
    Note::Ended {
        reason: LeaveReason::Left,
    },
    Note::Entered { members: 1 },
    Note::Gone {
        reason: LeaveReason::Left,
    },
    Note::Resumed,
    Note::Moved { waited_ms: 0 },
    Note::Refused {
        code: ErrorCode::Internal,
    },
    Note::SetUp(Report {
        connected: true,
        ms: 1,
        relayed: true,
    }),
];

/// Where a note is in [`NOTES`]. All have to be listed, or it does not compile.
const fn place(note: Note) -> usize {
    match note {
        Note::Met { .. } => 0,
        Note::Ended { .. } => 1,
        Note::Entered { .. } => 2,
        Note::Gone { .. } => 3,
        Note::Resumed => 4,
        Note::Moved { .. } => 5,
        Note::Refused { .. } => 6,
        Note::SetUp(_) => 7,
    }
}

#[test]
fn every_note_has_its_row_with_its_fields_in_their_order() {
    let noted = NOTES.map(|note| {
        assert_eq!(NOTES[place(note)], note);
        // In the order in which they are written, which a map would not keep.
        let line = serde_json::to_string(&note).unwrap();
        let mut facts = line.trim_matches(['{', '}']).split(',').map(|fact| {
            let (name, value) = fact.split_once(':').unwrap();
            (
                name.trim_matches('"').to_owned(),
                value.trim_matches('"').to_owned(),
            )
        });
        let (_, event) = facts.next().unwrap();
        let names = facts.map(|(name, _)| format!("`{name}`"));
        (format!("`{event}`"), names.collect::<Vec<_>>().join(", "))
    });
    let rows = rows_of(OPERATIONS, "## The log");
    assert_eq!(rows[..noted.len()], noted);
}
