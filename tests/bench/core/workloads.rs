//! What is asked of the lobby: see the head of `main.rs`.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};

use crate::people::{People, State};
use crate::stopwatch::Times;

/// How many wait.
pub(crate) const LENGTHS: [usize; 6] = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
const EVENTS: usize = 1_000_000;
/// For how long somebody is particular, in milliseconds.
const PARTICULAR: f64 = 1_500.0;
/// How many interests are popular.
const POPULAR: f64 = 1_000.0;

/// The events of a client; the rest is the alarm.
fn said(kind: &str) -> bool {
    kind != "wake"
}

pub(crate) fn crowd(length: usize) -> Value {
    let idle = length / 10;
    let mut people = People::new(2 * length + idle);
    // The queue fills within the time in which nobody stops being particular.
    for waiting in 0..length {
        people.finds(waiting, vec![format!("rare {waiting}")]);
        people.passes(PARTICULAR / length as f64);
    }
    for _ in 0..2 * length {
        lives(&mut people, length, &mut Times::default());
    }
    let mut times = Times::default();
    let (mut shortest, mut longest) = (usize::MAX, 0);
    for _ in 0..EVENTS {
        lives(&mut people, length, &mut times);
        let waiting = people.count(State::Waiting);
        (shortest, longest) = (shortest.min(waiting), longest.max(waiting));
    }
    json!({
        "waiting": length,
        "shortest": shortest,
        "longest": longest,
        "all": times.together(said),
        "kinds": times.by_kind(),
    })
}

/// One event. As many begin to wait within a second and a half as should wait; more while fewer do, since some
/// are found or leave before.
fn lives(people: &mut People, length: usize, times: &mut Times) {
    let leaves = people.random.random_ratio(1, 10);
    let from = match people.random.random() {
        true => State::InCall,
        false => State::Waiting,
    };
    let (kind, took) = match leaves && people.count(from) > 0 {
        true => leaves_from(people, from),
        false => searches(people, length),
    };
    times.note(kind, took);
    if kind.ends_with("waits") {
        let share = people.count(State::Waiting) as f64 / length as f64;
        let millis = PARTICULAR / length as f64 * share.powi(4);
        for took in people.passes(millis) {
            times.note("wake", took);
        }
    }
}

fn leaves_from(people: &mut People, state: State) -> (&'static str, Duration) {
    let who = people.any(state);
    let kind = match state {
        State::InCall => "leave, in a call",
        State::Waiting => "leave, waiting",
        State::Idle => "leave, idle",
    };
    (kind, people.leaves(who))
}

/// Somebody idle finds, where there are enough of them, and else somebody in a call goes to the next.
fn searches(people: &mut People, length: usize) -> (&'static str, Duration) {
    let idle = people.count(State::Idle) > length / 10 || people.count(State::InCall) == 0;
    let who = people.any(if idle { State::Idle } else { State::InCall });
    let interests = interests(people);
    let took = people.finds(who, interests);
    let kind = match (idle, people.state(who)) {
        (true, State::Waiting) => "find, waits",
        (true, _) => "find, meets",
        (false, State::Waiting) => "next, waits",
        (false, _) => "next, meets",
    };
    (kind, took)
}

fn interests(people: &mut People) -> Vec<String> {
    let count = people.random.random_range(0..=4);
    let interests = (0..count).map(|_| match people.random.random() {
        true => {
            let share: f64 = people.random.random();
            format!("popular {}", POPULAR.powf(share) as u32)
        }
        false => format!("rare {:08x}", people.random.random::<u32>()),
    });
    interests.collect()
}

pub(crate) fn turnover() -> Value {
    let mut people = People::new(20_001);
    let mut times = Times::default();
    while people.count(State::Idle) > 0 {
        let who = people.any(State::Idle);
        people.finds(who, Vec::new());
    }
    for _ in 0..EVENTS {
        let (kind, took) = if people.random.random_ratio(1, 10) {
            let who = people.any(State::InCall);
            ("leave, in a call", people.leaves(who))
        } else if people.count(State::Idle) > 0 {
            let who = people.any(State::Idle);
            let took = people.finds(who, Vec::new());
            let waits = people.state(who) == State::Waiting;
            (if waits { "find, waits" } else { "find, meets" }, took)
        } else {
            let who = people.any(State::InCall);
            let took = people.finds(who, Vec::new());
            let waits = people.state(who) == State::Waiting;
            (if waits { "next, waits" } else { "next, meets" }, took)
        };
        times.note(kind, took);
    }
    json!({ "all": times.together(said), "kinds": times.by_kind() })
}

pub(crate) fn acquainted() -> Value {
    const GROUPS: usize = 2_500;
    let mut people = People::new(4 * GROUPS);
    let likes = |who: usize| {
        let interests = 0..8;
        interests
            .map(|interest| format!("interest {interest} of {}", who / 4))
            .collect::<Vec<_>>()
    };
    // Everybody of a group meets everybody else of it.
    for group in 0..GROUPS {
        for pairs in [[0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2]] {
            for member in pairs {
                people.finds(4 * group + member, likes(4 * group));
            }
            for member in pairs {
                people.leaves(4 * group + member);
            }
        }
    }
    for who in 0..4 * GROUPS {
        people.finds(who, likes(who));
    }
    let mut times = Times::default();
    for _ in 0..EVENTS / 2 {
        let who = people.any(State::Waiting);
        times.note("leave, waiting", people.leaves(who));
        times.note("find, waits", people.finds(who, likes(who)));
    }
    json!({
        "waiting": people.count(State::Waiting),
        "all": times.together(said),
        "kinds": times.by_kind(),
    })
}

pub(crate) fn herd(length: usize) -> Value {
    let mut people = People::new(length);
    for who in 0..length {
        people.finds(who, vec![format!("rare {who}")]);
    }
    let took: Duration = people.passes(PARTICULAR).iter().sum();
    json!({
        "waiting": length,
        "met": people.count(State::InCall),
        "nanosAPerson": took.as_nanos() as f64 / length as f64,
    })
}
