//! A lobby or a room on a virtual clock, and what its people say and hear: the script that the core's
//! tests are written in. It does what the shell does with effects, and nothing that a real object could
//! not do.

#![allow(dead_code, reason = "each test crate uses its own part of the script")]

pub(crate) mod lobby_world;
pub(crate) mod pair;
pub(crate) mod party;
pub(crate) mod room_world;
pub(crate) mod several;
pub(crate) mod world;

use std::collections::BTreeMap;

use echomingle::core::actor::{Actor, Effect, Event, SavedSeat};
use echomingle::core::directory::{Advice, Report};
use echomingle::core::id::PeerId;
use echomingle::core::layout::LobbyName;
use echomingle::core::note::Note;
use echomingle::core::protocol::{
    ClientMessage, ErrorCode, LeaveReason, Mode, Peer, Role, ServerMessage, VERSION, parse,
};
use echomingle::core::redacted::Redacted;
use echomingle::core::region::Region;
use echomingle::core::resume::{GRACE, Key};
use echomingle::core::time::{Millis, Timestamp};
use serde_json::{Value, json};

/// What the tokens of every script are signed with.
pub(crate) const KEY: Key = Key::new([7; Key::BYTES]);

/// Who heard what, without the tokens.
pub(crate) type Heard = (PeerId, ServerMessage<Value>);

/// A lobby or a room, its sockets' attachments, its alarm and its clock.
pub(crate) struct Script<A> {
    pub(crate) actor: A,
    empty: Box<dyn Fn() -> A>,
    /// Whether the actor has every seat, and not only those that a signal took since it slept.
    pub(crate) restored: bool,
    /// What each socket remembers.
    pub(crate) attachments: BTreeMap<PeerId, Vec<u8>>,
    /// Those whose network is gone, and since when. Neither end knows.
    silent: BTreeMap<PeerId, Timestamp>,
    alarm: Option<Timestamp>,
    elapsed: u64,
    heard: Vec<Heard>,
    /// How often the alarm went off.
    pub(crate) alarms: u32,
    /// Every token that was given to anybody, latest last.
    pub(crate) tokens: Vec<(PeerId, String)>,
    /// How many have come back.
    returned: u64,
    /// Whether signals that are relayed go the short way.
    short: bool,
    /// All that was counted.
    pub(crate) notes: Vec<Note>,
    /// Whose sockets were given up, since this was looked at last.
    pub(crate) evicted: Vec<PeerId>,
    /// What the directory was told, since this was looked at last.
    pub(crate) reports: Vec<Report>,
    /// Who is to move: which of its moves it is, where to, and what is to be known of it there.
    pub(crate) hand_overs: Vec<HandOver>,
}

/// Who is to move to another lobby: which of its moves it is, where to, and what is to be known of it there.
pub(crate) type HandOver = (PeerId, u64, LobbyName, Vec<u8>);

impl<A: Actor> Script<A> {
    /// Nobody is there. An empty actor is made now, and again after every sleep.
    pub(crate) fn of(empty: impl Fn() -> A + 'static) -> Self {
        Self {
            actor: empty(),
            empty: Box::new(empty),
            restored: true,
            attachments: BTreeMap::new(),
            silent: BTreeMap::new(),
            alarm: None,
            elapsed: 0,
            heard: Vec::new(),
            alarms: 0,
            tokens: Vec::new(),
            returned: 0,
            short: true,
            notes: Vec::new(),
            evicted: Vec::new(),
            reports: Vec::new(),
            hand_overs: Vec::new(),
        }
    }

    /// The actor handles every message, even what could go the short way.
    pub(crate) fn the_long_way(mut self) -> Self {
        self.short = false;
        self
    }

    /// So many people connect, and are welcomed.
    pub(crate) fn with<const N: usize>(empty: impl Fn() -> A + 'static) -> (Self, [PeerId; N]) {
        let mut script = Self::of(empty);
        let mut number = 0;
        let people = [(); N].map(|()| {
            number += 1;
            script.connects(number)
        });
        assert_eq!(script.heard(), people.map(welcome));
        (script, people)
    }

    /// Somebody connects; `number` becomes the id.
    pub(crate) fn connects(&mut self, number: u64) -> PeerId {
        self.connects_from(number, Region::default())
    }

    /// Likewise, from somewhere in the world.
    pub(crate) fn connects_from(&mut self, number: u64, region: Region) -> PeerId {
        let peer = PeerId::from_random(number);
        self.happens(Event::Connected { peer, region });
        peer
    }

    /// The directory has answered.
    pub(crate) fn is_advised(&mut self, advice: Advice) {
        self.happens(Event::Advised(advice));
    }

    /// Another lobby has answered.
    pub(crate) fn is_expected(&mut self, peer: PeerId, number: u64, token: Option<Redacted>) {
        self.happens(Event::Expected {
            peer,
            number,
            token,
        });
    }

    /// Somebody sends a frame. What is relayed goes the short way, as in the shell, unless it is not to.
    pub(crate) fn says(&mut self, peer: PeerId, frame: &str) {
        self.silent.remove(&peer);
        match parse(frame) {
            Ok(ClientMessage::Signal { to, data }) if self.short && self.relays(peer, to) => {
                let message = ServerMessage::Signal { from: peer, data };
                self.perform(vec![Effect::Send { to, message }]);
            }
            Ok(message) => self.happens(Event::Received { peer, message }),
            Err(rejection) => self.perform(Effect::reject(peer, &rejection)),
        }
    }

    /// Somebody sends a message of the protocol.
    pub(crate) fn sends(&mut self, peer: PeerId, message: &ClientMessage<Value>) {
        self.says(peer, &serde_json::to_string(message).unwrap());
    }

    /// Somebody searches.
    pub(crate) fn finds(&mut self, peer: PeerId, mode: Mode, interests: &[&str]) {
        self.sends(peer, &find(mode, interests));
    }

    /// Somebody has prepared another offer.
    pub(crate) fn renews(&mut self, peer: PeerId, offer: &str) {
        let offer = offer.into();
        self.sends(peer, &ClientMessage::Offer { offer });
    }

    /// Somebody enters the room, or goes by another name in it.
    pub(crate) fn joins(&mut self, peer: PeerId, name: Option<&str>) {
        let name = name.map(Into::into);
        self.sends(peer, &ClientMessage::Join { name });
    }

    /// Somebody signals the number 1.
    pub(crate) fn signals(&mut self, peer: PeerId, to: PeerId) {
        let data = json!(1);
        self.sends(peer, &ClientMessage::Signal { to, data });
    }

    /// Somebody locks the room, or unlocks it.
    pub(crate) fn locks(&mut self, peer: PeerId, on: bool) {
        self.sends(peer, &ClientMessage::Lock { on });
    }

    /// Somebody asks somebody to mute itself.
    pub(crate) fn asks_to_mute(&mut self, by: PeerId, peer: PeerId) {
        self.sends(by, &ClientMessage::AskToMute { peer });
    }

    /// Somebody puts somebody out of the room.
    pub(crate) fn removes(&mut self, by: PeerId, peer: PeerId) {
        self.sends(by, &ClientMessage::Remove { peer });
    }

    /// Somebody gets nothing from somebody any more.
    pub(crate) fn misses(&mut self, by: PeerId, peer: PeerId) {
        self.sends(by, &ClientMessage::Missing { peer });
    }

    /// Somebody ends what it does.
    pub(crate) fn leaves(&mut self, peer: PeerId) {
        self.sends(peer, &ClientMessage::Leave {});
    }

    /// Somebody's page goes away.
    pub(crate) fn goes_away(&mut self, peer: PeerId) {
        self.sends(peer, &ClientMessage::Away {});
    }

    /// Somebody's socket is gone.
    pub(crate) fn drops(&mut self, peer: PeerId) {
        self.restores();
        self.attachments.remove(&peer);
        self.silent.remove(&peer);
        self.happens(Event::Disconnected { peer });
    }

    /// Somebody's network is gone, and neither end knows.
    pub(crate) fn falls_silent(&mut self, peer: PeerId) {
        let now = self.now();
        self.silent.entry(peer).or_insert(now);
    }

    /// Somebody takes a seat by a token.
    pub(crate) fn resumes(&mut self, by: PeerId, token: &str) {
        let token = token.into();
        self.sends(by, &ClientMessage::Resume { token });
    }

    /// Somebody connects anew, which gives it another id, and takes the seat of `peer` by its latest token.
    pub(crate) fn comes_back(&mut self, peer: PeerId) -> PeerId {
        self.returned += 1;
        let by = self.connects(RETURNED + self.returned);
        let token = self.token(peer);
        self.resumes(by, &token);
        by
    }

    /// The latest token that somebody was given.
    pub(crate) fn token(&self, peer: PeerId) -> String {
        let mut tokens = self.tokens.iter().rev();
        let (_, token) = tokens.find(|(owner, _)| *owner == peer).unwrap();
        token.clone()
    }

    /// In how many milliseconds the alarm goes off.
    pub(crate) fn alarm_in(&self) -> Option<u64> {
        Some(self.alarm?.since(self.now()).get())
    }

    /// Time passes, and the alarm goes off whenever it is due.
    pub(crate) fn passes(&mut self, millis: u64) {
        let until = self.elapsed + millis;
        while let Some(at) = self.alarm
            && at <= at_millis(until)
        {
            self.elapsed = self.elapsed.max(at.unix_millis() - START);
            self.alarm = None;
            self.alarms += 1;
            self.happens(Event::Woken);
        }
        self.elapsed = until;
    }

    /// The object is thrown out of memory, and made again of what the sockets remember.
    pub(crate) fn forgets(&mut self) {
        self.sleeps();
        self.restores();
    }

    /// The object is thrown out of memory. What the sockets remember is read when it is needed.
    pub(crate) fn sleeps(&mut self) {
        self.actor = (self.empty)();
        self.restored = false;
    }

    /// The actor needs every seat.
    pub(crate) fn restores(&mut self) {
        if self.restored {
            return;
        }
        for peer in self.attachments.keys().copied().collect::<Vec<_>>() {
            self.recalls(peer);
        }
        self.restored = true;
        let effects = self.actor.restore(self.now());
        self.perform(effects);
    }

    /// Whether there is such a socket, whose seat the actor has from now on.
    fn recalls(&mut self, peer: PeerId) -> bool {
        let attachment = self.attachments.get(&peer);
        if let Some(attachment) = attachment.filter(|_| !self.actor.knows(peer)) {
            self.actor.recall(SavedSeat::read(attachment).unwrap());
        }
        attachment.is_some()
    }

    /// Whether a signal goes the short way, for which a sleeping object needs two seats.
    fn relays(&mut self, from: PeerId, to: PeerId) -> bool {
        let there = self.restored || self.recalls(from);
        there && self.actor.relays(from, to) && (self.restored || self.recalls(to))
    }

    /// A socket is gone and the object with it, so that nobody was told.
    pub(crate) fn loses(&mut self, peer: PeerId) {
        self.attachments.remove(&peer);
        self.silent.remove(&peer);
        self.forgets();
    }

    /// Every socket is cut at once, and the object is made anew.
    pub(crate) fn deploys(&mut self) {
        self.attachments.clear();
        self.silent.clear();
        self.forgets();
    }

    /// The length of what a socket remembers.
    pub(crate) fn remembers(&self, peer: PeerId) -> usize {
        self.attachments[&peer].len()
    }

    /// The virtual time.
    pub(crate) fn now(&self) -> Timestamp {
        at_millis(self.elapsed)
    }

    /// What was heard since this was asked last.
    pub(crate) fn heard(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.heard)
    }

    fn happens(&mut self, event: Event<'_>) {
        self.restores();
        let now = self.now();
        let (attachments, silent) = (&self.attachments, &self.silent);
        let heard = |peer| {
            let connected = attachments.contains_key(&peer);
            connected.then(|| silent.get(&peer).copied().unwrap_or(now))
        };
        let effects = self.actor.handle(event, now, &heard);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect<'_>>) {
        for effect in effects {
            match effect {
                Effect::Send { to, message } => {
                    let frame = serde_json::to_string(&message).unwrap();
                    let mut message = serde_json::from_str(&frame).unwrap();
                    self.keeps_token(to, &mut message);
                    self.heard.push((to, message));
                }
                Effect::Save { peer } => {
                    if let Some(attachment) = self.actor.attachment(peer, self.now()) {
                        self.attachments.insert(peer, attachment);
                    }
                }
                Effect::Close { peer, .. } => self.drops(peer),
                Effect::Evict { peer } => {
                    let attachment = self.attachments.remove(&peer);
                    assert!(attachment.is_some(), "{peer:?} is evicted and not there");
                    self.silent.remove(&peer);
                    self.evicted.push(peer);
                }
                Effect::Rename { from, to } => {
                    let attachment = self.attachments.remove(&from).expect("a socket");
                    let other = self.attachments.insert(to, attachment);
                    assert_eq!(other, None, "two sockets of {to:?}");
                    if let Some(since) = self.silent.remove(&from) {
                        self.silent.insert(to, since);
                    }
                }
                Effect::Count(note) => self.notes.push(note),
                Effect::WakeAt(at) => self.alarm = Some(at.max(self.now())),
                Effect::Report(report) => self.reports.push(report),
                Effect::HandOver {
                    peer,
                    number,
                    to,
                    arrival,
                } => self.hand_overs.push((peer, number, to, arrival)),
            }
        }
    }

    /// Takes the token out of a message that has to carry one, for its owner to keep.
    fn keeps_token(&mut self, owner: PeerId, message: &mut ServerMessage<Value>) {
        if let ServerMessage::Redirect { resume, .. } = message {
            let token = resume.take();
            let token = token.map(|token| (owner, token.expose().into()));
            self.tokens.extend(token);
        }
        if let ServerMessage::Welcome { resume, .. }
        | ServerMessage::PeerJoined { resume, .. }
        | ServerMessage::Room { resume, .. } = message
        {
            let token = resume.take().expect("a token");
            self.tokens.push((owner, token.expose().into()));
        }
    }
}

/// Those who come back are numbered from here.
const RETURNED: u64 = 1_000;

/// When every script begins; any time will do but the epoch, which hides a missing time.
const START: u64 = 1_800_000_000_000;

fn at_millis(elapsed: u64) -> Timestamp {
    Timestamp::from_unix_millis(START).after(Millis::new(elapsed))
}

/// A search.
pub(crate) fn find(mode: Mode, interests: &[&str]) -> ClientMessage<Value> {
    ClientMessage::Find {
        mode,
        interests: interests.iter().map(|&interest| interest.into()).collect(),
        offer: None,
        crosses: false,
        last: None,
    }
}

/// A search with a prepared offer.
pub(crate) fn find_with(offer: &str) -> ClientMessage<Value> {
    ClientMessage::Find {
        mode: Mode::Video,
        interests: Vec::new(),
        offer: Some(offer.into()),
        crosses: false,
        last: None,
    }
}

/// `to` hears who it is.
pub(crate) fn welcome(to: PeerId) -> Heard {
    welcome_back(to, Vec::new())
}

/// `to` hears who it is, and who is in its call.
pub(crate) fn welcome_back(to: PeerId, peers: Vec<Peer>) -> Heard {
    let message = ServerMessage::Welcome {
        id: to,
        resume: None,
        grace_ms: u32::try_from(GRACE.get()).unwrap(),
        version: VERSION,
        peers,
    };
    (to, message)
}

/// `to` hears that `peer` is away.
pub(crate) fn away(to: PeerId, peer: PeerId) -> Heard {
    (to, ServerMessage::PeerAway { peer })
}

/// `to` hears that `peer` is back.
pub(crate) fn back(to: PeerId, peer: PeerId) -> Heard {
    (to, ServerMessage::PeerBack { peer })
}

/// `to` hears that somebody claims its seat.
pub(crate) fn still_there(to: PeerId) -> Heard {
    (to, ServerMessage::StillThere {})
}

/// `to` hears that it waits.
pub(crate) fn waiting(to: PeerId) -> Heard {
    (to, ServerMessage::Waiting {})
}

/// `to` hears of `peer`, towards whom it has `role`.
pub(crate) fn joined(to: PeerId, peer: PeerId, role: Role) -> Heard {
    joined_with(to, peer, role, &[], None)
}

/// `to` hears of `peer`, of what they share, and perhaps gets its offer.
pub(crate) fn joined_with(
    to: PeerId,
    peer: PeerId,
    role: Role,
    interests: &[&str],
    offer: Option<&str>,
) -> Heard {
    let peer = Peer {
        interests: interests.iter().map(|&interest| interest.into()).collect(),
        offer: offer.map(Into::into),
        ..other((peer, None), role)
    };
    (to, ServerMessage::PeerJoined { peer, resume: None })
}

/// Somebody, and the name it goes by.
pub(crate) type Named<'a> = (PeerId, Option<&'a str>);

/// Somebody as another one hears of it, who has `role` towards it.
pub(crate) fn other((id, name): Named<'_>, role: Role) -> Peer {
    Peer {
        id,
        role,
        name: name.map(Into::into),
        interests: Vec::new(),
        offer: None,
        crossed: false,
    }
}

/// A member of a room and a newcomer hear of each other.
pub(crate) fn introduced(member: Named<'_>, newcomer: Named<'_>) -> [Heard; 2] {
    // Which of them offers is said here and nowhere else.
    let (members, newcomers) = (Role::Offerer, Role::Answerer);
    [(member, newcomer, members), (newcomer, member, newcomers)].map(|((to, _), whom, role)| {
        let peer = other(whom, role);
        (to, ServerMessage::PeerJoined { peer, resume: None })
    })
}

/// `to` hears how its room stands.
pub(crate) fn room(to: PeerId, host: PeerId, locked: bool, capacity: u32) -> Heard {
    let message = ServerMessage::Room {
        host,
        locked,
        capacity,
        resume: None,
    };
    (to, message)
}

/// `to` hears that it should mute itself.
pub(crate) fn asked_to_mute(to: PeerId) -> Heard {
    (to, ServerMessage::AskedToMute {})
}

/// Both hear of each other; the first one offers.
pub(crate) fn meet(offerer: PeerId, answerer: PeerId) -> [Heard; 2] {
    [
        joined(answerer, offerer, Role::Answerer),
        joined(offerer, answerer, Role::Offerer),
    ]
}

/// `to` hears that `peer` is gone.
pub(crate) fn left(to: PeerId, peer: PeerId, reason: LeaveReason) -> Heard {
    (to, ServerMessage::PeerLeft { peer, reason })
}

/// `to` hears what `from` signaled.
pub(crate) fn signal(to: PeerId, from: PeerId, data: Value) -> Heard {
    (to, ServerMessage::Signal { from, data })
}

/// The codes of the errors that were heard; anything else fails.
pub(crate) fn errors(heard: Vec<Heard>) -> Vec<(PeerId, ErrorCode)> {
    let code = |(to, message)| match message {
        ServerMessage::Error { code, .. } => (to, code),
        other => panic!("{to:?} heard {other:?} instead of an error"),
    };
    heard.into_iter().map(code).collect()
}

/// Bytes as they are compared by eye.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
