//! Many people and their lobby, on a virtual clock, timed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use echomingle::core::actor::{Actor, Effect, Event};
use echomingle::core::id::PeerId;
use echomingle::core::lobby::Lobby;
use echomingle::core::protocol::{ClientMessage, Mode, Relayed, ServerMessage};
use echomingle::core::region::Region;
use echomingle::core::resume::Key;
use echomingle::core::time::{Millis, Timestamp};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::stopwatch;

/// What somebody does, as far as it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Idle,
    Waiting,
    InCall,
}

const STATES: usize = 3;
/// When all begins; any time will do.
const START: Timestamp = Timestamp::from_unix_millis(1_800_000_000_000);

fn at_millis(elapsed: f64) -> Timestamp {
    START.after(Millis::new(elapsed as u64))
}

pub(crate) struct People {
    pub(crate) lobby: Lobby,
    pub(crate) random: Xoshiro256PlusPlus,
    ids: Vec<PeerId>,
    numbers: HashMap<PeerId, usize>,
    states: Vec<State>,
    /// Who is in each state, in any order, and everybody's place in that.
    pools: [Vec<usize>; STATES],
    places: Vec<usize>,
    /// In milliseconds.
    elapsed: f64,
    alarm: Option<Timestamp>,
    overhead: Duration,
}

impl People {
    /// So many are connected, and idle.
    pub(crate) fn new(count: usize) -> Self {
        let mut people = Self {
            lobby: Lobby::new(Key::new([7; Key::BYTES])),
            random: Xoshiro256PlusPlus::seed_from_u64(1),
            ids: Vec::new(),
            numbers: HashMap::new(),
            states: vec![State::Idle; count],
            pools: [(0..count).collect(), Vec::new(), Vec::new()],
            places: (0..count).collect(),
            elapsed: 0.0,
            alarm: None,
            overhead: stopwatch::overhead(),
        };
        while people.ids.len() < count {
            let peer = PeerId::from_random(people.random.random());
            if !people.lobby.knows(peer) {
                people.numbers.insert(peer, people.ids.len());
                people.ids.push(peer);
                people.happens(Event::Connected {
                    peer,
                    region: Region::default(),
                });
            }
        }
        people
    }

    pub(crate) fn count(&self, state: State) -> usize {
        self.pools[state as usize].len()
    }

    pub(crate) fn state(&self, who: usize) -> State {
        self.states[who]
    }

    /// Any one of those in this state, of whom there is one.
    pub(crate) fn any(&mut self, state: State) -> usize {
        let pool = &self.pools[state as usize];
        pool[self.random.random_range(0..pool.len())]
    }

    pub(crate) fn finds(&mut self, who: usize, interests: Vec<String>) -> Duration {
        let message = ClientMessage::Find {
            mode: Mode::Video,
            interests,
            offer: None,
            crosses: false,
            last: None,
        };
        self.says(who, message)
    }

    pub(crate) fn leaves(&mut self, who: usize) -> Duration {
        let took = self.says(who, ClientMessage::Leave {});
        self.becomes(self.ids[who], State::Idle);
        took
    }

    /// Time passes, and the alarm goes off whenever it is due: how long each took.
    pub(crate) fn passes(&mut self, millis: f64) -> Vec<Duration> {
        let until = self.elapsed + millis;
        let mut woken = Vec::new();
        while let Some(at) = self.alarm.take_if(|at| *at <= at_millis(until)) {
            self.elapsed = self.elapsed.max(at.since(START).get() as f64);
            woken.push(self.happens(Event::Woken));
        }
        self.elapsed = until;
        woken
    }

    fn says(&mut self, who: usize, message: ClientMessage<Relayed<'static>>) -> Duration {
        let peer = self.ids[who];
        self.happens(Event::Received { peer, message })
    }

    /// How long this takes the lobby, and letting go of its effects; less what reading the clock takes.
    fn happens(&mut self, event: Event<'static>) -> Duration {
        let now = at_millis(self.elapsed);
        let since = Instant::now();
        let effects = self.lobby.handle(event, now, &|_| Some(now));
        let handled = since.elapsed();
        for effect in &effects {
            self.note(effect);
        }
        let since = Instant::now();
        drop(effects);
        let dropped = since.elapsed();
        (handled + dropped).saturating_sub(2 * self.overhead)
    }

    fn note(&mut self, effect: &Effect<'_>) {
        match effect {
            Effect::Send { to, message } => match message {
                ServerMessage::Waiting {} => self.becomes(*to, State::Waiting),
                ServerMessage::PeerJoined { .. } => self.becomes(*to, State::InCall),
                ServerMessage::PeerLeft { .. } => self.becomes(*to, State::Idle),
                ServerMessage::Welcome { .. } => {}
                ServerMessage::Room { .. }
                | ServerMessage::AskedToMute {}
                | ServerMessage::PeerAway { .. }
                | ServerMessage::PeerBack { .. }
                | ServerMessage::Signal { .. }
                | ServerMessage::StillThere {}
                | ServerMessage::Redirect { .. }
                | ServerMessage::Error { .. } => panic!("nobody asked for {message:?}"),
            },
            Effect::WakeAt(at) => self.alarm = Some(*at),
            Effect::Count(_)
            | Effect::Save { .. }
            | Effect::Close { .. }
            | Effect::Evict { .. }
            | Effect::Rename { .. }
            | Effect::Report(_)
            | Effect::HandOver { .. } => {}
        }
    }

    fn becomes(&mut self, peer: PeerId, state: State) {
        let who = self.numbers[&peer];
        let before = std::mem::replace(&mut self.states[who], state);
        let (pool, place) = (&mut self.pools[before as usize], self.places[who]);
        pool.swap_remove(place);
        if let Some(&moved) = pool.get(place) {
            self.places[moved] = place;
        }
        let pool = &mut self.pools[state as usize];
        self.places[who] = pool.len();
        pool.push(who);
    }
}
