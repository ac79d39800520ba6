//! How many files may be open at once: a socket is one, here and in the server.

use std::fs;
use std::process::{self, Command, Stdio};

/// As many as are needed.
pub(crate) fn enough_files(needed: usize) {
    let allowed = allowed_files(needed);
    assert!(
        allowed >= needed,
        "{needed} files have to be open at once, and {allowed} may be: run ulimit -n {needed} before"
    );
}

/// How many may be, here and in what is started from here. It is asked for more where these are fewer than wanted
/// (util-linux: prlimit), which root may have.
pub(crate) fn allowed_files(wanted: usize) -> usize {
    let allowed = limit();
    if allowed >= wanted {
        return allowed;
    }
    let asked = Command::new("prlimit")
        .arg(format!("--pid={}", process::id()))
        .arg(format!("--nofile={wanted}"))
        .stderr(Stdio::null())
        .status();
    asked.map_or(allowed, |_| limit())
}

/// Linux: `/proc/self/limits`. What is no number is "unlimited".
fn limit() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let mut lines = limits.lines();
    let open = lines.find_map(|line| line.strip_prefix("Max open files"));
    let soft = open.and_then(|limits| limits.split_whitespace().next());
    soft.and_then(|soft| soft.parse().ok())
        .unwrap_or(usize::MAX)
}
