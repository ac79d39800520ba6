//! Several lobbies and the directory on one virtual clock, what goes between them, and clients that follow redirects.

use std::collections::BTreeMap;

use echomingle::core::directory::{Advice, Directory, Report};
use echomingle::core::id::PeerId;
use echomingle::core::layout::{Budget, Known, Layout, LobbyName};
use echomingle::core::lobby::Lobby;
use echomingle::core::protocol::{ClientMessage, Mode, ServerMessage};
use echomingle::core::redacted::Redacted;
use echomingle::core::region::Region;
use echomingle::core::resume::Key;
use echomingle::core::time::{Millis, Timestamp};
use serde_json::{Value, json};

use super::{HandOver, Heard, Script, at_millis, find, welcome};

/// What goes from one object to another. A Worker asks as a lobby reports, and is answered as that is advised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leg {
    Report,
    Advice,
    Question,
    Answer,
}

/// How many milliseconds each leg takes, and how many a client, where nothing else is said.
pub(crate) const LEG: u64 = 20;
pub(crate) const CLIENT: u64 = 200;

/// What is under way.
enum Mail {
    Report(Report),
    Advice(LobbyName, Advice),
    Question(LobbyName, HandOver),
    Answer(LobbyName, PeerId, u64, Option<Redacted>),
    Follows(PeerId, LobbyName, Option<String>),
    Look(usize),
    Layout(usize, Layout),
}

/// For how long a Worker takes the layout as it is.
const FRESH: u64 = 10_000;

/// An instance of the Worker: what it knows, and when it asked last.
struct Instance {
    known: Known,
    asked: Option<u64>,
}

/// All of it.
pub(crate) struct Several {
    lobbies: BTreeMap<LobbyName, Script<Lobby>>,
    instances: Vec<Instance>,
    pub(crate) directory: Directory,
    pub(crate) budget: Budget,
    /// After how many milliseconds what goes this way arrives, each time that it does.
    pub(crate) network: Box<dyn FnMut(Leg) -> Vec<u64>>,
    /// After how many milliseconds somebody follows a redirect, if it does.
    pub(crate) client: Box<dyn FnMut(PeerId) -> Option<u64>>,
    /// Whether every object is thrown out of memory after each event.
    pub(crate) sleepy: bool,
    /// Where the socket of each is, and where in the world it comes from.
    pub(crate) at: BTreeMap<PeerId, (LobbyName, Region)>,
    mail: BTreeMap<(u64, u64), Mail>,
    mailed: u64,
    pub(crate) elapsed: u64,
    connected: u64,
    heard: Vec<Heard>,
    /// When each lobby told what, whether it arrived or not.
    pub(crate) told: Vec<(u64, Report)>,
    /// Who was to move, when.
    pub(crate) moved: Vec<(u64, PeerId, LobbyName)>,
    /// When the directory has changed the layout, and what it was before.
    pub(crate) changed: Vec<(u64, [Layout; 2])>,
    /// What was asked of other lobbies, whether it arrived or not.
    pub(crate) questions: Vec<HandOver>,
    /// Who followed, and who it was until it took its seat.
    pub(crate) followed: Vec<(PeerId, PeerId)>,
}

pub(crate) fn named(name: &str) -> LobbyName {
    name.parse().unwrap()
}

/// `to` hears where to go.
pub(crate) fn redirected(to: PeerId, lobby: &str) -> Heard {
    let url = format!("/v1/match/{lobby}");
    (to, ServerMessage::Redirect { url, resume: None })
}

/// A directory with these lobbies in use beside `global`.
pub(crate) fn divided(lobbies: &[&str]) -> Directory {
    let shares: BTreeMap<LobbyName, u32> = lobbies.iter().map(|&name| (named(name), 0)).collect();
    let shares: Vec<_> = shares.into_iter().collect();
    let layout = json!({ "version": 1, "shares": shares });
    let changed = [(); Region::COUNT].map(|()| Value::Null);
    let planner = json!({ "layout": layout, "over": [], "under": [], "changed": changed });
    serde_json::from_value(json!({ "planner": planner, "lobbies": [] })).unwrap()
}

impl Several {
    /// Nobody is there, and the directory knows nothing. The layout stays as it is.
    pub(crate) fn new() -> Self {
        Self {
            lobbies: BTreeMap::new(),
            instances: Vec::new(),
            directory: Directory::default(),
            budget: Budget {
                under: Millis::new(u64::MAX),
                ..Budget::default()
            },
            network: Box::new(|_| vec![LEG]),
            client: Box::new(|_| Some(CLIENT)),
            sleepy: false,
            at: BTreeMap::new(),
            mail: BTreeMap::new(),
            mailed: 0,
            elapsed: 0,
            connected: 0,
            heard: Vec::new(),
            told: Vec::new(),
            moved: Vec::new(),
            changed: Vec::new(),
            questions: Vec::new(),
            followed: Vec::new(),
        }
    }

    /// Likewise, with every object thrown out of memory after each event.
    pub(crate) fn sleepy(sleepy: bool) -> Self {
        Self {
            sleepy,
            ..Self::new()
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        at_millis(self.elapsed)
    }

    pub(crate) fn names(&self) -> Vec<LobbyName> {
        self.lobbies.keys().copied().collect()
    }

    /// A lobby, which is there as soon as it is asked for. Each has its own key.
    pub(crate) fn lobby(&mut self, name: LobbyName) -> &mut Script<Lobby> {
        let elapsed = self.elapsed;
        self.lobbies.entry(name).or_insert_with(|| {
            let mut key = [0; Key::BYTES];
            for (place, byte) in name.to_string().bytes().enumerate() {
                key[place] = byte;
            }
            let mut script = Script::of(move || Lobby::among_others(name, Key::new(key)));
            script.passes(elapsed);
            script
        })
    }

    /// Something happens at a lobby.
    pub(crate) fn happens(&mut self, name: LobbyName, event: impl FnOnce(&mut Script<Lobby>)) {
        let script = self.lobby(name);
        let tokens = script.tokens.len();
        event(script);
        let heard = script.heard();
        let given = script.tokens[tokens..].to_vec();
        let reports = std::mem::take(&mut script.reports);
        let hand_overs = std::mem::take(&mut script.hand_overs);
        let evicted = std::mem::take(&mut script.evicted);
        for peer in evicted {
            if self.at.get(&peer).is_some_and(|(at, _)| *at == name) {
                self.at.remove(&peer);
            }
        }
        for report in reports {
            self.told.push((self.elapsed, report.clone()));
            self.mails(Leg::Report, || Mail::Report(report.clone()));
        }
        for hand_over in hand_overs {
            self.moved.push((self.elapsed, hand_over.0, hand_over.2));
            self.questions.push(hand_over.clone());
            self.mails(Leg::Question, || Mail::Question(name, hand_over.clone()));
        }
        for (to, message) in heard {
            if let ServerMessage::Redirect { url, .. } = &message {
                let lobby = url.strip_prefix("/v1/match/").unwrap();
                let of = format!("{lobby}.");
                let mut given = given.iter().rev();
                let given = given.find(|(owner, token)| *owner == to && token.starts_with(&of));
                let token = given.map(|(_, token)| token.clone());
                if let Some(delay) = (self.client)(to) {
                    self.mail(delay, Mail::Follows(to, named(lobby), token));
                }
            }
            self.heard.push((to, message));
        }
        if self.sleepy && !self.asks(name) {
            self.lobby(name).sleeps();
        }
    }

    /// Whether a lobby has asked the directory and was not answered yet: such an object is not thrown out of memory.
    fn asks(&self, name: LobbyName) -> bool {
        self.mail.values().any(|mail| match mail {
            Mail::Report(report) => report.lobby == name,
            Mail::Advice(lobby, _) => *lobby == name,
            Mail::Question(..)
            | Mail::Answer(..)
            | Mail::Follows(..)
            | Mail::Look(_)
            | Mail::Layout(..) => false,
        })
    }

    fn mails(&mut self, leg: Leg, mail: impl Fn() -> Mail) {
        for delay in (self.network)(leg) {
            self.mail(delay, mail());
        }
    }

    fn mail(&mut self, delay: u64, mail: Mail) {
        self.mailed += 1;
        let at = (self.elapsed + delay, self.mailed);
        self.mail.insert(at, mail);
    }

    fn arrives(&mut self, mail: Mail) {
        match mail {
            Mail::Report(report) => {
                let lobby = report.lobby;
                let now = self.now();
                let reminds = report.layout.is_some();
                let before = self.directory.layout().clone();
                let advice = self.directory.hear(report, &self.budget, now);
                assert!(
                    before.version <= advice.layout.version,
                    "an old layout is back"
                );
                if !reminds {
                    self.notes_change_from(before);
                }
                if self.sleepy {
                    self.directory = Directory::from_kept(&self.directory.kept());
                }
                self.mails(Leg::Advice, || Mail::Advice(lobby, advice.clone()));
            }
            Mail::Advice(lobby, advice) => {
                self.happens(lobby, |script| script.is_advised(advice));
            }
            Mail::Question(from, (peer, number, to, arrival)) => {
                let now = self.now();
                let token = self.lobby(to).actor.expect(&arrival, now);
                let answer = || Mail::Answer(from, peer, number, token.clone());
                self.mails(Leg::Answer, answer);
            }
            Mail::Answer(lobby, peer, number, token) => {
                self.happens(lobby, |script| script.is_expected(peer, number, token));
            }
            Mail::Follows(peer, lobby, token) => self.follows(peer, lobby, token),
            Mail::Look(instance) => {
                let now = self.now();
                let before = self.directory.layout().clone();
                self.directory.review(&self.budget, now);
                self.notes_change_from(before);
                let layout = self.directory.layout().clone();
                self.mails(Leg::Advice, || Mail::Layout(instance, layout.clone()));
            }
            Mail::Layout(instance, layout) => {
                let now = self.now();
                self.instances[instance].known.hear(layout, now);
            }
        }
    }

    fn notes_change_from(&mut self, before: Layout) {
        let after = self.directory.layout();
        if after.version != before.version {
            self.changed.push((self.elapsed, [before, after.clone()]));
        }
    }

    /// Somebody visits an instance of the Worker, which says where to go by what it knows, and asks aside if that is
    /// old.
    pub(crate) fn visits(&mut self, instance: usize, region: Region, random: u64) -> LobbyName {
        while self.instances.len() <= instance {
            let known = Known::nothing();
            self.instances.push(Instance { known, asked: None });
        }
        let now = self.elapsed;
        let it = &mut self.instances[instance];
        let lobby = it.known.layout().choose(region, random);
        if it.asked.is_none_or(|at| at + FRESH <= now) {
            it.asked = Some(now);
            self.mails(Leg::Report, || Mail::Look(instance));
        }
        lobby
    }

    /// Somebody goes to another lobby, and takes its place there by this token or the latest of its own.
    fn follows(&mut self, peer: PeerId, lobby: LobbyName, token: Option<String>) {
        let region = self.at.get(&peer).map(|&(_, region)| region);
        self.drops(peer);
        let by = self.connects(lobby, region.unwrap_or_default());
        self.followed.push((peer, by));
        let token = token.expect("a token, or the scene follows by hand");
        self.happens(lobby, |script| script.resumes(by, &token));
        if self.lobby(lobby).attachments.contains_key(&peer) {
            self.at.remove(&by);
            self.at.insert(peer, (lobby, region.unwrap_or_default()));
        }
    }

    /// Somebody connects, and is welcomed.
    pub(crate) fn connects(&mut self, lobby: LobbyName, region: Region) -> PeerId {
        self.connected += 1;
        let number = self.connected;
        let peer = PeerId::from_random(number);
        let before = self.heard.len();
        self.at.insert(peer, (lobby, region));
        self.happens(lobby, |script| {
            script.connects_from(number, region);
        });
        let place = self.heard[before..]
            .iter()
            .position(|heard| *heard == welcome(peer));
        self.heard
            .remove(before + place.expect("whoever connects is welcomed"));
        peer
    }

    /// Somebody says something where it is.
    pub(crate) fn sends(&mut self, peer: PeerId, message: &ClientMessage<Value>) {
        let (lobby, _) = self.at[&peer];
        self.happens(lobby, |script| script.sends(peer, message));
    }

    pub(crate) fn finds(&mut self, peer: PeerId, mode: Mode, interests: &[&str]) {
        self.sends(peer, &find(mode, interests));
    }

    pub(crate) fn leaves(&mut self, peer: PeerId) {
        self.sends(peer, &ClientMessage::Leave {});
    }

    /// Somebody's socket is gone, if there is one.
    pub(crate) fn drops(&mut self, peer: PeerId) {
        if let Some((lobby, _)) = self.at.remove(&peer) {
            self.happens(lobby, |script| script.drops(peer));
        }
    }

    /// Whoever was to follow a redirect never does.
    pub(crate) fn stops(&mut self, who: PeerId) {
        self.mail
            .retain(|_, mail| !matches!(mail, Mail::Follows(peer, ..) if *peer == who));
    }

    /// When something is to happen next.
    pub(crate) fn next(&self) -> Option<u64> {
        let alarms = self.lobbies.values().filter_map(Script::alarm_in);
        let alarms = alarms.map(|span| self.elapsed + span);
        let mail = self.mail.keys().next().map(|&(at, _)| at);
        alarms.chain(mail).min()
    }

    /// Time passes, and everything happens when it is due.
    pub(crate) fn passes(&mut self, millis: u64) {
        let until = self.elapsed + millis;
        let mut busy = 0;
        while let Some(next) = self.next().filter(|&at| at <= until) {
            busy = if next > self.elapsed { 0 } else { busy + 1 };
            assert!(busy < 1_000, "it never ends");
            self.goes_on(next);
            while let Some((&at, _)) = self.mail.first_key_value()
                && at.0 <= self.elapsed
            {
                let mail = self.mail.remove(&at).unwrap();
                self.arrives(mail);
            }
        }
        self.goes_on(until);
    }

    fn goes_on(&mut self, to: u64) {
        let span = to - self.elapsed;
        self.elapsed = to;
        for name in self.names() {
            self.happens(name, |script| script.passes(span));
        }
    }

    /// What was heard since this was asked last.
    pub(crate) fn heard(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.heard)
    }

    /// How many are connected, wait, and are in calls, as the lobbies say.
    pub(crate) fn counts(&mut self) -> (u32, u32, u32) {
        let mut sum = (0, 0, 0);
        for name in self.names() {
            let (online, waiting, calls) = self.counts_of(name);
            sum = (sum.0 + online, sum.1 + waiting, sum.2 + calls);
        }
        sum
    }

    /// Likewise, as one of them says.
    pub(crate) fn counts_of(&mut self, name: LobbyName) -> (u32, u32, u32) {
        let script = self.lobby(name);
        if !script.restored {
            script.restores();
        }
        super::pair::stats(script)
    }

    /// And as the directory says.
    pub(crate) fn counted(&self) -> (u32, u32, u32) {
        let stats = self.directory.stats(self.now());
        (stats.online, stats.waiting, stats.calls)
    }
}
