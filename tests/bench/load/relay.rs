//! What a relayed signal costs, beside the floor, in turns that alternate.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::client::{Client, Pair, frame};
use crate::server::{Program, Server};
use crate::statistics::{own_cpu, quantile};

/// Turns of each program.
const TURNS: usize = 9;
/// Pairs that talk at once where CPU is measured.
const PAIRS: usize = 200;
/// What each of them says in a turn: within what the Worker lets a socket say at once.
const MESSAGES: usize = 110;
/// Messages of each that are under way at once.
const WINDOW: usize = 4;
/// Pairs, one after the other, whose round trips are measured in a turn.
const LONE_PAIRS: usize = 10;
/// Round trips of each.
const ROUND_TRIPS: usize = 100;

/// A batch of two candidates, as browsers make them.
fn candidates() -> String {
    let one = "candidate:842163049 1 udp 1677729535 192.0.2.7 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0";
    let candidate =
        json!({ "candidate": one, "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "EEtu" });
    json!({ "candidates": [candidate, candidate] }).to_string()
}

/// What is as long as an answer of theirs.
fn description() -> String {
    let sdp = "a=rtpmap:96 VP8/90000\r\n".repeat(173);
    json!({ "description": { "type": "answer", "sdp": sdp } }).to_string()
}

/// What was measured of one program, a value a turn.
#[derive(Default)]
struct Measured {
    /// CPU time of the server for each relay, in µs.
    cpu: Vec<f64>,
    /// From saying something to hearing the answer of one who answers at once, in µs: two relays.
    round_trip: Vec<f64>,
    per_second: Vec<f64>,
    /// How busy the generator was, from 0 to 1.
    busy: Vec<f64>,
}

pub(crate) async fn run() -> Value {
    let mut sizes = Vec::new();
    for data in [candidates(), description()] {
        sizes.push(compare(&data).await);
    }
    json!({ "sizes": sizes })
}

async fn compare(data: &str) -> Value {
    let mut programs = Program::BOTH.map(|program| (Server::start(program), Measured::default()));
    for turn in 0..=TURNS {
        // Now this one goes first, now that one. The very first turn warms up.
        programs.reverse();
        for (server, measured) in &mut programs {
            saturate(server, data, measured).await;
        }
        let mut round_trips = [Vec::new(), Vec::new()];
        for _ in 0..LONE_PAIRS {
            for ((server, _), round_trips) in programs.iter().zip(&mut round_trips) {
                ping_pong(server, data, round_trips).await;
            }
        }
        for ((_, measured), round_trips) in programs.iter_mut().zip(round_trips) {
            measured.round_trip.push(quantile(&round_trips, 0.5));
            if turn == 0 {
                *measured = Measured::default();
            }
        }
    }
    programs.sort_by_key(|(server, _)| server.program == Program::Worker);
    let [(_, floor), (_, worker)] = &programs;
    let ratio = |of: fn(&Measured) -> &Vec<f64>| {
        let pairs = of(worker).iter().zip(of(floor));
        let ratios: Vec<_> = pairs.map(|(own, floor)| own / floor).collect();
        quantile(&ratios, 0.5)
    };
    let tell = |one: &Measured| {
        json!({
            "cpuMicros": quantile(&one.cpu, 0.5),
            "roundTripMicros": quantile(&one.round_trip, 0.5),
            "perSecond": quantile(&one.per_second, 0.5),
            "generatorBusy": quantile(&one.busy, 0.5),
        })
    };
    json!({
        "frameBytes": frame("0123456789", data).len(),
        "floor": tell(floor),
        "worker": tell(worker),
        "cpuRatio": ratio(|one| &one.cpu),
        "roundTripRatio": ratio(|one| &one.round_trip),
    })
}

/// Many talk at once, as fast as they are served.
async fn saturate(server: &Server, data: &str, measured: &mut Measured) {
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        pairs.push(Pair::meet(server, data).await);
    }
    let (since, cpu, own) = (Instant::now(), server.cpu(), own_cpu());
    let talks = pairs.iter_mut().flat_map(|pair| {
        let frames = pair.frames.iter();
        let clients = pair.clients.iter_mut();
        clients
            .zip(frames)
            .map(|(client, frame)| talk(client, frame))
    });
    join_all(talks).await;
    let (took, cpu, own) = (since.elapsed(), server.cpu() - cpu, own_cpu() - own);
    let relays = (2 * PAIRS * MESSAGES) as f64;
    measured.cpu.push(micros(cpu) / relays);
    measured.per_second.push(relays / took.as_secs_f64());
    measured.busy.push(own.as_secs_f64() / took.as_secs_f64());
    for pair in pairs {
        pair.leave().await;
    }
}

/// Two talk, and nobody else.
async fn ping_pong(server: &Server, data: &str, round_trips: &mut Vec<f64>) {
    let mut pair = Pair::meet(server, data).await;
    let ([one, other], [to_other, to_one]) = (&mut pair.clients, &pair.frames);
    for _ in 0..ROUND_TRIPS {
        let since = Instant::now();
        one.say(to_other).await;
        other.hear().await;
        other.say(to_one).await;
        one.hear().await;
        round_trips.push(micros(since.elapsed()));
    }
    pair.leave().await;
}

/// Says all there is to say, a few at once: the next when one of the other's has arrived.
async fn talk(client: &mut Client, frame: &str) {
    for _ in 0..WINDOW {
        client.say(frame).await;
    }
    for said in WINDOW..MESSAGES + WINDOW {
        let heard = client.hear().await;
        assert!(heard.contains("signal"), "heard {heard}");
        if said < MESSAGES {
            client.say(frame).await;
        }
    }
}

fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}
