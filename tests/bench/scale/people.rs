//! What people do, as their clients see it (`pages/main.js`, `pages/lib/signaling.js`).

use echomingle::core::id::PeerId;
use echomingle::core::layout::LobbyName;
use echomingle::core::protocol::{ErrorCode, Mode, Peer, Relayed, ServerMessage};
use echomingle::core::redacted::Redacted;
use echomingle::core::region::Region;
use rand::RngExt;

use crate::simulation::{Happening, Say, Simulation, SocketRef};
use crate::world::{delay, near_millis};

/// Means, in milliseconds: how long somebody stays, and how long a call lasts until one of the two goes on.
const SESSION: f64 = 600_000.0;
const CALL: f64 = 60_000.0;
/// How long somebody who was left takes until it looks for the next.
const THINKS: f64 = 1_000.0;
/// A socket is lost so often: 2 of 100 in a minute.
const KEEPS_SOCKET: f64 = 50.0 * 60_000.0;
/// It is closed in one of two cases; in the other one nobody says so, and the platform closes it after this.
const CLOSED: f64 = 0.5;
const SILENT: u64 = 100_000;
/// Who comes within so many milliseconds is drawn at once.
const TOGETHER: u64 = 50;
/// How long it takes to be back.
const AWAY: std::ops::Range<u64> = 1_000..3_000;
/// How many of the last partners nobody wants to meet again (`RECENT` in src/core/lobby.rs).
pub(crate) const RECENT: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody is here.
    Gone,
    /// Does nothing for the moment.
    Idle,
    Searching,
    InCall,
}

/// What is to come of the first `welcome` of a socket (`#instead` in `pages/lib/signaling.js`).
#[derive(Debug)]
enum Resuming {
    No,
    Asked,
    Instead(PeerId, Option<Redacted>),
}

#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) region: Region,
    pub(crate) mode: Mode,
    pub(crate) interests: Vec<u16>,
    pub(crate) state: State,
    /// Who this is in place of, and what it does now: counted up with each.
    pub(crate) life: u32,
    pub(crate) doing: u32,
    pub(crate) peer: Option<PeerId>,
    token: Option<Redacted>,
    pub(crate) socket: Option<SocketRef>,
    resuming: Resuming,
    /// Whether it is on the way to where it was sent.
    moved: bool,
    pub(crate) partner: Option<PeerId>,
    pub(crate) partner_person: u32,
    pub(crate) recent: [Option<PeerId>; RECENT],
    /// Since when it searches, and whether that is counted.
    pub(crate) since: u64,
    /// Since when the server knows of it.
    pub(crate) asked: u64,
    counts: bool,
    /// For how many seconds somebody waits who suits, in all and without a break.
    pub(crate) stranded: u32,
    pub(crate) stranded_in_all: u32,
    /// And for how many it is in a call of its own.
    pub(crate) half_call: u32,
    /// Whether it is among those who are looked at since they searched.
    pub(crate) listed: bool,
}

/// What time brings, to who is still what it was.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Due {
    Departs(u32),
    Loses(u32),
    Returns(u32),
    /// Looks for the next.
    Finds(u32),
    Freed,
}

impl Simulation {
    /// Somebody comes, and the next one is waited for.
    pub(crate) fn arrival(&mut self, region: Region) {
        if self.closing {
            return;
        }
        let time = self.time_of_day();
        let wanted = self.world.online(region, time);
        let filling = self.setup.filling as f64;
        let rate = if self.now() < self.setup.filling {
            // And those who leave meanwhile.
            wanted / filling * (1.0 + filling / SESSION / 2.0)
        } else {
            let grows = self.world.online(region, time + 1_000.0) - wanted;
            (wanted / SESSION + grows / 1_000.0).max(0.0)
        };
        let come = rate * TOGETHER as f64 + self.random.random::<f64>();
        for _ in 0..come as u32 {
            self.arrives(region);
        }
        self.agenda.after(TOGETHER, Happening::Arrival(region));
    }

    fn arrives(&mut self, region: Region) {
        let (mode, interests) = self.world.wish(&mut self.random);
        let person = Person {
            region,
            mode,
            interests,
            state: State::Idle,
            life: 0,
            doing: 0,
            peer: None,
            token: None,
            socket: None,
            resuming: Resuming::No,
            moved: false,
            partner: None,
            partner_person: 0,
            recent: [None; RECENT],
            since: 0,
            asked: 0,
            counts: false,
            stranded: 0,
            stranded_in_all: 0,
            half_call: 0,
            listed: false,
        };
        let who = match self.gone.pop() {
            Some(who) => {
                let before = &mut self.people[who as usize];
                let (life, doing) = (before.life + 1, before.doing + 1);
                *before = Person {
                    life,
                    doing,
                    listed: before.listed,
                    ..person
                };
                who
            }
            None => {
                self.people.push(person);
                self.people.len() as u32 - 1
            }
        };
        self.online[region as usize] += 1;
        if self.tally.measured {
            self.tally.arrivals += 1;
        }
        let life = self.people[who as usize].life;
        let stays = self.some_time(SESSION);
        self.agenda
            .after(stays, Happening::Due(who, Due::Departs(life)));
        let loses = self.some_time(KEEPS_SOCKET);
        if loses < stays {
            self.agenda
                .after(loses, Happening::Due(who, Due::Loses(life)));
        }
        self.connect(who, None);
    }

    /// To this lobby, or to that which a Worker chooses. Who has a token resumes by it.
    fn connect(&mut self, who: u32, to: Option<LobbyName>) {
        let region = self.people[who as usize].region;
        let lobby = self.visit(region, to);
        let object = self.object(lobby);
        let far = delay(region, self.objects[object as usize].region);
        let socket = self.open_socket(who, region, object);
        // A round trip to the nearest edge, for the handshakes.
        let opens = 2 * near_millis() + far + self.random.random_range(0..TOGETHER);
        self.agenda.after(opens, Happening::Connects(socket));
        let person = &mut self.people[who as usize];
        person.socket = Some(socket);
        person.resuming = Resuming::No;
        if let Some(token) = person.token.clone() {
            person.resuming = Resuming::Asked;
            let say = Say::Resume(Box::new(token));
            self.agenda
                .after(opens + 2 * far, Happening::Says(socket, say));
        }
    }

    fn say(&mut self, who: u32, say: Say) {
        if let Some(socket) = self.people[who as usize].socket {
            let far = self.way(socket);
            self.agenda.after(far, Happening::Says(socket, say));
        }
    }

    /// One way between a client and the object of its socket.
    fn way(&mut self, socket: SocketRef) -> u64 {
        let Some(found) = self.socket(socket) else {
            return near_millis();
        };
        let (region, object) = (found.region, found.object);
        delay(region, self.objects[object as usize].region)
    }

    fn close(&mut self, who: u32) {
        if let Some(socket) = self.people[who as usize].socket.take() {
            let far = self.way(socket);
            if let Some(found) = self.socket(socket) {
                found.alive = false;
            }
            self.agenda.after(far, Happening::Closes(socket));
        }
    }

    pub(crate) fn due(&mut self, who: u32, due: Due) {
        let person = &self.people[who as usize];
        match due {
            Due::Departs(life) if life == person.life => self.departs(who),
            Due::Loses(life) if life == person.life => self.loses(who),
            Due::Returns(life) if life == person.life => self.returns(who),
            Due::Finds(doing) if doing == person.doing && person.state != State::Gone => {
                self.finds(who, false);
            }
            Due::Freed => self.gone.push(who),
            Due::Departs(_) | Due::Loses(_) | Due::Returns(_) | Due::Finds(_) => {}
        }
    }

    fn departs(&mut self, who: u32) {
        let person = &mut self.people[who as usize];
        if person.state == State::Gone {
            return;
        }
        let (searched, since) = (person.state == State::Searching, person.since);
        person.state = State::Gone;
        person.doing += 1;
        self.online[person.region as usize] -= 1;
        if searched && person.counts {
            self.tally.gave_up += 1;
            self.waited(who, since);
        }
        let leaves = self.random.random_bool(0.5);
        self.say(who, if leaves { Say::Leave } else { Say::Away });
        self.close(who);
        self.agenda.after(2_000, Happening::Due(who, Due::Freed));
    }

    fn loses(&mut self, who: u32) {
        let life = self.people[who as usize].life;
        let again = self.some_time(KEEPS_SOCKET);
        self.agenda
            .after(again, Happening::Due(who, Due::Loses(life)));
        let person = &mut self.people[who as usize];
        let Some(socket) = person.socket else {
            return;
        };
        if self.random.random_bool(CLOSED) {
            self.close(who);
        } else {
            self.people[who as usize].socket = None;
            if let Some(found) = self.socket(socket) {
                found.alive = false;
            }
            self.agenda.after(SILENT, Happening::Closes(socket));
        }
        // What comes of that is not the server's doing.
        self.people[who as usize].counts = false;
        self.is_away(who);
    }

    fn is_away(&mut self, who: u32) {
        let away = self.random.random_range(AWAY);
        let life = self.people[who as usize].life;
        self.agenda
            .after(away, Happening::Due(who, Due::Returns(life)));
    }

    /// Comes back, to the lobby that its token names.
    fn returns(&mut self, who: u32) {
        let person = &mut self.people[who as usize];
        if person.state == State::Gone || person.socket.is_some() {
            return;
        }
        let token = person.token.as_ref();
        let address = token.and_then(|token| Some(token.expose().split_once('.')?.0));
        let to = address.and_then(|address| address.parse().ok());
        self.connect(who, to);
    }

    /// Its socket was lost at the other end.
    pub(crate) fn dropped(&mut self, socket: SocketRef) {
        let Some(found) = self.socket(socket) else {
            return;
        };
        let who = found.person;
        let alive = found.alive;
        if !alive {
            return;
        }
        self.free_socket(socket);
        if self.people[who as usize].socket == Some(socket) {
            self.people[who as usize].socket = None;
            self.is_away(who);
        }
    }

    /// `find`; once more, where what it was is lost.
    fn finds(&mut self, who: u32, again: bool) {
        let now = self.now();
        let measured = self.tally.measured;
        let person = &mut self.people[who as usize];
        let welcome = person.peer.is_some() && matches!(person.resuming, Resuming::No);
        if person.socket.is_none() || !welcome {
            // In a call that is to be over: as soon as it can be said.
            let retry = Happening::Due(who, Due::Finds(person.doing));
            self.agenda.after(1_000, retry);
            return;
        }
        person.state = State::Searching;
        person.doing += 1;
        person.partner = None;
        person.asked = now;
        if !again {
            (person.since, person.counts) = (now, measured);
            (person.stranded, person.stranded_in_all) = (0, 0);
        }
        if !std::mem::replace(&mut person.listed, true) {
            self.searchers.push(who);
        }
        let interests = person.interests.iter();
        let interests = interests.map(|interest| format!("i{interest}")).collect();
        let say = Say::Find(Box::new((person.mode, interests)));
        self.say(who, say);
    }

    fn waited(&mut self, who: u32, since: u64) {
        let waited = self.now() - since;
        let person = &self.people[who as usize];
        let kind = match person.mode {
            Mode::Text => 2,
            Mode::Video => usize::from(!person.interests.is_empty()),
        };
        self.tally.waits.note(waited);
        self.tally.waits_by[kind].note(waited);
        let stranded = u64::from(person.stranded_in_all) * 1_000;
        self.tally.stranded.note(stranded);
    }

    /// A message arrives; where it is about a partner, this is which.
    pub(crate) fn hears(
        &mut self,
        socket: SocketRef,
        message: ServerMessage<Relayed<'static>>,
        partner: u32,
    ) {
        let Some(found) = self.socket(socket).filter(|found| found.alive) else {
            return;
        };
        let who = found.person;
        if self.people[who as usize].socket != Some(socket) {
            return;
        }
        let (now, far) = (self.now(), self.way(socket));
        let person = &mut self.people[who as usize];
        match message {
            ServerMessage::Welcome {
                id, resume, peers, ..
            } => {
                if matches!(person.resuming, Resuming::Asked) {
                    person.resuming = Resuming::Instead(id, resume);
                } else {
                    let resumed = matches!(person.resuming, Resuming::Instead(..));
                    person.resuming = Resuming::No;
                    let moved = std::mem::take(&mut person.moved) && resumed;
                    (person.peer, person.token) = (Some(id), resume);
                    self.goes_on(who, peers.into_iter().next(), partner, moved);
                }
            }
            ServerMessage::Error { code, .. } => {
                if code == ErrorCode::BadToken
                    && let Resuming::Instead(id, token) =
                        std::mem::replace(&mut person.resuming, Resuming::No)
                {
                    (person.peer, person.token) = (Some(id), token);
                    person.moved = false;
                    self.goes_on(who, None, 0, false);
                }
            }
            ServerMessage::PeerJoined { peer, resume } => {
                // A `find` may have been on the way when it heard of the one before.
                if person.state == State::InCall && now > person.asked + 2 * far {
                    self.tally.told_of_a_second += 1;
                }
                let since = person.since;
                if resume.is_some() {
                    person.token = resume;
                }
                if person.state == State::Searching && person.counts {
                    person.counts = false;
                    self.met(who, partner, &peer);
                    self.waited(who, since);
                }
                self.talks(who, &peer, partner);
            }
            ServerMessage::PeerLeft { peer, .. } => {
                if person.state == State::InCall && person.partner == Some(peer) {
                    person.state = State::Idle;
                    person.doing += 1;
                    person.partner = None;
                    self.thinks(who);
                }
            }
            ServerMessage::StillThere {} => self.say(who, Say::Ping),
            ServerMessage::Redirect { url, resume } => {
                let to = url.strip_prefix("/v1/match/");
                let to = to.and_then(|name| name.parse().ok());
                if resume.is_some() {
                    person.token = resume;
                    person.moved = true;
                }
                self.close(who);
                self.connect(who, to);
            }
            ServerMessage::Waiting {}
            | ServerMessage::PeerAway { .. }
            | ServerMessage::PeerBack { .. }
            | ServerMessage::Room { .. }
            | ServerMessage::AskedToMute {}
            | ServerMessage::Signal { .. } => {}
        }
    }

    /// It is connected, and in this call, if in any.
    fn goes_on(&mut self, who: u32, call: Option<Peer>, partner: u32, moved: bool) {
        let person = &mut self.people[who as usize];
        match (call, person.state) {
            (Some(peer), State::InCall) if person.partner == Some(peer.id) => {}
            (Some(peer), _) => self.talks(who, &peer, partner),
            (None, State::Searching) if moved => {}
            (None, State::Searching) => self.finds(who, true),
            (None, State::InCall) => {
                person.state = State::Idle;
                person.doing += 1;
                person.partner = None;
                self.thinks(who);
            }
            (None, State::Idle) => self.finds(who, false),
            (None, State::Gone) => {}
        }
    }

    fn thinks(&mut self, who: u32) {
        let doing = self.people[who as usize].doing;
        let thinks = self.some_time(THINKS);
        self.agenda
            .after(thinks, Happening::Due(who, Due::Finds(doing)));
    }

    fn met(&mut self, who: u32, partner: u32, peer: &Peer) {
        let person = &self.people[who as usize];
        let theirs = &self.people[partner as usize];
        self.tally.own_region.note(person.region == theirs.region);
        if !person.interests.is_empty() {
            self.tally.shared.note(!peer.interests.is_empty());
        }
    }

    fn talks(&mut self, who: u32, peer: &Peer, partner: u32) {
        let person = &mut self.people[who as usize];
        person.state = State::InCall;
        person.doing += 1;
        person.partner = Some(peer.id);
        person.partner_person = partner;
        person.half_call = 0;
        if person.recent[0] != Some(peer.id) {
            person.recent.rotate_right(1);
            person.recent[0] = Some(peer.id);
        }
        let doing = person.doing;
        // One of the two, whoever comes first.
        let until = self.some_time(2.0 * CALL);
        self.agenda
            .after(until, Happening::Due(who, Due::Finds(doing)));
        if self.setup.signals > 0 {
            self.say(who, Say::Signals(doing));
        }
    }

    pub(crate) fn everybody_leaves(&mut self) {
        self.closing = true;
        for who in 0..self.people.len() as u32 {
            let life = self.people[who as usize].life;
            let within = self.random.random_range(0..10_000);
            self.agenda
                .after(within, Happening::Due(who, Due::Departs(life)));
        }
    }
}
