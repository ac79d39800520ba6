//! Many lobbies under thousands of people, on one workerd: the layout splits and folds under them while the directory is
//! restarted, and nobody may be lost by that.
//!
//! The directory is ended twice in each phase (`mortal.js`), and with the whole server once, as all come again.
//!
//! What one lobby can take is configured so low that all people together fill some twenty. They come from nine regions,
//! search, meet, signal and go on after seconds ([`Person`]), and follow every redirect. In four phases of the same
//! length they come, stay, go but for a few, and come again. At the end of each they begin nothing any
//! more: then everybody has to meet somebody but one for video and one for text, and `/v1/stats` has to say so.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use echomingle::core::region::Region;
use serde_json::{Value, json};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use crate::crowd::{
    Person, Place, Truth, die, everybody_goes, get, option, settles, shows_progress, start,
};
use crate::files::allowed_files;
use crate::server::{Program, Server};
use crate::statistics::quantile;

/// Of a hundred people so many are from a region, in the order of [`Region::ALL`].
const SHARES: [u32; Region::COUNT] = [10, 20, 8, 24, 10, 18, 2, 4, 4];
/// A lobby is configured to take the sockets of one in so many: over 60 % of that it is split.
const LOBBIES: u32 = 10;
/// Of so many one stays where most go.
const FEW: u32 = 50;
/// Files that workerd has open for each socket, and beside them.
const FILES: u32 = 2;
const OTHER_FILES: u32 = 1_000;
/// How often more come, and a part of a phase in which all do.
const STEP: Duration = Duration::from_millis(100);
const COMING: f64 = 0.7;
/// How much longer than a phase it may take until all have come or gone.
const LATE: Duration = Duration::from_secs(180);
/// How long it may take from when nobody begins anything until everybody is there and has met somebody.
const MET: Duration = Duration::from_secs(120);
/// How long it may take until there is another directory.
const ENDED: Duration = Duration::from_secs(60);
/// Sockets that the server may have open when everybody has gone.
const LEFT_OPEN: usize = 8;
/// Of so many that come back one may have been away for longer than the grace: else the machine does not keep up.
const MAY_BE_LATE: u64 = 50;
/// How many lobbies there have to be at the most, and how many at the least of them fold.
const MANY: usize = 6;
/// How long somebody may search, in ms, where each ping is answered within the other: a redirect that never came would be
/// waited for for thirty seconds.
const LONGEST: f64 = 20_000.0;
const IN_TIME: Duration = Duration::from_secs(1);

/// How it stood in a second.
struct Sample {
    at: f64,
    people: i64,
    lobbies: usize,
    redirects: u64,
    mib: f64,
}

/// All that goes on.
struct Run {
    server: Server,
    truth: Rc<Truth>,
    samples: Vec<Sample>,
    /// Lobbies with people in them, and how often one came into use and went out of it.
    used: Vec<String>,
    begun: u64,
    ended: u64,
    phases: Vec<Value>,
    /// How often the directory was made in this life of the server, as it said last.
    lives: u64,
}

/// What goes wrong.
#[derive(Clone, Copy)]
enum Fault {
    ServerDies,
    DirectoryEnds,
}

pub(crate) async fn run() -> Value {
    let [sockets, seconds, seed] = [("--sockets", 10_000), ("--seconds", 480), ("--seed", 1)]
        .map(|(name, usual)| option(name).unwrap_or(usual));
    let asked = u32::try_from(sockets).unwrap_or(u32::MAX);
    let files = FILES.saturating_mul(asked).saturating_add(OTHER_FILES);
    let allowed = allowed_files(files as usize);
    let allowed = u32::try_from(allowed).unwrap_or(u32::MAX);
    let people = asked.min(allowed.saturating_sub(OTHER_FILES) / FILES);
    if people < asked {
        eprintln!(
            "{files} files would have to be open at once, and {allowed} may be: {people} sockets"
        );
    }
    LocalSet::new()
        .run_until(lobbies(asked, people, Duration::from_secs(seconds), seed))
        .await
}

async fn lobbies(asked: u32, people: u32, span: Duration, seed: u64) -> Value {
    let budget = format!("1000 {} 2 4", people / LOBBIES);
    let server = start(Program::Mortal, vec![("LOBBY_BUDGET", budget.clone())]);
    let own_sockets = server.sockets();
    let truth = Truth::new(seed, people, server.address, false, Vec::new());
    let truth = Rc::new(truth);
    truth.invited.set(0);
    let everybody: Vec<_> = (0..people)
        .map(|number| {
            let person = Person::new(number, Place::Chat, &truth);
            spawn_local(person.from(region(number)).live())
        })
        .collect();
    spawn_local(shows_progress(Rc::clone(&truth)));
    let mut run = Run {
        server,
        truth: Rc::clone(&truth),
        samples: Vec::new(),
        used: Vec::new(),
        begun: 0,
        ended: 0,
        phases: Vec::new(),
        lives: 1,
    };
    let phase = span / 4;
    run.phase("all come", people, phase, false).await;
    run.phase("all stay", people, phase, false).await;
    run.phase("most go", people / FEW, phase, false).await;
    run.phase("all come again", people, phase, true).await;

    let left = everybody_goes(&truth, everybody).await;
    run.judge(own_sockets);
    let most = run.samples.iter().map(|one| one.lobbies).max();
    let mib = run.samples.iter().map(|one| one.mib).fold(0.0, f64::max);
    let searched = truth.searched.borrow();
    let waited = |share| quantile(&searched, share).round();
    let shown = run.samples.iter().step_by((run.samples.len() / 120).max(1));
    json!({
        "sockets": asked,
        "held": people,
        "seconds": span.as_secs(),
        "seed": seed,
        "budget": budget,
        "wallSeconds": truth.begun.elapsed().as_secs(),
        "phases": run.phases,
        "mostLobbies": most,
        "begun": run.begun,
        "ended": run.ended,
        "searchedMs": { "p50": waited(0.5), "p99": waited(0.99), "max": waited(1.0) },
        "messages": truth.kinds("messages"),
        "matches": truth.kinds("met"),
        "calls": truth.kinds("ended"),
        "redirects": truth.kinds("redirects"),
        "moved": truth.counted("moved"),
        "notMoved": truth.kinds("not moved"),
        "resumed": truth.kinds("resumed"),
        "notResumed": truth.kinds("refused"),
        "byTheRules": truth.kinds("grace"),
        "slowestPongMs": truth.slowest.get().as_millis() as u64,
        "mostMiB": mib.round(),
        "faults": truth.kinds("faults"),
        "statsAtTheEnd": left,
        "samples": shown.map(|one| json!([one.at.round(), one.people, one.lobbies, one.redirects, one.mib.round()])).collect::<Vec<_>>(),
        "wrong": truth.kinds("wrong"),
        "details": truth.words(),
    })
}

/// Where somebody is from: of any hundred in a row so many from each as [`SHARES`] says.
fn region(number: u32) -> Region {
    let mut place = number.wrapping_mul(37) % 100;
    for (region, share) in Region::ALL.into_iter().zip(SHARES) {
        match place.checked_sub(share) {
            Some(rest) => place = rest,
            None => return region,
        }
    }
    Region::default()
}

impl Run {
    /// For so long people come or go until there are so many; then they begin nothing any more, and all meet somebody.
    async fn phase(&mut self, name: &str, invited: u32, span: Duration, kill: bool) {
        eprintln!("{name}: {invited} people");
        let truth = Rc::clone(&self.truth);
        truth.calm.set(false);
        truth.stirred.set(Instant::now());
        let (since, before) = (Instant::now(), truth.invited.get());
        let ends = [Fault::DirectoryEnds; 2];
        let faults = kill.then_some(Fault::ServerDies).into_iter().chain(ends);
        let to_come = [span / 8, span / 2, span * 3 / 4]
            .into_iter()
            .skip(usize::from(!kill))
            .zip(faults);
        let mut to_come = to_come.peekable();
        while since.elapsed() < span {
            sleep(STEP).await;
            let part = since.elapsed().as_secs_f64() / (COMING * span.as_secs_f64());
            let more = (f64::from(invited) - f64::from(before)) * part.min(1.0);
            truth.invited.set((f64::from(before) + more) as u32);
            if let Some((_, fault)) = to_come.next_if(|&(at, _)| since.elapsed() > at) {
                self.happens(fault).await;
            }
            self.look();
        }
        truth.calm.set(true);
        // A busy machine takes longer.
        while truth.online.get() != i64::from(invited) && since.elapsed() < span + LATE {
            sleep(STEP).await;
            self.look();
        }
        let quiet = Instant::now();
        let met = self.everybody_meets().await;
        let lobbies = self.used.len();
        let said = settles(&truth).await;
        self.phases.push(json!({
            "name": name,
            "people": invited,
            "lobbies": lobbies,
            "metSeconds": met.as_secs_f64(),
            "statsSeconds": quiet.elapsed().as_secs_f64(),
            "stats": said,
        }));
    }

    async fn happens(&mut self, fault: Fault) {
        match fault {
            Fault::ServerDies => {
                self.truth.count("faults", "server killed");
                self.lives = 1;
                die(&mut self.server, &self.truth).await;
            }
            Fault::DirectoryEnds => {
                self.truth.count("faults", "directory ended");
                let ended = timeout(ENDED, get(&self.truth, "/end-directory")).await;
                let said = ended.ok().flatten().unwrap_or_default();
                let lives = said["made"].as_u64().unwrap_or_default();
                if lives <= self.lives {
                    let detail = format!("it said {said}, after {} lives", self.lives);
                    self.truth.wrong("directory", &detail);
                }
                self.lives = lives;
                self.truth.forgotten.set(Some(Instant::now()));
            }
        }
    }

    /// Everybody who is to be there is in a call, but one who waits for video and one for text.
    async fn everybody_meets(&mut self) -> Duration {
        let truth = Rc::clone(&self.truth);
        let since = Instant::now();
        loop {
            let waiting = truth.waiting.each_ref().map(Cell::get);
            let online = truth.online.get();
            let busy = truth.in_call.get() + truth.all_waiting();
            let all = online == i64::from(truth.invited.get()) && busy == online;
            if all && waiting.iter().all(|&waiting| waiting <= 1) {
                return since.elapsed();
            }
            if since.elapsed() > MET {
                let detail = format!("{online} online, {busy} of them busy, {waiting:?} waiting");
                truth.wrong("not matched", &detail);
                return since.elapsed();
            }
            sleep(STEP).await;
            self.look();
        }
    }

    /// Takes a sample, once a second.
    fn look(&mut self) {
        let at = self.truth.begun.elapsed();
        let last = self.samples.last().map(|one| one.at as u64);
        if last == Some(at.as_secs()) {
            return;
        }
        if self.server.has_crashed() {
            panic!("the server has crashed");
        }
        let lobbies = self.truth.lobbies.borrow();
        let used = lobbies.iter().filter(|&(_, &people)| people > 0);
        let used: Vec<_> = used.map(|(name, _)| name.clone()).collect();
        let fresh = used.iter().filter(|name| !self.used.contains(name));
        self.begun += fresh.count() as u64;
        let gone = self.used.iter().filter(|name| !used.contains(name));
        self.ended += gone.count() as u64;
        self.used = used;
        self.samples.push(Sample {
            at: at.as_secs_f64(),
            people: self.truth.online.get(),
            lobbies: self.used.len(),
            redirects: self.truth.counted("redirects"),
            mib: self.server.memory().unwrap_or_default() as f64 / f64::from(1 << 20),
        });
    }

    /// What has to hold of all of it.
    fn judge(&self, own_sockets: usize) {
        let truth = &self.truth;
        let open = self.server.sockets().saturating_sub(own_sockets);
        if open > LEFT_OPEN {
            truth.wrong("sockets", &format!("{open} are still open"));
        }
        let sent = truth.kinds("redirects")["to search elsewhere"].as_u64();
        let sent = sent.unwrap_or_default();
        let [moved, not] = ["moved", "not moved"].map(|what| truth.counted(what));
        if sent != moved + not {
            let detail = format!("{sent} were sent elsewhere, {moved} arrived, {not} did not");
            truth.wrong("redirect", &detail);
        }
        let late = truth.kinds("grace")["over"].as_u64().unwrap_or_default();
        if late > truth.counted("resumed") / MAY_BE_LATE {
            truth.wrong("late", "too many were away for longer than the grace");
        }
        let longest = quantile(&truth.searched.borrow(), 1.0);
        if longest > LONGEST && truth.slowest.get() < IN_TIME {
            truth.wrong("waits", &format!("for {longest} ms"));
        }
        let most = self.samples.iter().map(|one| one.lobbies).max();
        if most.unwrap_or_default() < MANY || self.ended == 0 {
            let detail = format!("{most:?} lobbies at most, {} of them ended", self.ended);
            truth.wrong("layout", &detail);
        }
    }
}
