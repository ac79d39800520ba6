//! The targets, for a fuzzer. `tests/corpus.rs` has them as well, for what a fuzzer has found.

#[path = "../common/mod.rs"]
mod common;
pub mod targets;
