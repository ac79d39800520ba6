//! The TypeScript declarations of the wire: written from the Rust types, committed, and stale when this
//! test says so. `BLESS=1 cargo test --lib declarations` writes them anew.

use ts_rs::{Config, TS};

use crate::core::ice::{IceConfiguration, IceServer};
use crate::core::note::{Report, Waits};
use crate::core::protocol::{
    ClientMessage, ErrorCode, LeaveReason, Mode, Peer, Role, ServerMessage, Stats,
};
use crate::core::turnstile::Pass;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pages/lib/protocol.d.ts");

fn declaration<T: TS>() -> String {
    let docs = T::docs().unwrap_or_default();
    let body = T::decl(&Config::default())
        .replace("/**\n * ", "  /** ")
        .replace("\n */\n", " */\n  ")
        .replace(" } | { ", " }\n  | { ")
        .replace(", \n", ",\n")
        .replace("{ \n", "{\n");
    format!("{}\nexport {body}\n", docs.trim_end())
}

fn declarations() -> String {
    [
        "// The wire of EchoMingle, version 1. Made from src/core/protocol.rs; do not edit.\n"
            .into(),
        declaration::<ClientMessage<ts_rs::Dummy>>(),
        declaration::<ServerMessage<ts_rs::Dummy>>(),
        declaration::<Peer>(),
        declaration::<Mode>(),
        declaration::<Role>(),
        declaration::<LeaveReason>(),
        declaration::<ErrorCode>(),
        declaration::<Stats>(),
        declaration::<Waits>(),
        declaration::<Report>(),
        declaration::<IceConfiguration>(),
        declaration::<IceServer>(),
        declaration::<Pass>(),
    ]
    .join("\n")
    .replace("<D>", "<D = unknown>")
}

#[test]
fn the_committed_declarations_are_those_of_the_rust_types() {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(PATH, declarations()).unwrap();
    }
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    assert_eq!(
        committed,
        declarations(),
        "run: BLESS=1 cargo test --lib declarations"
    );
}
