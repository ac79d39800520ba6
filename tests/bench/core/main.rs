//! What an event costs the lobby itself, natively and on one core, and prints it as JSON. Started by
//! `npm run bench`. Events are what the shell makes of frames, already read; their effects are dropped
//! within the time that is measured.
//!
//! - `crowd`: so many wait. A queue grows long only of people who want something particular and have not
//!   found it: whom two share is paired at once, and after a second and a half anybody will do. So the clock goes
//!   on by as much as it takes for the queue to stay about as long, and again and again some are no longer
//!   particular and meet, as the alarm has it (`wake`, which is not in `all`). One of five names no interest and the others one to four,
//!   each one of 1,000 popular ones by Zipf's law or, as likely, one that nobody else has. Of ten events
//!   one is a `leave`, of somebody who waits or is in a call; the others are `find` where more than a tenth
//!   of the queue's length are idle and `next` where not. As many are in calls as wait.
//! - `turnover`: nobody is particular, so that at most one waits, and 20,000 are in calls.
//! - `acquainted`: the most that a search has to look at. Everybody has just met the three others who like
//!   the same eight things, so all lines are of those four, and the clock stands still.
//! - `herd`: so many came in one instant, all particular about something else, and become open at once.
//! - `allocations`: how often memory is asked for.

// Here time is what is measured.
#![allow(clippy::disallowed_methods, missing_docs)]

mod allocations;
mod people;
mod stopwatch;
mod workloads;

use serde_json::json;

fn main() {
    let result = json!({
        "clockNanos": stopwatch::overhead().as_nanos() as u64,
        "crowd": workloads::LENGTHS.map(workloads::crowd),
        "turnover": workloads::turnover(),
        "acquainted": workloads::acquainted(),
        "herd": workloads::LENGTHS.map(workloads::herd),
        "allocations": allocations::count(),
    });
    println!("{result}");
}
