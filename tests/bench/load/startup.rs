//! How long it takes from starting a server to its first pair, beside the floor, in turns that alternate.

use std::time::Instant;

use serde_json::{Value, json};

use crate::client::Pair;
use crate::server::{Program, Server};
use crate::statistics::quantile;

/// Starts of each program.
const TURNS: usize = 21;

pub(crate) async fn run() -> Value {
    let mut programs = Program::BOTH.map(|program| (program, Vec::new()));
    for turn in 0..=TURNS {
        // Now this one goes first, now that one. The very first turn warms up.
        programs.reverse();
        for (program, millis) in &mut programs {
            let since = Instant::now();
            let server = Server::start(*program);
            let pair = Pair::meet(&server, "null").await;
            let took = since.elapsed();
            pair.leave().await;
            if turn > 0 {
                millis.push(took.as_secs_f64() * 1e3);
            }
        }
    }
    programs.sort_by_key(|(program, _)| *program == Program::Worker);
    let [(_, floor), (_, worker)] = &programs;
    let ratios = worker.iter().zip(floor).map(|(own, floor)| own / floor);
    json!({
        "floorMillis": quantile(floor, 0.5),
        "workerMillis": quantile(worker, 0.5),
        "ratio": quantile(&ratios.collect::<Vec<_>>(), 0.5),
    })
}
