//! What a fuzzer found worth keeping (docs/fuzzing.md), once more. No I/O but reading it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "the targets are public to a fuzzer"
)]

mod common;
#[path = "fuzz/targets.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use base64ct::{Base64UrlUnpadded, Encoding};

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz");

/// A test for each target, and the names of all.
macro_rules! replay {
    ($($target:ident),+ $(,)?) => {
        const TARGETS: &[&str] = &[$(stringify!($target)),+];
        $(#[test]
        fn $target() {
            replay(stringify!($target), targets::$target);
        })+
    };
}

replay!(lobby, protocol, room, seat, talk, token);

/// Runs a target on each line of its file: bytes in base64url without padding.
fn replay(name: &str, target: fn(&[u8])) {
    let text = fs::read_to_string(Path::new(FUZZ).join("corpus").join(name)).unwrap();
    assert!(!text.is_empty(), "corpus/{name} is empty");
    for (number, line) in (1..).zip(text.lines()) {
        let bytes = Base64UrlUnpadded::decode_vec(line);
        let bytes = bytes.unwrap_or_else(|error| panic!("corpus/{name}, line {number}: {error}"));
        let holds = catch_unwind(|| target(&bytes)).is_ok();
        assert!(holds, "corpus/{name}, line {number}: see above");
    }
}

#[test]
fn every_target_is_run_by_a_fuzzer_and_has_a_corpus() {
    let files = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(Path::new(FUZZ).join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .map(|name| name.trim_end_matches(".rs").into())
            .collect()
    };
    let targets: BTreeSet<_> = TARGETS.iter().map(|&name| name.into()).collect();
    assert_eq!(files("bin"), targets);
    assert_eq!(files("corpus"), targets);
}
