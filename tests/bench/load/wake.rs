//! How long the message takes that wakes a sleeping object up, beside the same message again at once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::client::Pair;
use crate::files::enough_files;
use crate::server::{Program, Server};
use crate::statistics::quantile;

/// Wakes of each object.
const TURNS: usize = 9;
/// Longer than workerd waits until it evicts an object without events.
const SILENCE: Duration = Duration::from_secs(11);
/// For how long the log is waited for, which may be later than what the object sends.
const LATE: Duration = Duration::from_secs(1);
/// Sockets of a crowd, and of those who are alone in their object.
const CROWD: usize = 5_000;
const ALONE: usize = 2;
/// Files that are open at once beside the sockets.
const OTHER_FILES: usize = 100;

/// What wakes the object.
#[derive(Clone, Copy)]
enum By {
    /// A signal, which takes two seats.
    Signal,
    /// A search, which takes the whole queue.
    Search,
}

/// People whose object sleeps: all are in calls, but the first two if one of them is to search.
struct Sleepers {
    server: Server,
    by: By,
    pairs: Vec<Pair>,
    /// How long the messages took that woke it, and how long the same took again, in ms.
    first: Vec<f64>,
    again: Vec<f64>,
}

pub(crate) async fn run() -> Value {
    enough_files(2 * CROWD + ALONE + OTHER_FILES);
    let mut all = Vec::new();
    for (sockets, by) in [
        (ALONE, By::Signal),
        (CROWD, By::Signal),
        (CROWD, By::Search),
    ] {
        all.push(Sleepers::gather(sockets, by).await);
    }
    let mut tries = 0..2 * TURNS;
    while all.iter().any(|sleepers| sleepers.first.len() < TURNS) {
        assert!(tries.next().is_some(), "the objects do not sleep");
        sleep(SILENCE).await;
        for sleepers in &mut all {
            sleepers.wake().await;
        }
    }
    json!({ "wakes": all.iter().map(Sleepers::tell).collect::<Vec<_>>() })
}

impl Sleepers {
    async fn gather(sockets: usize, by: By) -> Self {
        let server = Server::start(Program::Worker);
        let mut pairs = Vec::new();
        for _ in 0..sockets / 2 {
            pairs.push(Pair::meet(&server, "1").await);
        }
        let mut sleepers = Self {
            server,
            by,
            pairs,
            first: Vec::new(),
            again: Vec::new(),
        };
        // Who searches has no partner from now on.
        sleepers.message().await;
        sleepers
    }

    /// From saying something to hearing what comes of it, in ms.
    async fn message(&mut self) -> f64 {
        // Now these two talk, now those.
        let place = self.first.len() % self.pairs.len();
        let since = Instant::now();
        match self.by {
            By::Signal => {
                let Pair { clients, frames } = &mut self.pairs[place];
                clients[0].say(&frames[0]).await;
                clients[1].hear().await;
            }
            By::Search => self.pairs[0].clients[0].find().await,
        }
        since.elapsed().as_secs_f64() * 1e3
    }

    /// Takes the time, unless the object was awake.
    async fn wake(&mut self) {
        let before = self.server.wakes();
        let (first, again) = (self.message().await, self.message().await);
        let since = Instant::now();
        while self.server.wakes() == before {
            if since.elapsed() > LATE {
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
        self.first.push(first);
        self.again.push(again);
    }

    fn tell(&self) -> Value {
        let pairs = self.first.iter().zip(&self.again);
        let costs: Vec<_> = pairs.map(|(first, again)| first - again).collect();
        json!({
            "sockets": 2 * self.pairs.len(),
            "by": match self.by {
                By::Signal => "signal",
                By::Search => "find",
            },
            "firstMillis": quantile(&self.first, 0.5),
            "againMillis": quantile(&self.again, 0.5),
            "costMillis": quantile(&costs, 0.5),
            "mostMillis": quantile(&costs, 1.0),
        })
    }
}
