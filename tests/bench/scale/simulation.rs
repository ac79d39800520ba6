//! The people, the objects and what is on the way between them.

use std::collections::BTreeMap;

use echomingle::core::actor::SILENCE;
use echomingle::core::directory::{Advice, Directory, Report};
use echomingle::core::id::PeerId;
use echomingle::core::layout::{Layout, LobbyName};
use echomingle::core::protocol::{Mode, Relayed, ServerMessage};
use echomingle::core::redacted::Redacted;
use echomingle::core::region::Region;
use echomingle::core::time::{Millis, Timestamp};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::agenda::Agenda;
use crate::objects::{DirectoryObject, Isolates, LobbyObject};
use crate::people::{Due, Person};
use crate::tally::Tally;
use crate::world::World;

/// When all begins; any time will do.
const START: Timestamp = Timestamp::from_unix_millis(1_800_000_000_000);

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// Online at the peak.
    pub(crate) people: u32,
    pub(crate) seed: u64,
    /// A day takes so many milliseconds.
    pub(crate) day: u64,
    /// Of which so many are looked at, from this hour in Greenwich.
    pub(crate) measured: u64,
    pub(crate) from_hour: u64,
    /// For so long people come who are there when it begins, and for so long again nothing is counted.
    pub(crate) filling: u64,
    pub(crate) settling: u64,
    /// Some lobby is killed so often.
    pub(crate) lobby_kills: u64,
    /// And the directory.
    pub(crate) directory_kills: u64,
    /// Whether it loses all then, every other time.
    pub(crate) wipes: bool,
    /// Of each side of a call.
    pub(crate) signals: u32,
}

impl Setup {
    /// When it is begun to count.
    pub(crate) const fn begins(&self) -> u64 {
        self.filling + self.settling
    }
}

/// A socket, which may be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketRef {
    place: u32,
    serial: u32,
}

#[derive(Debug)]
pub(crate) struct Socket {
    serial: u32,
    pub(crate) person: u32,
    pub(crate) region: Region,
    pub(crate) object: u32,
    /// Whose it is, in the object, while that has it.
    pub(crate) peer: Option<PeerId>,
    /// Whether its client has it.
    pub(crate) alive: bool,
    /// When the object heard of it last, but for pings.
    pub(crate) said: u64,
}

/// Clients ask so often whether the connection lives (`pages/lib/signaling.js`).
const PINGS: u64 = 25_000;

impl Socket {
    /// When it was heard last, at this time.
    pub(crate) fn heard(&self, place: u32, now: u64) -> Timestamp {
        let phase = u64::from(place) * 997 % PINGS;
        let pinged = now - (now + phase) % PINGS.min(now.max(1));
        at(if self.alive {
            self.said.max(pinged)
        } else {
            self.said
        })
    }
}

/// What a client says.
#[derive(Debug)]
pub(crate) enum Say {
    Find(Box<(Mode, Vec<String>)>),
    /// All of one side of a call, which come within a second.
    Signals(u32),
    Resume(Box<Redacted>),
    Leave,
    Away,
    Ping,
}

/// What happens.
pub(crate) enum Happening {
    /// Whoever comes online in a region.
    Arrival(Region),
    Due(u32, Due),
    Hears(SocketRef, Box<ServerMessage<Relayed<'static>>>, u32),
    /// The other end has closed it, or is gone.
    Dropped(SocketRef),
    Connects(SocketRef),
    Says(SocketRef, Say),
    Closes(SocketRef),
    Alarm(u32, u64),
    Report(u32, u32, Box<Report>),
    Advice(u32, u32, Box<Advice>),
    HandOver(u32, u32, Box<Move>),
    Expected(u32, u32, Box<(PeerId, u64, Option<Redacted>)>),
    AskLayout(Region, u32),
    TellLayout(Region, u32, Box<Layout>),
    KillLobby,
    KillDirectory,
    Look,
    Measure,
}

/// Of somebody to another lobby.
pub(crate) struct Move {
    pub(crate) peer: PeerId,
    pub(crate) number: u64,
    pub(crate) to: LobbyName,
    pub(crate) arrival: Vec<u8>,
}

pub(crate) struct Simulation {
    pub(crate) setup: Setup,
    pub(crate) world: World,
    pub(crate) random: Xoshiro256PlusPlus,
    pub(crate) agenda: Agenda<Happening>,
    pub(crate) tally: Tally,
    pub(crate) people: Vec<Person>,
    pub(crate) gone: Vec<u32>,
    /// Who searched when it was looked at last, or has begun to since.
    pub(crate) searchers: Vec<u32>,
    /// How many there are in each region.
    pub(crate) online: [u32; Region::COUNT],
    pub(crate) sockets: Vec<Socket>,
    closed: Vec<u32>,
    pub(crate) objects: Vec<LobbyObject>,
    pub(crate) by_name: BTreeMap<LobbyName, u32>,
    pub(crate) directory: DirectoryObject,
    pub(crate) workers: Vec<Isolates>,
    /// Nobody comes any more.
    pub(crate) closing: bool,
}

pub(crate) fn at(millis: u64) -> Timestamp {
    START.after(Millis::new(millis))
}

pub(crate) fn since_start(at: Timestamp) -> u64 {
    at.since(START).get()
}

impl Simulation {
    pub(crate) fn new(setup: Setup) -> Self {
        let mut simulation = Self {
            world: World::new(setup.people, setup.day),
            random: Xoshiro256PlusPlus::seed_from_u64(setup.seed),
            agenda: Agenda::new(),
            tally: Tally::default(),
            people: Vec::new(),
            gone: Vec::new(),
            searchers: Vec::new(),
            online: [0; Region::COUNT],
            sockets: Vec::new(),
            closed: Vec::new(),
            objects: Vec::new(),
            by_name: BTreeMap::new(),
            directory: DirectoryObject::new(Directory::default()),
            workers: Region::ALL.map(|_| Isolates::default()).into(),
            closing: false,
            setup,
        };
        simulation.directory.grow(&simulation.world, &setup);
        simulation
    }

    /// Sees all of it through, and says what is left of it.
    pub(crate) fn run(mut self) -> Self {
        let setup = self.setup;
        let begins = setup.begins();
        let ends = begins + setup.measured;
        for region in Region::ALL {
            self.agenda.after(0, Happening::Arrival(region));
        }
        self.agenda.after(0, Happening::Look);
        self.agenda.after(begins, Happening::Measure);
        let half = |span: u64| begins + span / 2;
        self.agenda
            .after(half(setup.lobby_kills), Happening::KillLobby);
        self.agenda
            .after(half(setup.directory_kills), Happening::KillDirectory);
        while let Some(what) = self.agenda.next(ends) {
            self.happens(what);
        }
        self.tally.measured = false;
        for object in &mut self.objects {
            object.busy.ends();
            object.frames.ends();
        }
        self.directory.busy.ends();
        self.everybody_leaves();
        // What is still to come of anything comes within that: silence, graces, alarms.
        let over = ends + 4 * SILENCE.get();
        while let Some(what) = self.agenda.next(over) {
            self.happens(what);
        }
        self
    }

    pub(crate) fn now(&self) -> u64 {
        self.agenda.now()
    }

    /// The time of the world's day: it begins when all are there.
    pub(crate) fn time_of_day(&self) -> f64 {
        let offset = self.setup.from_hour * self.setup.day / 24;
        let since = self.now() as f64 - self.setup.begins() as f64;
        offset as f64 + since.max(0.0)
    }

    fn happens(&mut self, what: Happening) {
        match what {
            Happening::Arrival(region) => self.arrival(region),
            Happening::Due(person, due) => self.due(person, due),
            Happening::Hears(socket, message, partner) => self.hears(socket, *message, partner),
            Happening::Dropped(socket) => self.dropped(socket),
            Happening::Connects(socket) => self.connects(socket),
            Happening::Says(socket, say) => self.says(socket, say),
            Happening::Closes(socket) => self.closes(socket),
            Happening::Alarm(object, at) => self.alarm(object, at),
            Happening::Report(object, life, report) => self.report(object, life, *report),
            Happening::Advice(object, life, advice) => self.advice(object, life, *advice),
            Happening::HandOver(object, life, moving) => self.hand_over(object, life, *moving),
            Happening::Expected(object, life, answer) => self.expected(object, life, *answer),
            Happening::AskLayout(region, isolate) => self.ask_layout(region, isolate),
            Happening::TellLayout(region, isolate, layout) => {
                let now = self.now();
                self.workers[region as usize].learns(isolate, *layout, now);
            }
            Happening::KillLobby => self.kill_lobby(),
            Happening::KillDirectory => self.kill_directory(),
            Happening::Look => {
                self.look();
                self.agenda.after(1_000, Happening::Look);
            }
            Happening::Measure => {
                self.tally.measured = true;
                for object in &mut self.objects {
                    object.busy = Default::default();
                    object.frames = Default::default();
                }
                self.directory.busy = Default::default();
            }
        }
    }

    /// A number of milliseconds that is so many in the mean, as often as not in the next moment.
    pub(crate) fn some_time(&mut self, mean: f64) -> u64 {
        let random: f64 = self.random.random();
        (-(1.0 - random).ln() * mean) as u64
    }

    pub(crate) fn open_socket(&mut self, person: u32, region: Region, object: u32) -> SocketRef {
        let place = self.closed.pop().unwrap_or_else(|| {
            self.sockets.push(Socket {
                serial: 0,
                person,
                region,
                object,
                peer: None,
                alive: false,
                said: 0,
            });
            self.sockets.len() as u32 - 1
        });
        let now = self.now();
        let socket = &mut self.sockets[place as usize];
        *socket = Socket {
            serial: socket.serial + 1,
            person,
            region,
            object,
            peer: None,
            alive: true,
            said: now,
        };
        SocketRef {
            place,
            serial: socket.serial,
        }
    }

    /// The socket, unless it is gone.
    pub(crate) fn socket(&mut self, socket: SocketRef) -> Option<&mut Socket> {
        let found = &mut self.sockets[socket.place as usize];
        (found.serial == socket.serial).then_some(found)
    }

    pub(crate) fn socket_at(&self, place: u32) -> SocketRef {
        SocketRef {
            place,
            serial: self.sockets[place as usize].serial,
        }
    }

    /// Nobody has it any more.
    pub(crate) fn free_socket(&mut self, socket: SocketRef) {
        if let Some(found) = self.socket(socket) {
            found.serial += 1;
            found.alive = false;
            found.peer = None;
            self.closed.push(socket.place);
        }
    }
}

impl SocketRef {
    pub(crate) const fn place(self) -> u32 {
        self.place
    }
}
