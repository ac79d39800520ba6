//! What is true: everybody is in this process, so who is in a call with whom, and who has ended it, is known here
//! beside what the server says of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// For how long the server keeps a lost seat, less what a message may take.
const GRACE: Duration = Duration::from_millis(14_000);
/// After so long whoever was left has been told: the grace, and what a busy machine takes.
const TOLD_WITHIN: Duration = Duration::from_secs(45);
/// For how long what somebody is told may be on its way.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many of what went wrong are told in words.
const WORDS: usize = 60;
/// Sockets that are opened at once.
const DOORS: usize = 256;

/// Two who were told of each other.
pub(crate) struct Link {
    ids: [String; 2],
    told: [bool; 2],
    roles: [String; 2],
    pub(crate) sent: [u64; 2],
    heard: [(u64, u32); 2],
    /// Who ended it, and when.
    ended: Option<(usize, Instant)>,
    /// Since when a side has no socket that works.
    away: [Option<Instant>; 2],
    /// A side was away for longer than the grace.
    overdue: bool,
    /// Losses of a socket, and returns: what was on its way may be lost.
    pub(crate) faults: u32,
    met: Instant,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ago = |at: Instant| at.elapsed();
        let (met, away) = (self.met.elapsed(), self.away.map(|at| at.map(ago)));
        let (ids, told, faults) = (&self.ids, self.told, self.faults);
        let ended = self.ended.map(|(by, at)| (by, ago(at)));
        write!(
            f,
            "of {ids:?} {told:?} told since {met:?}, {away:?} away, {faults} faults, {ended:?} ended"
        )
    }
}

pub(crate) type Shared = Rc<RefCell<Link>>;

impl Link {
    pub(crate) fn side(&self, id: &str) -> usize {
        usize::from(self.ids[0] != id)
    }

    /// Both know of it.
    pub(crate) const fn is_whole(&self) -> bool {
        self.told[0] && self.told[1]
    }

    pub(crate) fn ends(&mut self, by: &str) {
        let side = self.side(by);
        self.ended.get_or_insert((side, Instant::now()));
    }

    pub(crate) fn is_from_before(&self, at: Instant) -> bool {
        self.met < at
    }

    pub(crate) fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// A side has lost its socket.
    pub(crate) fn loses(&mut self, id: &str) {
        let side = self.side(id);
        self.away[side] = Some(Instant::now());
        self.faults += 1;
    }

    /// A side has a socket again, and is about to ask for its seat.
    pub(crate) fn asks(&mut self, id: &str) {
        let side = self.side(id);
        self.overdue |= self.away[side].is_some_and(|since| since.elapsed() > GRACE);
    }

    pub(crate) fn returns(&mut self, id: &str) {
        let side = self.side(id);
        self.away[side] = None;
        self.faults += 1;
    }

    /// By the rules it may be over: somebody ended it, was away for too long, or lost its socket before it had heard
    /// of it.
    pub(crate) fn may_be_over(&self) -> bool {
        let late = |since: Instant| since.elapsed() > GRACE;
        self.is_over()
            || self.overdue
            || self.away.iter().flatten().any(|&since| late(since))
            || (!self.is_whole() && self.faults > 0)
    }

    pub(crate) fn is_overdue(&self) -> bool {
        !self.is_over() && (self.overdue || self.away.iter().flatten().next().is_some())
    }

    /// A signal of the other side arrives: in order, each once, and none missing but where a socket was lost.
    pub(crate) fn hears(&mut self, id: &str, number: u64) -> Result<(), String> {
        let side = self.side(id);
        let (last, faults) = self.heard[side];
        self.heard[side] = (number, self.faults);
        match number {
            _ if number <= last => Err(format!("signal {number} after {last}")),
            _ if number == last + 1 || self.faults > faults => Ok(()),
            _ => Err(format!(
                "signal {number} after {last}, and no fault between"
            )),
        }
    }

    /// All that the other side said has arrived, now that it has gone.
    pub(crate) fn is_heard_out(&self, id: &str) -> bool {
        let side = self.side(id);
        let (last, faults) = self.heard[side];
        last == self.sent[1 - side] || self.faults > faults
    }

    /// The other side should have known by now, or this side that the other has ended it, if it could be told for long
    /// enough.
    pub(crate) fn is_stale(&self, id: &str, reached: Instant) -> bool {
        let side = self.side(id);
        let late = |since: Instant| since.max(reached).elapsed() > TOLD_WITHIN;
        let left = self.ended.is_some_and(|(by, at)| by != side && late(at));
        left || (!self.told[1 - side] && late(self.met))
    }
}

/// How it all stands, for everybody.
pub(crate) struct Truth {
    pub(crate) begun: Instant,
    pub(crate) seed: u64,
    pub(crate) address: Cell<SocketAddr>,
    pub(crate) up: Cell<bool>,
    /// When the server was killed last, or started first.
    pub(crate) killed: Cell<Instant>,
    /// Nobody begins or ends anything, and no fault comes.
    pub(crate) calm: Cell<bool>,
    /// Since when that is not so: who waits longer has waited for somebody to begin.
    pub(crate) stirred: Cell<Instant>,
    /// Whether whatever can go wrong does. Where not, calls are short instead.
    pub(crate) wild: bool,
    /// Those with a lower number are to be there.
    pub(crate) invited: Cell<u32>,
    /// What began before is ended even while it is calm: of it the directory may have forgotten.
    pub(crate) forgotten: Cell<Option<Instant>>,
    /// Everybody is to go.
    pub(crate) over: Cell<bool>,
    /// The longest that a ping was answered after, which nobody has to do anything for.
    pub(crate) slowest: Cell<Duration>,
    pub(crate) doors: Semaphore,
    /// Sockets that are open.
    pub(crate) held: Cell<i64>,
    /// Of random chat: those online, who wait for video and for text, and who are in calls.
    pub(crate) online: Cell<i64>,
    pub(crate) waiting: [Cell<i64>; 2],
    pub(crate) in_call: Cell<i64>,
    /// By lobby, how many people are there.
    pub(crate) lobbies: RefCell<BTreeMap<String, i64>>,
    /// How long each searched who met somebody, in ms.
    pub(crate) searched: RefCell<Vec<f64>>,
    /// By room, how many members are away.
    pub(crate) away: RefCell<BTreeMap<u32, i64>>,
    /// Those of whom one side has heard so far.
    halves: RefCell<BTreeMap<[String; 2], Shared>>,
    /// When somebody lost its socket last, or ended what it did.
    lost: RefCell<BTreeMap<String, Instant>>,
    counts: RefCell<BTreeMap<(&'static str, String), u64>>,
    wrongs: RefCell<Vec<String>>,
    pub(crate) malformed: Vec<(String, String)>,
    pub(crate) ids: RefCell<Vec<String>>,
}

pub(crate) fn add(cell: &Cell<i64>, by: i64) {
    cell.set(cell.get() + by);
}

impl Truth {
    pub(crate) fn new(
        seed: u64,
        people: u32,
        address: SocketAddr,
        wild: bool,
        malformed: Vec<(String, String)>,
    ) -> Self {
        Self {
            begun: Instant::now(),
            seed,
            address: Cell::new(address),
            up: Cell::new(true),
            killed: Cell::new(Instant::now()),
            calm: Cell::new(true),
            stirred: Cell::new(Instant::now()),
            wild,
            invited: Cell::new(people),
            forgotten: Cell::default(),
            over: Cell::new(false),
            slowest: Cell::default(),
            doors: Semaphore::new(DOORS),
            held: Cell::new(0),
            online: Cell::new(0),
            waiting: Default::default(),
            in_call: Cell::new(0),
            lobbies: RefCell::default(),
            searched: RefCell::default(),
            away: RefCell::default(),
            halves: RefCell::default(),
            lost: RefCell::default(),
            counts: RefCell::default(),
            wrongs: RefCell::default(),
            malformed,
            ids: RefCell::new(vec![String::new(); people as usize]),
        }
    }

    /// Counts something, by what and by kind.
    pub(crate) fn count(&self, what: &'static str, kind: &str) {
        let mut counts = self.counts.borrow_mut();
        *counts.entry((what, kind.to_owned())).or_default() += 1;
    }

    pub(crate) fn counted(&self, what: &str) -> u64 {
        let counts = self.counts.borrow();
        let of = counts.iter().filter(|((of, _), _)| *of == what);
        of.map(|(_, count)| count).sum()
    }

    pub(crate) fn kinds(&self, what: &str) -> Value {
        let counts = self.counts.borrow();
        let of = counts.iter().filter(|((of, _), _)| *of == what);
        of.map(|((_, kind), count)| (kind.clone(), json!(count)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// Those who wait.
    pub(crate) fn all_waiting(&self) -> i64 {
        self.waiting.iter().map(Cell::get).sum()
    }

    pub(crate) fn was_killed_lately(&self) -> bool {
        self.killed.get().elapsed() < TOLD_WITHIN
    }

    /// Somebody has no socket any more that works, or has gone on to something else.
    pub(crate) fn loses(&self, id: &str) {
        self.lost.borrow_mut().insert(id.to_owned(), Instant::now());
    }

    /// Somebody may not have heard of a call that began at that moment.
    pub(crate) fn lost_lately(&self, id: &str) -> bool {
        self.lost_ago(id).is_some_and(|ago| ago < TOLD_WITHIN)
    }

    /// How long it is since somebody lost its socket, or ended what it did.
    pub(crate) fn lost_ago(&self, id: &str) -> Option<Duration> {
        self.lost.borrow().get(id).map(Instant::elapsed)
    }

    /// A ping was answered after so long.
    pub(crate) fn takes(&self, time: Duration) {
        self.slowest.set(self.slowest.get().max(time));
    }

    /// Something must not have been.
    pub(crate) fn wrong(&self, kind: &str, detail: &str) {
        self.count("wrong", kind);
        let mut wrongs = self.wrongs.borrow_mut();
        if wrongs.len() < WORDS {
            let seconds = self.begun.elapsed().as_secs();
            let words = format!("{seconds} s: {kind}: {detail}");
            eprintln!("{words}");
            wrongs.push(words);
        }
    }

    pub(crate) fn words(&self) -> Vec<String> {
        self.wrongs.borrow().clone()
    }

    /// Of a link that is over somebody was to be told on a socket that was lost: what it is told of is another one.
    fn has_missed(&self, id: &str, link: &Link) -> bool {
        let since = link.met.elapsed() + PATIENCE;
        link.is_over() && self.lost_ago(id).is_some_and(|ago| ago < since)
    }

    /// Nobody else will be told of this link any more: who meets again meets anew.
    pub(crate) fn forgets(&self, link: &Shared) {
        let mut halves = self.halves.borrow_mut();
        let ids = &link.borrow().ids;
        if halves.get(ids).is_some_and(|half| Rc::ptr_eq(half, link)) {
            halves.remove(ids);
        }
    }

    /// Somebody was told of somebody: the first half of a link, or the second.
    pub(crate) fn told(&self, id: &str, of: &str, role: &str) -> Shared {
        let mut ids = [id.to_owned(), of.to_owned()];
        ids.sort();
        let mut halves = self.halves.borrow_mut();
        if let Some(link) = halves.get(&ids) {
            let side = link.borrow().side(id);
            if !link.borrow().told[side] && !self.has_missed(id, &link.borrow()) {
                let link = halves
                    .remove(&ids)
                    .unwrap_or_else(|| panic!("it was there"));
                let mut both = link.borrow_mut();
                both.told[side] = true;
                both.heard[side].1 = both.faults;
                role.clone_into(&mut both.roles[side]);
                if both.roles[0] == both.roles[1] {
                    self.wrong("one role for both", &format!("{ids:?} are {role}"));
                }
                self.count("met", if both.is_over() { "late" } else { "both" });
                drop(both);
                return link;
            }
        }
        let mut link = Link {
            told: [false; 2],
            roles: Default::default(),
            sent: [0; 2],
            heard: [(0, 0); 2],
            ended: None,
            away: [None; 2],
            overdue: false,
            faults: 0,
            met: Instant::now(),
            ids: ids.clone(),
        };
        let side = link.side(id);
        link.told[side] = true;
        role.clone_into(&mut link.roles[side]);
        let link = Rc::new(RefCell::new(link));
        halves.insert(ids, Rc::clone(&link));
        link
    }
}
