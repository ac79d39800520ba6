//! Many people for minutes, and whatever can go wrong meanwhile: what is lost by that, which has to be nothing.
//!
//! Nine of ten are in random chat, the others in rooms of three. Each has a network of its own, says `ping`, and comes
//! back by its token. What they hear is held against what is true ([`Truth`]); the server is killed and started anew
//! now and then. All of it is bounded: by the options, and by how long an answer may take.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;

use crate::crowd::{
    Line, Person, Place, Truth, die, everybody_goes, house, option, settles, shows_progress, start,
};
use crate::files::enough_files;
use crate::server::{Program, Settings};
use crate::statistics::quantile;

/// Of so many one is in a room.
const IN_ROOMS: u32 = 10;
/// Members of a room, of which `tests/common/workerd.capnp` has four.
const MEMBERS: u32 = 3;
/// Files that are open at once for somebody: workerd has two for each socket, and now and then somebody has two sockets.
const FILES: usize = 3;
/// Files that are open at once beside these.
const OTHER_FILES: usize = 1_000;
/// How long it may take until all are there.
const RAMP: Duration = Duration::from_secs(240);
/// After so long all are back to whom the server was lost.
const BACK: Duration = Duration::from_secs(15);
/// Sockets that a network may open at once.
const BURST: u32 = 300;
/// How often a sample is taken.
const SECOND: Duration = Duration::from_secs(1);
/// How much more memory the end of a life of the server may take than its second fifth.
const GROWTH: f64 = 1.15;
/// Of so many that come back one may have been away for longer than the grace: else the server, or this machine, does
/// not keep up, and nothing is said of those who were.
const MAY_BE_LATE: u64 = 50;
/// Whoever is asked by the server answers within two seconds, if all answers come within so long, and this is on time.
const IN_TIME: Duration = Duration::from_secs(1);
/// As many seats may go to a copied token where that is not so.
const FEW_TAKEN: u64 = 3;
/// Sockets that the server may have open when everybody has gone: that of the last question, and a few whose end it has
/// not heard of yet.
const LEFT_OPEN: usize = 8;
/// Shorter lives say nothing of memory.
const LONG: f64 = 60.0;

/// How it stood in a second.
struct Sample {
    at: f64,
    life: usize,
    /// How long after the server was killed last, in seconds.
    since: f64,
    held: i64,
    mib: f64,
    faults: u64,
}

pub(crate) async fn run() -> Value {
    let [sockets, seconds, kills, seed] = [
        ("--sockets", 5_000),
        ("--seconds", 300),
        ("--kills", 2),
        ("--seed", 1),
    ]
    .map(|(name, usual)| option(name).unwrap_or(usual));
    let [people, kills] = [sockets, kills].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    enough_files(FILES * people as usize + OTHER_FILES);
    LocalSet::new()
        .run_until(soak(people, Duration::from_secs(seconds), kills, seed))
        .await
}

async fn soak(people: u32, span: Duration, kills: u32, seed: u64) -> Value {
    let mut server = start(Program::Worker, Settings::new());
    let own_sockets = server.sockets();
    let truth = Rc::new(Truth::new(seed, people, server.address, true, malformed()));
    let in_rooms = people / IN_ROOMS / MEMBERS * MEMBERS;
    let everybody: Vec<_> = (0..people)
        .map(|number| {
            let place = match number < in_rooms {
                true => Place::Room(number / MEMBERS),
                false => Place::Chat,
            };
            spawn_local(Person::new(number, place, &truth).live())
        })
        .collect();
    spawn_local(shows_progress(Rc::clone(&truth)));
    while truth.held.get() < i64::from(people) && truth.begun.elapsed() < RAMP {
        sleep(Duration::from_millis(100)).await;
        assert!(!server.has_crashed(), "the server has crashed");
    }
    let ramp = truth.begun.elapsed();
    eprintln!("all there after {} s", ramp.as_secs());
    truth.calm.set(false);
    spawn_local(crowd_from_one_house(Rc::clone(&truth)));

    let since = Instant::now();
    let mut samples = Vec::new();
    let mut killed = 0;
    let mut stalled = Duration::ZERO;
    while since.elapsed() < span {
        let asleep = Instant::now();
        sleep(SECOND).await;
        stalled = stalled.max(asleep.elapsed().saturating_sub(SECOND));
        if killed < kills && since.elapsed() > span * (killed + 1) / (kills + 1) {
            killed += 1;
            die(&mut server, &truth).await;
        }
        if server.has_crashed() {
            truth.wrong("server", "it has crashed");
            break;
        }
        samples.push(Sample {
            at: since.elapsed().as_secs_f64(),
            life: killed as usize,
            since: truth.killed.get().elapsed().as_secs_f64(),
            held: truth.held.get(),
            mib: server.memory().unwrap_or_default() as f64 / f64::from(1 << 20),
            faults: truth.counted("faults"),
        });
    }

    eprintln!("nothing goes wrong any more");
    truth.calm.set(true);
    let agreed = settles(&truth).await;
    let left = everybody_goes(&truth, everybody).await;
    let left_open = server.sockets().saturating_sub(own_sockets);
    if left_open > LEFT_OPEN {
        truth.wrong("sockets", &format!("{left_open} are still open"));
    }
    let late = truth.kinds("grace")["over"].as_u64().unwrap_or_default();
    if late > truth.counted("resumed") / MAY_BE_LATE {
        truth.wrong("late", "too many were away for longer than the grace");
    }
    let taken = truth.counted("taken");
    let copied = truth.kinds("tried")["copied token"]
        .as_u64()
        .unwrap_or_default();
    if taken > 0 && (truth.slowest.get() < IN_TIME || taken > FEW_TAKEN.max(copied / MAY_BE_LATE)) {
        truth.wrong(
            "doubled",
            "copied tokens got the seats of those who were there",
        );
    }
    let lives: Vec<_> = (0..=killed as usize)
        .map(|life| memory(&samples, life))
        .collect();
    if lives.iter().any(|life| life["level"] == false) {
        truth.wrong("memory", "it is not level");
    }
    let held = samples
        .iter()
        .filter(|one| one.life == 0 || one.since > BACK.as_secs_f64());
    let held: Vec<_> = held.map(|one| one.held as f64).collect();
    let shown = samples.iter().step_by((samples.len() / 60).max(1));
    json!({
        "sockets": people,
        "seconds": span.as_secs(),
        "seed": seed,
        "wallSeconds": truth.begun.elapsed().as_secs(),
        "rampSeconds": ramp.as_secs(),
        "stalledMs": stalled.as_millis() as u64,
        "slowestPongMs": truth.slowest.get().as_millis() as u64,
        "leftOpen": left_open,
        "held": {
            "min": quantile(&held, 0.0),
            "median": quantile(&held, 0.5),
            "max": quantile(&held, 1.0),
        },
        "messages": truth.kinds("messages"),
        "matches": truth.kinds("met"),
        "ended": truth.kinds("ended"),
        "done": truth.kinds("done"),
        "rooms": { "number": in_rooms / MEMBERS, "entered": truth.counted("rooms") },
        "waited": truth.kinds("waited"),
        "resumed": truth.kinds("resumed"),
        "notResumed": truth.kinds("refused"),
        "byTheRules": truth.kinds("grace"),
        "taken": taken,
        "serverKilled": killed,
        "faults": truth.kinds("faults"),
        "badInput": { "tried": truth.kinds("tried"), "answered": truth.kinds("bad"), "cut": truth.kinds("unanswered") },
        "memory": lives,
        "statsBeforeTheEnd": agreed,
        "statsAtTheEnd": left,
        "samples": shown.map(|one| json!([one.at.round(), one.held, one.mib.round(), one.faults])).collect::<Vec<_>>(),
        "wrong": truth.kinds("wrong"),
        "details": truth.words(),
    })
}

/// One network opens as many sockets as it may, and some more.
async fn crowd_from_one_house(truth: Rc<Truth>) {
    for opened in 0..10 * BURST {
        match Line::open(&truth, "/v1/match", &house()).await {
            Ok(line) => drop(line),
            Err(Some(429)) if opened >= BURST => {
                return truth.count("bad", "too many sockets of one network: 429");
            }
            Err(Some(status)) => {
                return truth.wrong("network", &format!("{status} after {opened} sockets"));
            }
            Err(None) if truth.up.get() => {}
            Err(None) => return,
        }
    }
    truth.wrong("network", "it is never refused");
}

/// What must not be said, each with the code of its answer.
fn malformed() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/client/refuse");
    let entries = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let mut all = Vec::new();
    for folder in entries(&folder) {
        let code = folder.file_name().unwrap_or_default().to_string_lossy();
        for file in entries(&folder) {
            let text = fs::read_to_string(file).unwrap_or_default();
            all.push((code.to_string(), text));
        }
    }
    assert!(all.len() > 100, "only {} fixtures", all.len());
    all
}

/// How the memory of a life of the server went, from when all were back. It is level if its last fifth takes about as
/// much as its second: the first one fills what is kept for later.
fn memory(samples: &[Sample], life: usize) -> Value {
    let back = |one: &&Sample| one.life == life && (life == 0 || one.since > BACK.as_secs_f64());
    let samples: Vec<_> = samples.iter().filter(back).collect();
    let span = match samples.as_slice() {
        [first, .., last] => last.at - first.at,
        _ => 0.0,
    };
    let fifth = |number: usize| {
        let [from, to] = [number, number + 1].map(|n| n * samples.len() / 5);
        let values: Vec<_> = samples[from..to].iter().map(|one| one.mib).collect();
        quantile(&values, 0.5)
    };
    let [second, last] = [fifth(1), fifth(4)];
    let level = (span >= LONG).then_some(last <= GROWTH * second);
    json!({ "life": life, "seconds": span.round(), "secondFifthMiB": second, "lastFifthMiB": last, "level": level })
}
