//! What becomes of random chat with 20 people to 2,000,000: the very rules of the lobbies and of the directory, driven
//! by events on a virtual clock. Started by `npm run simulate`; a line of JSON is a run.
//!
//! - [`world`] is what is assumed of people, and [`people`] what they do;
//! - [`objects`] is what the shell does around the rules, [`prices`] what that costs;
//! - [`checks`] looks for what must not be.

// Here it is said how long it took.
#![allow(clippy::disallowed_methods, missing_docs)]

mod agenda;
mod checks;
mod objects;
mod people;
mod prices;
mod report;
mod simulation;
mod tally;
mod world;

use std::sync::Mutex;

use crate::simulation::{Setup, Simulation};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// How a number of people is looked at: how long a day takes, and how much of it is seen.
fn setup(people: u32) -> Setup {
    let (day, measured, filling, settling) = match people {
        0..=1_999 => (24 * HOUR, 24 * HOUR, 5 * MINUTE, 5 * MINUTE),
        2_000..=19_999 => (6 * HOUR, 6 * HOUR, 5 * MINUTE, 5 * MINUTE),
        20_000..=199_999 => (HOUR, HOUR, 2 * MINUTE, 2 * MINUTE),
        200_000..=1_999_999 => (24 * MINUTE, 12 * MINUTE, MINUTE, MINUTE),
        2_000_000.. => (2 * HOUR, 75_000, 75_000, 30_000),
    };
    Setup {
        people,
        seed: 1,
        day,
        measured,
        // When America wakes up and Asia goes to sleep.
        from_hour: 14,
        filling,
        settling,
        lobby_kills: (measured / 4).min(HOUR),
        directory_kills: (measured / 4).min(HOUR) * 3 / 4,
        wipes: false,
        signals: 4,
    }
}

const SIZES: [u32; 6] = [20, 200, 2_000, 20_000, 200_000, 2_000_000];

/// `--sizes 20,200 --seed 1 --signals 4 --wipes 0 --seconds 600`.
fn main() {
    let mut sizes = SIZES.to_vec();
    let (mut seed, mut signals, mut wipes) = (1, 4, false);
    let mut seconds = None;
    let arguments: Vec<String> = std::env::args().collect();
    for pair in arguments.windows(2) {
        let number = pair[1].parse().unwrap_or(0);
        match pair[0].as_str() {
            "--sizes" => {
                let all = pair[1].split(',');
                sizes = all.filter_map(|size| size.parse().ok()).collect();
            }
            "--seed" => seed = u64::from(number),
            "--signals" => signals = number,
            "--seconds" => seconds = Some(u64::from(number) * 1_000),
            "--wipes" => wipes = number != 0,
            _ => {}
        }
    }
    // The one that takes longest begins first.
    sizes.sort_unstable();
    let left = Mutex::new(sizes);
    let work = || {
        loop {
            let size = left.lock().ok().and_then(|mut sizes| sizes.pop());
            let Some(size) = size else {
                return;
            };
            let usual = setup(size);
            let setup = Setup {
                measured: seconds.unwrap_or(usual.measured),
                seed,
                signals,
                wipes,
                ..usual
            };
            let before = report::cpu_seconds();
            let simulation = Simulation::new(setup).run();
            let took = report::cpu_seconds() - before;
            println!("{}", simulation.result(took));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
}
