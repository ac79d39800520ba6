//! Somebody who talks, loses its socket and comes back, and knows what it may hear.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use echomingle::core::region::Region;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::line::{Headers, Line, network};
use super::truth::{Shared, Truth, add};
use crate::place::cf_blob;

/// How often somebody does something, in ms, at random between these: a few may be quick, and thousands are not to
/// overload the core of the server.
const PAUSE: [u64; 2] = [4_000, 16_000];
const SHORT_PAUSE: [u64; 2] = [1_000, 4_000];
/// Where nothing is to go wrong, in µs for each of all people, so that all together do as much whatever their number.
const GENTLE_PAUSE: [u64; 2] = [2_000, 6_000];
/// How many are a few.
const FEW: usize = 1_000;
/// How often it says `ping`.
const PING: Duration = Duration::from_secs(12);
/// How often whoever is away looks whether it is invited, in ms.
const LOOKS: std::ops::Range<u64> = 500..1_500;
/// Of so many that come back one does so where the server is to choose the lobby, and is then sent on.
const ASTRAY: u32 = 8;
/// How many redirects in a row are followed (`pages/lib/signaling.js`).
const REDIRECTS: u32 = 5;
/// For how long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Messages of a flood: those that a socket may say, those that are dropped before it is closed, and as many as are
/// served meanwhile.
const FLOOD: usize = 120 + 1_000 + 2_000;
/// What whoever does not show that it lives is closed with (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;
/// Longest frame, in bytes, that may be sent.
const LONGEST: usize = 65_536;

/// Where somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Chat,
    Room(u32),
}

pub(crate) struct Person {
    number: u32,
    place: Place,
    headers: Headers,
    truth: Rc<Truth>,
    random: Xoshiro256PlusPlus,
    line: Option<Line>,
    /// A socket that it does not use any more, and has not closed.
    half_open: Option<Line>,
    id: String,
    token: Option<String>,
    links: BTreeMap<String, Shared>,
    /// Those whom it has just left; what they say may be on its way.
    former: BTreeSet<String>,
    /// In a room for all it knows.
    inside: bool,
    /// It has left the room it was in.
    left: bool,
    searches: bool,
    /// What it searches for: video, or else text.
    mode: usize,
    /// Since when it searches, wherever, and since when its lobby knows of that.
    sought: Option<Instant>,
    asked: Instant,
    waits: Option<Instant>,
    /// The address that it was sent to, and how many of these led it here.
    sent_to: Option<String>,
    redirects: u32,
    /// Its token is that of a redirect, by which it waits elsewhere, and does not yet.
    moves: bool,
    /// In which lobby it is, as its tokens say.
    lobby: String,
    /// What it said wrongly, by its kind, the code that has to come, and since when.
    expected: VecDeque<(&'static str, String, Instant)>,
    /// Somebody tries its token.
    copied: Rc<Cell<bool>>,
    /// Since when it has the socket that it has: nobody is told anything before that.
    here: Instant,
    pinged: Instant,
    answered: bool,
    counted_online: bool,
    counted_waiting: [bool; 2],
    counted_in_call: bool,
    counted_lobby: String,
}

impl Person {
    pub(crate) fn new(number: u32, place: Place, truth: &Rc<Truth>) -> Self {
        Self {
            number,
            place,
            headers: network(number),
            truth: Rc::clone(truth),
            random: Xoshiro256PlusPlus::seed_from_u64(truth.seed ^ u64::from(number) << 32),
            line: None,
            half_open: None,
            id: String::new(),
            token: None,
            links: BTreeMap::new(),
            former: BTreeSet::new(),
            inside: false,
            left: false,
            searches: false,
            mode: 0,
            sought: None,
            asked: Instant::now(),
            waits: None,
            sent_to: None,
            redirects: 0,
            moves: false,
            lobby: String::new(),
            expected: VecDeque::new(),
            copied: Rc::default(),
            here: Instant::now(),
            pinged: Instant::now(),
            answered: true,
            counted_online: false,
            counted_waiting: [false; 2],
            counted_in_call: false,
            counted_lobby: String::new(),
        }
    }

    /// Likewise, from this place in the world.
    pub(crate) fn from(mut self, region: Region) -> Self {
        self.headers.push(("cf-blob", cf_blob(region)));
        self
    }

    pub(crate) async fn live(mut self) {
        let mut next = Instant::now();
        while !self.truth.over.get() || !self.expected.is_empty() {
            self.tell_counts();
            if self.number >= self.truth.invited.get() {
                self.goes().await;
                self.rests(LOOKS).await;
                continue;
            }
            if self.line.is_none() {
                self.come().await;
                next = self.later();
                continue;
            }
            let Some(line) = &mut self.line else { continue };
            tokio::select! {
                heard = line.hear() => match heard {
                    Ok(text) => self.hears(&text).await,
                    Err(code) => self.is_cut(code),
                },
                () = tokio::time::sleep_until(next.into()) => {
                    if self.act().await.is_err() || self.pings().await.is_err() {
                        self.is_cut(None);
                    }
                    next = self.later();
                }
            }
        }
        self.goes().await;
    }

    /// Goes for good, or until it is invited again.
    async fn goes(&mut self) {
        if self.id.is_empty() {
            return;
        }
        self.half_open = None;
        self.parts();
        self.stops_searching("left");
        self.answered = true;
        self.id.clear();
        let line = self.line.take();
        self.tell_counts();
        if let Some(mut line) = line {
            let _ = line.say(r#"{"type":"leave"}"#).await;
            line.close().await;
        }
    }

    /// What the server should count of it.
    fn tell_counts(&mut self) {
        let here = self.line.is_some() && self.place == Place::Chat;
        let truth = Rc::clone(&self.truth);
        let waits = |mode| here && self.waits.is_some() && self.mode == mode;
        let [waits_for_video, waits_for_text] = [waits(0), waits(1)];
        let [counted_video, counted_text] = &mut self.counted_waiting;
        let [video, text] = &truth.waiting;
        for (counted, is, cell) in [
            (&mut self.counted_online, here, &truth.online),
            (counted_video, waits_for_video, video),
            (counted_text, waits_for_text, text),
            (
                &mut self.counted_in_call,
                here && !self.links.is_empty(),
                &truth.in_call,
            ),
        ] {
            add(cell, i64::from(is) - i64::from(*counted));
            *counted = is;
        }
        let lobby = if here { self.lobby.as_str() } else { "" };
        if self.counted_lobby != lobby {
            let mut lobbies = truth.lobbies.borrow_mut();
            let left = std::mem::replace(&mut self.counted_lobby, lobby.to_owned());
            for (lobby, by) in [(left, -1), (lobby.to_owned(), 1)] {
                if !lobby.is_empty() {
                    *lobbies.entry(lobby).or_default() += by;
                }
            }
        }
    }

    fn later(&mut self) -> Instant {
        let people = self.truth.ids.borrow().len();
        let [least, most] = match people {
            _ if !self.truth.wild => GENTLE_PAUSE.map(|micros| people as u64 * micros / 1_000),
            0..=FEW => SHORT_PAUSE,
            _ => PAUSE,
        };
        Instant::now() + Duration::from_millis(self.random.random_range(least..most))
    }

    /// As a page has it: where it was sent, or else the lobby that has its seat.
    fn path(&mut self) -> String {
        let sent_to = self.sent_to.take();
        match (self.place, self.token.as_deref().and_then(lobby_of)) {
            (Place::Room(room), _) => format!("/v1/rooms/soak-{room}"),
            (Place::Chat, _) if sent_to.is_some() => sent_to.unwrap_or_default(),
            (Place::Chat, Some(lobby)) if self.random.random_range(0..ASTRAY) > 0 => {
                format!("/v1/match/{lobby}")
            }
            (Place::Chat, _) => "/v1/match".into(),
        }
    }

    /// Takes note of a token, and of whose it is.
    fn keeps(&mut self, token: &Value) {
        if let Some(token) = token.as_str() {
            self.token = Some(token.to_owned());
            self.lobby = lobby_of(token).unwrap_or_default().to_owned();
        }
    }

    fn wrong(&self, kind: &str, detail: &str) {
        self.truth
            .wrong(kind, &format!("{} ({}): {detail}", self.number, self.id));
    }

    /// The socket is gone, and it did not do that.
    fn is_cut(&mut self, code: Option<u16>) {
        match code {
            Some(GOING_AWAY) if self.copied.get() => {}
            Some(code) => self.wrong("closed by the server", &format!("{code}")),
            None => {}
        }
        self.line = None;
        self.loses();
    }

    /// It has no socket any more that works.
    fn loses(&mut self) {
        for link in self.links.values() {
            link.borrow_mut().loses(&self.id);
        }
        self.truth.loses(&self.id);
        if let Place::Room(room) = self.place {
            *self.truth.away.borrow_mut().entry(room).or_default() += 1;
        }
        for (kind, ..) in self.expected.drain(..) {
            self.truth.count("unanswered", kind);
        }
        self.former.clear();
        self.answered = true;
        self.stops_searching("cut off");
        self.tell_counts();
    }

    /// It does not search any more, nor is it on the way to where it would.
    fn stops_searching(&mut self, why: &str) {
        if std::mem::take(&mut self.moves) {
            self.truth.count("not moved", why);
        }
        self.waits = None;
        self.sought = None;
        self.searches = false;
    }

    /// Connects, and takes its seat again if it had one.
    async fn come(&mut self) {
        if !self.truth.up.get() {
            sleep(Duration::from_millis(self.random.random_range(100..400))).await;
            return;
        }
        let path = self.path();
        let opened = Line::open(&self.truth, &path, &self.headers).await;
        let mut line = match opened {
            Ok(line) => line,
            Err(status) => {
                if let Some(status) = status {
                    self.wrong("not let in", &format!("{status}"));
                }
                sleep(Duration::from_millis(self.random.random_range(100..400))).await;
                return;
            }
        };
        let Ok(Some(welcome)) = timeout(PATIENCE, next_of(&mut line, &["welcome"])).await else {
            return;
        };
        let was = !self.id.is_empty();
        if let Some(token) = &self.token {
            for link in self.links.values() {
                link.borrow_mut().asks(&self.id);
            }
            if line.say(&resume(token)).await.is_err() {
                return;
            }
            let answers = ["welcome", "error", "redirect"];
            match timeout(PATIENCE, next_of(&mut line, &answers)).await {
                Ok(Some(answer)) if answer["type"] == "welcome" => self.is_back(&answer),
                Ok(Some(answer)) if answer["type"] == "redirect" => {
                    return self.is_sent_on(&answer);
                }
                Ok(Some(error)) => self.is_refused(&error, &welcome),
                Ok(None) => return,
                Err(_) => return self.wrong("no answer", "to resume"),
            }
        } else {
            self.is_new(&welcome);
        }
        self.half_open = None;
        self.redirects = 0;
        self.answered = true;
        self.line = Some(line);
        self.here = Instant::now();
        if let (Place::Room(room), true) = (self.place, was) {
            *self.truth.away.borrow_mut().entry(room).or_default() -= 1;
        }
    }

    fn is_new(&mut self, welcome: &Value) {
        self.links.clear();
        self.inside = false;
        self.left = false;
        self.id = text(&welcome["id"]);
        self.keeps(&welcome["resume"]);
        self.truth.ids.borrow_mut()[self.number as usize] = self.id.clone();
    }

    /// It has its seat, and everybody who was there and did not leave.
    fn is_back(&mut self, welcome: &Value) {
        self.truth.count(
            "resumed",
            match (self.moves, self.links.is_empty()) {
                (true, _) => "in another lobby",
                (false, true) => "idle",
                (false, false) => "in a call",
            },
        );
        self.asked = Instant::now();
        self.left = false;
        if text(&welcome["id"]) != self.id {
            self.wrong("another seat", &format!("{welcome}"));
        }
        self.keeps(&welcome["resume"]);
        let peers = welcome["peers"].as_array().cloned().unwrap_or_default();
        let there: BTreeSet<_> = peers.iter().map(|peer| text(&peer["id"])).collect();
        let links = std::mem::take(&mut self.links);
        for (peer, link) in links {
            link.borrow_mut().returns(&self.id);
            if there.contains(&peer) {
                self.links.insert(peer, link);
            } else {
                self.is_parted(&peer, &link, "a call that was not resumed");
            }
        }
        for peer in &peers {
            if !self.links.contains_key(&text(&peer["id"])) {
                self.is_told(peer, self.place == Place::Chat);
            }
        }
        // Where nobody else is it may have been cut off before it came in, or not; to enter twice changes nothing.
        self.inside = !self.links.is_empty();
    }

    /// Its seat is gone: that has to have a reason.
    fn is_refused(&mut self, error: &Value, welcome: &Value) {
        self.truth.count("refused", &text(&error["code"]));
        if self.moves && !self.truth.was_killed_lately() {
            self.wrong("redirect", &format!("{error} where it was sent"));
        }
        self.stops_searching("refused");
        for (peer, link) in std::mem::take(&mut self.links) {
            self.is_parted(&peer, &link, "a seat that was not given back");
            // The other side is told of nobody who comes back.
            link.borrow_mut().ends(&self.id);
        }
        self.is_new(welcome);
    }

    /// A call is over that this one did not end.
    fn is_parted(&self, peer: &str, link: &Shared, what: &str) {
        self.truth.forgets(link);
        let link = link.borrow();
        let half = !link.is_whole() && self.truth.lost_lately(peer);
        if !link.may_be_over() && !half {
            let place = self.place;
            let gone = self.truth.lost_ago(peer);
            let detail = format!("{what}; {place:?}, {link}; {peer} lost its socket {gone:?} ago");
            self.wrong("lost", &detail);
        } else if link.is_overdue() {
            self.truth.count("grace", "over");
        } else if !link.is_whole() {
            self.truth.count("grace", "half met");
        }
    }

    /// Somebody to talk to.
    fn is_told(&mut self, peer: &Value, doubled: bool) {
        let id = text(&peer["id"]);
        if doubled || self.links.contains_key(&id) {
            self.wrong(
                "doubled",
                &format!("told of {id}, beside {:?}", self.links.keys()),
            );
        }
        let link = self.truth.told(&self.id, &id, &text(&peer["role"]));
        if self.left {
            // This was on its way.
            link.borrow_mut().ends(&self.id);
            self.truth.forgets(&link);
            self.former.insert(id);
            self.token = None;
            return;
        }
        self.inside = true;
        self.links.insert(id, link);
    }

    async fn hears(&mut self, frame: &str) {
        if frame == "pong" {
            self.answered = true;
            self.truth.takes(self.pinged.elapsed());
            return;
        }
        let Ok(message) = serde_json::from_str::<Value>(frame) else {
            return self.wrong("not JSON", frame);
        };
        self.keeps(&message["resume"]);
        match message["type"].as_str().unwrap_or_default() {
            "redirect" => self.is_sent_on(&message),
            "waiting" => {
                self.arrives();
                self.waits = Some(Instant::now());
                self.former.clear();
            }
            "peer-joined" => {
                let chat = self.place == Place::Chat;
                let surplus = chat && !(self.searches && self.links.is_empty());
                if let Some(since) = self.waits.take() {
                    let waited = since.elapsed().as_secs();
                    self.truth
                        .count("waited", if waited > 20 { "longer" } else { "within 20 s" });
                }
                if chat {
                    self.searches = false;
                    if let Some(since) = self.sought.take() {
                        let since = since.max(self.truth.stirred.get());
                        let took = since.elapsed().as_secs_f64() * 1e3;
                        self.truth.searched.borrow_mut().push(took);
                    }
                    self.former.clear();
                }
                self.is_told(&message["peer"], surplus);
            }
            "signal" => self.hears_signal(&message),
            "peer-left" => self.is_left(&message),
            "still-there" => {
                if self.ping().await.is_err() {
                    self.is_cut(None);
                }
            }
            "error" => {
                let code = text(&message["code"]);
                match self.expected.pop_front() {
                    Some((kind, expected, _)) if expected == code => {
                        self.truth.count("bad", &format!("{kind}: {code}"));
                    }
                    // Who was left did not know it yet.
                    Some(other) if code == "unknown-peer" => self.expected.push_front(other),
                    None if code == "unknown-peer" => {}
                    // Who left as the server died is away for the others, and its new seat is one more.
                    None if code == "room-full" && self.truth.was_killed_lately() => {
                        self.truth.count("grace", "room full of those away");
                        self.inside = false;
                    }
                    other => self.wrong("answer", &format!("{code} and not {other:?}")),
                }
            }
            "peer-away" | "peer-back" => {
                let peer = text(&message["peer"]);
                if !self.links.contains_key(&peer) && !self.former.contains(&peer) {
                    self.wrong("stranger", frame);
                }
            }
            "room" => {}
            _ => self.wrong("unknown message", frame),
        }
    }

    /// It is to go on at another address, and is on its way.
    fn is_sent_on(&mut self, message: &Value) {
        let url = text(&message["url"]);
        self.keeps(&message["resume"]);
        let own = self.token.as_deref().and_then(lobby_of);
        if url.strip_prefix("/v1/match/") != own {
            let detail = format!("to {url:?} with a token of {own:?}");
            self.wrong("redirect", &detail);
        }
        self.redirects += 1;
        if self.redirects > REDIRECTS {
            self.wrong("redirect", &format!("{} in a row", self.redirects));
        }
        if message["resume"].is_string() {
            self.truth.count("redirects", "to search elsewhere");
            if !self.searches || self.moves {
                self.wrong("redirect", "for who does not search");
            }
            self.moves = true;
        } else {
            self.truth.count("redirects", "to its own seat");
        }
        self.waits = None;
        self.line = None;
        self.sent_to = Some(url);
    }

    /// Where it was sent it waits, as it did before.
    fn arrives(&mut self) {
        if std::mem::take(&mut self.moves) {
            self.truth.count("moved", "waits there");
        }
    }

    fn hears_signal(&mut self, message: &Value) {
        let from = text(&message["from"]);
        self.truth.count("messages", "relayed");
        match self.links.get(&from) {
            Some(link) => {
                let number = message["data"]["n"].as_u64().unwrap_or_default();
                let heard = link.borrow_mut().hears(&self.id, number);
                if let Err(why) = heard {
                    self.wrong("signal", &why);
                }
            }
            None if self.former.contains(&from) => {}
            None => self.wrong("stranger", &format!("a signal from {from}")),
        }
    }

    fn is_left(&mut self, message: &Value) {
        let peer = text(&message["peer"]);
        let reason = text(&message["reason"]);
        let Some(link) = self.links.remove(&peer) else {
            if !self.former.contains(&peer) {
                self.wrong("stranger", &format!("{peer} has left: {reason}"));
            }
            return;
        };
        self.truth.count("ended", &reason);
        if self.place == Place::Chat {
            // Its token is of what was before.
            self.token = None;
        }
        self.is_parted(&peer, &link, &format!("{peer} has left: {reason}"));
        let link = link.borrow();
        if reason != "lost" && link.is_whole() && !link.is_heard_out(&self.id) {
            self.wrong("signal", "one was said and not heard");
        }
    }

    /// Ends what it does.
    fn parts(&mut self) {
        for (peer, link) in std::mem::take(&mut self.links) {
            link.borrow_mut().ends(&self.id);
            self.former.insert(peer);
        }
        // Its token is of what was before.
        self.token = None;
        self.truth.loses(&self.id);
    }

    async fn say(&mut self, text: &str) -> Result<(), ()> {
        match &mut self.line {
            Some(line) => line.say(text).await,
            None => Ok(()),
        }
    }

    /// Asks now and then whether the connection lives. Nothing breaks before that is answered: of a socket that is
    /// reset in the moment in which the runtime answers it tells nobody (docs/soak.md).
    async fn pings(&mut self) -> Result<(), ()> {
        let patience = if self.truth.wild || self.answered {
            PING
        } else {
            PATIENCE
        };
        if self.line.is_none() || self.pinged.elapsed() < patience {
            return Ok(());
        }
        if !self.answered {
            self.wrong("no answer", "to ping");
        }
        self.ping().await
    }

    async fn ping(&mut self) -> Result<(), ()> {
        self.answered = false;
        self.pinged = Instant::now();
        self.say("ping").await
    }

    async fn act(&mut self) -> Result<(), ()> {
        self.look_around();
        let calm = self.truth.calm.get();
        if !self.links.is_empty() {
            let forgotten = self.truth.forgotten.get();
            let old = |link: &Shared| forgotten.is_some_and(|at| link.borrow().is_from_before(at));
            let old = self.links.values().any(old);
            return match self.random.random_range(0..100) {
                _ if calm && old => self.goes_on().await,
                _ if calm => self.signals(1, 40).await,
                60.. if !self.truth.wild => self.goes_on().await,
                0..60 => {
                    let length = self.random.random_range(20..1_500);
                    self.signals(3, length).await
                }
                60..74 => self.goes_on().await,
                74..77 => self.signals(20, 8_000).await,
                77..88 => self.errs().await,
                _ => self.breaks().await,
            };
        }
        match self.place {
            Place::Chat if self.waits.is_none() && !self.searches => self.finds().await,
            Place::Chat if !calm && self.truth.wild && self.random.random_range(0..20) == 0 => {
                self.breaks().await
            }
            Place::Room(room) if !self.inside => {
                // Whoever comes first into an empty room would keep out those on their way back.
                let away = self
                    .truth
                    .away
                    .borrow()
                    .get(&room)
                    .copied()
                    .unwrap_or_default();
                if away > 0 {
                    return Ok(());
                }
                self.truth.count("rooms", "entered");
                self.inside = true;
                self.left = false;
                self.say(r#"{"type":"join"}"#).await
            }
            Place::Room(_) if !calm && self.random.random_range(0..20) == 0 => self.errs().await,
            Place::Chat | Place::Room(_) => Ok(()),
        }
    }

    /// Nobody is forgotten.
    fn look_around(&mut self) {
        let killed = self.truth.killed.get();
        for link in self.links.values() {
            let link = link.borrow();
            if link.is_stale(&self.id, killed.max(self.here)) {
                let detail = format!("the other side of a call; {:?}, {link}", self.place);
                self.wrong("not told", &detail);
            }
        }
        let asked = self.expected.front().map(|(.., since)| since.elapsed());
        if asked.is_some_and(|asked| asked > PATIENCE) {
            self.wrong("no answer", &format!("to {:?}", self.expected));
            self.expected.clear();
        }
        let waits = self.waits.map(|since| since.max(killed).elapsed());
        if waits.is_some_and(|waits| waits > PATIENCE) && self.truth.all_waiting() > 3 {
            self.wrong("waits", "for longer than a minute, beside others");
        }
        let unknown = self.searches && self.waits.is_none() && self.place == Place::Chat;
        if unknown && self.asked.elapsed() > PATIENCE {
            let moved = if self.moves { "a redirect" } else { "find" };
            self.wrong("no answer", &format!("to {moved}"));
            self.asked = Instant::now();
        }
    }

    async fn finds(&mut self) -> Result<(), ()> {
        const LIKES: [&str; 6] = ["music", "films", "chess", "cooking", "rust", "trains"];
        self.mode = usize::from(self.random.random_range(0..4) == 0);
        let mode = ["video", "text"][self.mode];
        let one = LIKES[self.random.random_range(0..LIKES.len())];
        let interests = match self.random.random_range(0..3) {
            0 => format!(r#","interests":["{one}"]"#),
            1 => format!(r#","interests":["{one}","tea"],"offer":"v=0","crosses":true"#),
            _ => String::new(),
        };
        self.searches = true;
        self.asked = Instant::now();
        self.sought = Some(self.asked);
        self.waits = None;
        self.say(&format!(r#"{{"type":"find","mode":"{mode}"{interests}}}"#))
            .await
    }

    /// Leaves, or looks for somebody else.
    async fn goes_on(&mut self) -> Result<(), ()> {
        self.parts();
        match self.place {
            Place::Chat if self.random.random_range(0..3) > 0 => {
                self.truth.count("done", "next");
                self.finds().await
            }
            Place::Chat => {
                self.truth.count("done", "leave");
                self.say(r#"{"type":"leave"}"#).await
            }
            Place::Room(_) => {
                self.truth.count("done", "leave a room");
                self.inside = false;
                self.left = true;
                self.say(r#"{"type":"leave"}"#).await
            }
        }
    }

    async fn signals(&mut self, count: usize, length: usize) -> Result<(), ()> {
        let peers: Vec<_> = self.links.keys().cloned().collect();
        let peer = peers[self.random.random_range(0..peers.len())].clone();
        let pad = "x".repeat(length);
        for _ in 0..count {
            let Some(link) = self.links.get(&peer) else {
                break;
            };
            let number = {
                let mut link = link.borrow_mut();
                let side = link.side(&self.id);
                link.sent[side] += 1;
                link.sent[side]
            };
            let data = format!(r#"{{"n":{number},"pad":"{pad}"}}"#);
            self.say(&format!(
                r#"{{"type":"signal","to":"{peer}","data":{data}}}"#
            ))
            .await?;
        }
        Ok(())
    }

    /// Says something that is refused, and nothing else comes of it.
    async fn errs(&mut self) -> Result<(), ()> {
        let truth = Rc::clone(&self.truth);
        let (kind, code, frame) = match self.random.random_range(0..6) {
            0 => {
                let long = self.random.random_range(LONGEST + 1..3 * LONGEST);
                ("oversized", "too-large", Message::text("x".repeat(long)))
            }
            1 | 2 => {
                let place = self.random.random_range(0..truth.malformed.len());
                let (code, text) = &truth.malformed[place];
                ("malformed", code.as_str(), Message::text(text.clone()))
            }
            3 => ("binary", "bad-message", Message::binary(vec![0_u8; 64])),
            4 => {
                let token = match self.random.random_range(0..2) {
                    0 => "AgGx".to_owned(),
                    _ => self.token.clone().unwrap_or_default(),
                };
                ("wrong token", "bad-token", Message::text(resume(&token)))
            }
            _ => {
                let ids = self.truth.ids.borrow();
                let id = ids[self.random.random_range(0..ids.len())].clone();
                if id.is_empty() || id == self.id || self.links.contains_key(&id) {
                    return Ok(());
                }
                let text = format!(r#"{{"type":"signal","to":"{id}","data":1}}"#);
                ("to a stranger", "unknown-peer", Message::text(text))
            }
        };
        self.expected
            .push_back((kind, code.to_owned(), Instant::now()));
        self.truth.count("tried", kind);
        match &mut self.line {
            Some(line) => line.say_frame(frame).await,
            None => Ok(()),
        }
    }

    /// Something goes wrong that is nobody's fault, or that is meant ill.
    async fn breaks(&mut self) -> Result<(), ()> {
        if self.copied.get() || !self.answered {
            return Ok(());
        }
        let Some(line) = self.line.take() else {
            return Ok(());
        };
        match self.random.random_range(0..100) {
            0..30 => {
                self.truth.count("faults", "cut (FIN)");
                drop(line);
                self.loses();
            }
            30..58 => {
                self.truth.count("faults", "cut (RST)");
                line.reset();
                self.loses();
            }
            58..78 => {
                self.truth.count("faults", "half-open");
                self.half_open = Some(line);
                self.loses();
                self.rests(1_000..4_000).await;
            }
            78..94 => {
                self.truth.count("faults", "slow reader");
                self.line = Some(line);
                self.rests(2_000..6_000).await;
            }
            94..99 => {
                self.truth.count("faults", "copied token");
                self.line = Some(line);
                self.is_copied();
            }
            _ => {
                self.truth.count("faults", "flood");
                self.floods(line).await;
            }
        }
        Ok(())
    }

    async fn rests(&mut self, millis: std::ops::Range<u64>) {
        sleep(Duration::from_millis(self.random.random_range(millis))).await;
    }

    /// Its token is in other hands, while it is there itself.
    fn is_copied(&mut self) {
        let Some(token) = self.token.clone() else {
            return;
        };
        let (path, copied) = (self.path(), Rc::clone(&self.copied));
        let truth = Rc::clone(&self.truth);
        let from = self.headers.clone();
        copied.set(true);
        tokio::task::spawn_local(async move {
            if let Ok(mut line) = Line::open(&truth, &path, &from).await
                && let Ok(Some(_)) = timeout(PATIENCE, next_of(&mut line, &["welcome"])).await
                && line.say(&resume(&token)).await.is_ok()
                && let Ok(Some(answer)) =
                    timeout(PATIENCE, next_of(&mut line, &["welcome", "error"])).await
            {
                truth.count("tried", "copied token");
                match answer["code"].as_str() {
                    Some("bad-token") => truth.count("bad", "copied token: bad-token"),
                    // Whether its owner could show in time that it lives is judged at the end.
                    _ => truth.count("taken", "by a copied token"),
                }
            }
            copied.set(false);
        });
    }

    /// Says more than is served, until it is sent away, and comes again as somebody else.
    async fn floods(&mut self, mut line: Line) {
        self.parts();
        let since = Instant::now();
        let saying = async {
            for _ in 0..FLOOD {
                if line.say_frame(Message::text("{}")).await.is_err() {
                    break;
                }
            }
            loop {
                if let Err(why) = line.hear().await {
                    break why;
                }
            }
        };
        let code = timeout(PATIENCE, saying).await.ok().flatten();
        self.truth.count("tried", "flood");
        match code {
            Some(1008) => self.truth.count("bad", "flood: closed with 1008"),
            _ if !self.truth.up.get() || self.truth.killed.get() > since => {
                self.truth.count("unanswered", "flood");
            }
            other => self.wrong("flood", &format!("closed with {other:?}")),
        }
        self.loses();
    }
}

fn resume(token: &str) -> String {
    format!(r#"{{"type":"resume","token":"{token}"}}"#)
}

/// The lobby that a token is of.
fn lobby_of(token: &str) -> Option<&str> {
    Some(token.split_once('.')?.0)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The next message of one of these types; nothing where the socket ends before.
async fn next_of(line: &mut Line, types: &[&str]) -> Option<Value> {
    loop {
        let text = line.hear().await.ok()?;
        let message: Value = serde_json::from_str(&text).unwrap_or_default();
        if types.iter().any(|&one| message["type"] == one) {
            return Some(message);
        }
    }
}
