//! The objects and the Workers, as the shell has them (`src/shell/actor.rs`).

use std::collections::BTreeMap;

use echomingle::core::actor::{Actor, Effect, Event, SavedSeat};
use echomingle::core::directory::{Advice, Directory, Report};
use echomingle::core::id::PeerId;
use echomingle::core::layout::{Budget, Known, Layout, LobbyName};
use echomingle::core::lobby::Lobby;
use echomingle::core::note::Waits;
use echomingle::core::protocol::{ClientMessage, Relayed, ServerMessage, parse};
use echomingle::core::redacted::Redacted;
use echomingle::core::region::Region;
use echomingle::core::resume::Key;
use echomingle::core::time::Timestamp;
use rand::RngExt;

use crate::people::State;
use crate::prices::MILLIS_AN_EVENT;
use crate::simulation::{Happening, Move, Say, Setup, Simulation, SocketRef, at, since_start};
use crate::tally::Busy;
use crate::world::{CENTRE, World, delay};

/// An object without events is thrown out of memory after this.
const SLEEPS: u64 = 10_000;
/// The directory is kept so often, where it was told something.
const KEPT: u64 = 10_000;
/// For how long an isolate goes by its layout.
const HOLDS: u64 = 10_000;
/// Connections a second for which there is one isolate, and after how long without any there is none.
const AN_ISOLATE: f64 = 10.0;
const UNUSED: u64 = 60_000;
/// What it has to do in a second for each who is online, to lay out by before anybody is there: a search, the signals, and
/// what comes and goes, in the time of a call.
const MESSAGES_A_SECOND: f64 = 1.4 / 62.0;

pub(crate) struct LobbyObject {
    pub(crate) name: LobbyName,
    pub(crate) region: Region,
    pub(crate) lobby: Lobby,
    peers: BTreeMap<PeerId, u32>,
    alarm: Option<u64>,
    /// Counts the times that it was killed: what was asked before is answered to nobody.
    life: u32,
    last: u64,
    active_until: u64,
    pub(crate) busy: Busy,
    /// Of these what clients said: what the lobby itself takes for messages.
    pub(crate) frames: Busy,
}

pub(crate) struct DirectoryObject {
    pub(crate) directory: Directory,
    kept: Vec<u8>,
    kept_at: u64,
    active_until: u64,
    pub(crate) busy: Busy,
    kills: u64,
}

fn key(name: LobbyName) -> Key {
    let mut bytes = [7; Key::BYTES];
    for (byte, letter) in bytes.iter_mut().zip(name.to_string().bytes()) {
        *byte = letter;
    }
    Key::new(bytes)
}

impl DirectoryObject {
    pub(crate) fn new(directory: Directory) -> Self {
        Self {
            kept: directory.kept(),
            directory,
            kept_at: 0,
            active_until: 0,
            busy: Busy::default(),
            kills: 0,
        }
    }

    /// Hears of the day before, in which people were divided evenly: the layout is what it would be.
    pub(crate) fn grow(&mut self, world: &World, setup: &Setup) {
        const EVERY: u64 = 5_000;
        let budget = Budget::default();
        let begins = setup.from_hour * setup.day / 24;
        let a_second = MESSAGES_A_SECOND * f64::from(1 + setup.signals);
        for round in 0..setup.day / EVERY {
            let now = at(0).before(echomingle::core::time::Millis::new(
                setup.day - round * EVERY,
            ));
            let time = (begins + round * EVERY) as f64;
            let mut people = BTreeMap::<LobbyName, [f64; Region::COUNT]>::new();
            for region in Region::ALL {
                let home: Vec<_> = self.directory.layout().home(region).collect();
                let part = world.online(region, time) / home.len() as f64;
                for lobby in home {
                    people.entry(lobby).or_default()[region as usize] += part;
                }
            }
            for (lobby, people) in people {
                let all: f64 = people.iter().sum();
                let report = Report {
                    lobby,
                    people: people.map(|people| people as u32),
                    waiting: [0; 2],
                    calls: 0,
                    messages: (all * a_second) as u32,
                    searches: 0,
                    waits: Waits::default(),
                    stranded: Vec::new(),
                    layout: None,
                };
                self.directory.hear(report, &budget, now);
            }
        }
        self.kept = self.directory.kept();
    }
}

/// Those of one region.
#[derive(Default)]
pub(crate) struct Isolates {
    all: Vec<Isolate>,
    number: u32,
    /// Connections in which ten seconds, and in those before.
    slot: u64,
    count: u32,
    before: u32,
}

struct Isolate {
    number: u32,
    known: Known,
    fresh_until: u64,
    asking: bool,
    used: u64,
}

impl Isolates {
    pub(crate) fn learns(&mut self, number: u32, layout: Layout, now: u64) {
        if let Some(isolate) = self.all.iter_mut().find(|one| one.number == number) {
            isolate.known.hear(layout, at(now));
            isolate.fresh_until = now + HOLDS;
            isolate.asking = false;
        }
    }

    fn wanted(&mut self, now: u64) -> usize {
        if now / 10_000 != self.slot {
            let next = now / 10_000 == self.slot + 1;
            self.before = if next { self.count } else { 0 };
            (self.slot, self.count) = (now / 10_000, 0);
        }
        self.count += 1;
        let rate = f64::from(self.before.max(self.count)) / 10.0;
        (rate / AN_ISOLATE).ceil().max(1.0) as usize
    }
}

impl Simulation {
    /// A request for a WebSocket: a Worker sends it on, to the lobby it asks for or to one that it chooses.
    pub(crate) fn visit(&mut self, region: Region, to: Option<LobbyName>) -> LobbyName {
        let now = self.now();
        if self.tally.measured {
            self.tally.usage.worker_requests += 1;
            self.tally.usage.upgrades += 1;
        }
        let isolates = &mut self.workers[region as usize];
        let wanted = isolates.wanted(now);
        isolates.all.retain(|one| one.used + UNUSED > now);
        while isolates.all.len() < wanted {
            isolates.number += 1;
            let mut known = Known::nothing();
            if !self.tally.measured {
                // It is from the day before.
                known.hear(self.directory.directory.layout().clone(), at(now));
            }
            isolates.all.push(Isolate {
                number: isolates.number,
                known,
                fresh_until: 0,
                asking: false,
                used: now,
            });
        }
        let place = self.random.random_range(0..wanted);
        let isolate = &mut isolates.all[place];
        isolate.used = now;
        if let Some(lobby) = to {
            return lobby;
        }
        if isolate.fresh_until <= now && !isolate.asking {
            isolate.asking = true;
            let ask = Happening::AskLayout(region, isolate.number);
            self.agenda.after(delay(region, CENTRE), ask);
        }
        isolate.known.layout().choose(region, self.random.random())
    }

    pub(crate) fn ask_layout(&mut self, region: Region, isolate: u32) {
        self.directory_runs();
        let layout = Box::new(self.directory.directory.layout().clone());
        let tell = Happening::TellLayout(region, isolate, layout);
        self.agenda.after(delay(CENTRE, region), tell);
    }

    /// The object of a lobby, made when it is first asked for.
    pub(crate) fn object(&mut self, name: LobbyName) -> u32 {
        if let Some(&object) = self.by_name.get(&name) {
            return object;
        }
        let object = self.objects.len() as u32;
        self.objects.push(LobbyObject {
            name,
            region: name.region().unwrap_or(CENTRE),
            lobby: Lobby::among_others(name, key(name)),
            peers: BTreeMap::new(),
            alarm: None,
            life: 0,
            last: 0,
            active_until: 0,
            busy: Busy::default(),
            frames: Busy::default(),
        });
        self.by_name.insert(name, object);
        object
    }

    /// An object has something to do, for so long. It is made anew where it slept.
    fn runs(&mut self, object: u32, millis: u64) {
        let now = self.now();
        let it = &mut self.objects[object as usize];
        let slept = now >= it.last.max(it.active_until) + SLEEPS;
        let until = it.active_until.max(now + millis);
        if self.tally.measured {
            self.tally.usage.active += until - it.active_until.max(now);
        }
        (it.last, it.active_until) = (now, until);
        if slept {
            self.wakes(object);
        }
    }

    fn wakes(&mut self, object: u32) {
        let now = at(self.now());
        let it = &mut self.objects[object as usize];
        let mut lobby = Lobby::among_others(it.name, key(it.name));
        for &peer in it.peers.keys() {
            let seat = it.lobby.attachment(peer, now);
            let seat = seat.and_then(|bytes| SavedSeat::read(&bytes));
            if let Some(seat) = seat {
                lobby.recall(seat);
            }
        }
        it.lobby = lobby;
        let effects = it.lobby.restore(now);
        self.perform(object, effects);
    }

    fn directory_runs(&mut self) {
        let now = self.now();
        let it = &mut self.directory;
        it.busy.note(now);
        let until = it.active_until.max(now + MILLIS_AN_EVENT);
        if self.tally.measured {
            self.tally.usage.calls_between += 1;
            self.tally.usage.active += until - it.active_until.max(now);
        }
        it.active_until = until;
    }

    fn handle(&mut self, object: u32, event: Event<'static>) {
        let millis = self.now();
        let it = &mut self.objects[object as usize];
        let (peers, sockets) = (&it.peers, &self.sockets);
        let heard = |peer| -> Option<Timestamp> {
            let &place = peers.get(&peer)?;
            Some(sockets[place as usize].heard(place, millis))
        };
        let effects = it.lobby.handle(event, at(millis), &heard);
        self.perform(object, effects);
    }

    fn event(&mut self, object: u32, event: Event<'static>) {
        self.runs(object, MILLIS_AN_EVENT);
        let now = self.now();
        self.objects[object as usize].busy.note(now);
        self.handle(object, event);
    }

    fn perform(&mut self, object: u32, effects: Vec<Effect<'static>>) {
        for effect in effects {
            match effect {
                Effect::Send { to, message } => self.send(object, to, message),
                // What is remembered is read when it sleeps.
                Effect::Save { .. } => {}
                Effect::Close { peer, .. } => {
                    if let Some(&place) = self.objects[object as usize].peers.get(&peer) {
                        let socket = self.socket_at(place);
                        let far = self.far(socket);
                        self.agenda.after(far, Happening::Dropped(socket));
                    }
                }
                Effect::Evict { peer } => {
                    if let Some(place) = self.objects[object as usize].peers.remove(&peer) {
                        let socket = self.socket_at(place);
                        self.lets_go(socket);
                    }
                }
                Effect::Rename { from, to } => {
                    let it = &mut self.objects[object as usize];
                    if let Some(place) = it.peers.remove(&from) {
                        it.peers.insert(to, place);
                        self.sockets[place as usize].peer = Some(to);
                    }
                }
                Effect::WakeAt(at) => {
                    let at = since_start(at);
                    if self.tally.measured {
                        self.tally.usage.alarms_set += 1;
                    }
                    self.objects[object as usize].alarm = Some(at);
                    let wait = at.saturating_sub(self.now());
                    self.agenda.after(wait, Happening::Alarm(object, at));
                }
                Effect::Count(note) => self.tally.note(note),
                Effect::Report(report) => {
                    let it = &self.objects[object as usize];
                    let (far, life) = (delay(it.region, CENTRE), it.life);
                    // An answer that is awaited keeps an object from sleeping.
                    self.runs(object, 2 * far);
                    let report = Happening::Report(object, life, Box::new(report));
                    self.agenda.after(far, report);
                }
                Effect::HandOver {
                    peer,
                    number,
                    to,
                    arrival,
                } => {
                    let there = self.object(to);
                    let it = &self.objects[object as usize];
                    let life = it.life;
                    let far = delay(it.region, self.objects[there as usize].region);
                    self.runs(object, 2 * far);
                    let moving = Box::new(Move {
                        peer,
                        number,
                        to,
                        arrival,
                    });
                    self.agenda
                        .after(far, Happening::HandOver(object, life, moving));
                }
            }
        }
    }

    /// One way between a socket's client and its object.
    fn far(&mut self, socket: SocketRef) -> u64 {
        let found = &self.sockets[socket.place() as usize];
        delay(found.region, self.objects[found.object as usize].region)
    }

    fn send(&mut self, object: u32, to: PeerId, message: ServerMessage<Relayed<'static>>) {
        let peers = &self.objects[object as usize].peers;
        let Some(&place) = peers.get(&to) else {
            return;
        };
        if !self.sockets[place as usize].alive {
            return;
        }
        let partner = if let ServerMessage::PeerJoined { peer, .. } = &message {
            Some(peer.id)
        } else if let ServerMessage::Welcome { peers, .. } = &message {
            peers.first().map(|peer| peer.id)
        } else {
            None
        };
        let partner = partner.and_then(|partner| peers.get(&partner));
        let partner = partner.map_or(0, |&place| self.sockets[place as usize].person);
        let socket = self.socket_at(place);
        let far = self.far(socket);
        let hears = Happening::Hears(socket, Box::new(message), partner);
        self.agenda.after(far, hears);
    }

    /// A socket is not the object's any more.
    fn lets_go(&mut self, socket: SocketRef) {
        let far = self.far(socket);
        let found = &mut self.sockets[socket.place() as usize];
        found.peer = None;
        if found.alive {
            self.agenda.after(far, Happening::Dropped(socket));
        } else {
            self.free_socket(socket);
        }
    }

    pub(crate) fn connects(&mut self, socket: SocketRef) {
        let now = self.now();
        let Some(found) = self.socket(socket) else {
            return;
        };
        let (object, region) = (found.object, found.region);
        let peer = loop {
            let peer = PeerId::from_random(self.random.random());
            if !self.objects[object as usize].lobby.knows(peer) {
                break peer;
            }
        };
        if let Some(found) = self.socket(socket) {
            (found.peer, found.said) = (Some(peer), now);
        }
        let it = &mut self.objects[object as usize];
        it.peers.insert(peer, socket.place());
        self.event(object, Event::Connected { peer, region });
    }

    pub(crate) fn says(&mut self, socket: SocketRef, say: Say) {
        let now = self.now();
        let Some(found) = self.socket(socket) else {
            return;
        };
        let Some(peer) = found.peer else {
            return;
        };
        let (object, who) = (found.object, found.person);
        if let Say::Signals(doing) = say {
            let person = &self.people[who as usize];
            // It goes on with something else, and says nothing of that call any more.
            if person.doing != doing || person.state != State::InCall {
                return;
            }
        }
        self.sockets[socket.place() as usize].said = now;
        if matches!(say, Say::Ping) {
            return;
        }
        let many = match say {
            Say::Signals(_) => self.setup.signals,
            Say::Find(_) | Say::Resume(_) | Say::Leave | Say::Away | Say::Ping => 1,
        };
        if self.tally.measured {
            self.tally.usage.messages += u64::from(many);
        }
        self.runs(object, MILLIS_AN_EVENT * u64::from(many));
        let it = &mut self.objects[object as usize];
        for _ in 0..many {
            it.frames.note(now);
            it.lobby.hears(at(now));
        }
        let message = match say {
            Say::Find(wish) => ClientMessage::Find {
                mode: wish.0,
                interests: wish.1,
                offer: Some("offer".into()),
                crosses: true,
                last: None,
            },
            Say::Signals(_) => {
                let Some(to) = self.people[who as usize].partner else {
                    return;
                };
                let it = &mut self.objects[object as usize];
                for _ in 1..many {
                    it.busy.note(now);
                }
                if it.lobby.relays(peer, to) {
                    it.busy.note(now);
                    return;
                }
                let frame = format!(r#"{{"type":"signal","to":"{to}","data":0}}"#);
                // It has to be of its own, and is seldom.
                match parse(Box::leak(frame.into_boxed_str())) {
                    Ok(message) => message,
                    Err(_) => return,
                }
            }
            Say::Resume(token) => ClientMessage::Resume { token: *token },
            Say::Leave => ClientMessage::Leave {},
            Say::Away => ClientMessage::Away {},
            Say::Ping => return,
        };
        self.event(object, Event::Received { peer, message });
    }

    pub(crate) fn closes(&mut self, socket: SocketRef) {
        let Some(found) = self.socket(socket) else {
            return;
        };
        let (object, peer) = (found.object, found.peer);
        self.free_socket(socket);
        if let Some(peer) = peer {
            self.objects[object as usize].peers.remove(&peer);
            self.event(object, Event::Disconnected { peer });
        }
    }

    pub(crate) fn alarm(&mut self, object: u32, at: u64) {
        let it = &mut self.objects[object as usize];
        if it.alarm != Some(at) {
            return;
        }
        it.alarm = None;
        if self.tally.measured {
            self.tally.usage.alarms += 1;
        }
        self.event(object, Event::Woken);
    }

    pub(crate) fn report(&mut self, object: u32, life: u32, report: Report) {
        self.directory_runs();
        let now = self.now();
        let before = self.directory.directory.layout().lobbies().count();
        let budget = Budget::default();
        let advice = self.directory.directory.hear(report, &budget, at(now));
        let after = advice.layout.lobbies().count();
        if self.tally.measured {
            self.tally.splits += u64::from(after > before);
            self.tally.folds += u64::from(after < before);
        }
        if self.directory.kept_at + KEPT <= now {
            self.directory.kept_at = now;
            self.directory.kept = self.directory.directory.kept();
            if self.tally.measured {
                self.tally.usage.kept += 1;
            }
        }
        let far = delay(CENTRE, self.objects[object as usize].region);
        let advice = Happening::Advice(object, life, Box::new(advice));
        self.agenda.after(far, advice);
    }

    pub(crate) fn advice(&mut self, object: u32, life: u32, advice: Advice) {
        if self.objects[object as usize].life == life {
            self.answered(object, Event::Advised(advice));
        }
    }

    /// An answer is no request.
    fn answered(&mut self, object: u32, event: Event<'static>) {
        self.runs(object, MILLIS_AN_EVENT);
        self.handle(object, event);
    }

    pub(crate) fn hand_over(&mut self, object: u32, life: u32, moving: Move) {
        let there = self.object(moving.to);
        self.runs(there, MILLIS_AN_EVENT);
        let now = self.now();
        if self.tally.measured {
            self.tally.usage.calls_between += 1;
        }
        let it = &mut self.objects[there as usize];
        it.busy.note(now);
        let token: Option<Redacted> = it.lobby.expect(&moving.arrival, at(now));
        let far = delay(it.region, self.objects[object as usize].region);
        let answer = Box::new((moving.peer, moving.number, token));
        self.agenda
            .after(far, Happening::Expected(object, life, answer));
    }

    pub(crate) fn expected(
        &mut self,
        object: u32,
        life: u32,
        (peer, number, token): (PeerId, u64, Option<Redacted>),
    ) {
        if self.objects[object as usize].life == life {
            let event = Event::Expected {
                peer,
                number,
                token,
            };
            self.answered(object, event);
        }
    }

    /// All its sockets are cut, and it is made anew.
    pub(crate) fn kill_lobby(&mut self) {
        if self.closing {
            return;
        }
        self.agenda
            .after(self.setup.lobby_kills, Happening::KillLobby);
        let used = self.objects.iter().enumerate();
        let used = used.filter(|(_, it)| !it.peers.is_empty());
        let used: Vec<_> = used.map(|(place, _)| place).collect();
        if used.is_empty() {
            return;
        }
        let object = used[self.random.random_range(0..used.len())];
        if self.tally.measured {
            self.tally.lobbies_killed += 1;
        }
        let now = self.now();
        let it = &mut self.objects[object];
        it.life += 1;
        it.busy.storms(now);
        it.frames.storms(now);
        it.lobby = Lobby::among_others(it.name, key(it.name));
        for place in std::mem::take(&mut it.peers).into_values() {
            let socket = self.socket_at(place);
            self.lets_go(socket);
        }
    }

    /// It knows what it knew when it was kept, or nothing.
    pub(crate) fn kill_directory(&mut self) {
        if self.closing {
            return;
        }
        self.agenda
            .after(self.setup.directory_kills, Happening::KillDirectory);
        if self.tally.measured {
            self.tally.directory_killed += 1;
        }
        let it = &mut self.directory;
        it.kills += 1;
        it.directory = if self.setup.wipes && it.kills.is_multiple_of(2) {
            Directory::default()
        } else {
            Directory::from_kept(&it.kept)
        };
    }

    /// How many lobbies have sockets.
    pub(crate) fn lobbies_in_use(&self) -> usize {
        let used = self.objects.iter().filter(|it| !it.peers.is_empty());
        used.count()
    }
}
