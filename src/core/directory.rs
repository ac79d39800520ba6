//! What all lobbies together know: the layout, how busy each is, and who waits alone in which.
//!
//! Lobbies report, and are advised in return. Nobody waits for any of it: lobbies and Workers go on with what they
//! were told last, and all that is lost with this is told anew by the reports that follow.
//!
//! - Who found nobody in its lobby while it was particular is put on a board, unless somebody who suits is on it
//!   already: then it is to move there, to the nearest who shares an interest, or else to the nearest of all.
//! - Two who are sent to each other are spoken for, so that of two who wait one moves and not both.
//! - A lobby that is not in use any more, or not for their region, is left by those who are alone in it.
//! - What was reported and never again is forgotten: messages a second after 15 seconds, people after ten minutes.

use serde::{Deserialize, Serialize};

use crate::core::compact::{pack, unpack};
use crate::core::id::PeerId;
use crate::core::interest::Interest;
use crate::core::layout::{Budget, Layout, Load, Loads, LobbyName, Planner};
use crate::core::note::Waits;
use crate::core::protocol::{Mode, Stats};
use crate::core::region::Region;
use crate::core::time::{Millis, Timestamp};

/// For how long messages a second are taken for what they were: three reports that did not come.
const BUSY: Millis = Millis::new(15_000);
/// For how long a lobby of which nothing is heard is taken to have its people still. Nothing is reported while
/// nothing changes, and calls go on for long; but a lobby that everybody left at a deploy never says so.
const PRESENT: Millis = Millis::new(10 * 60_000);
/// For how long somebody is on the board of whom nothing is heard: twice the longest time between two
/// [asks](crate::core::lobby), and some.
const POSTED: Millis = Millis::new(150_000);
/// For how long somebody is spoken for: the other one has to be told and to connect meanwhile.
const SPOKEN_FOR: Millis = Millis::new(2_000);
/// How often the layout is looked at, however many reports come.
const REVIEWED: Millis = Millis::new(1_000);

/// Somebody who waits, and found nobody where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranded {
    /// Who.
    pub peer: PeerId,
    /// Where in the world it is.
    pub region: Region,
    /// What it looks for.
    pub mode: Mode,
    /// What it likes.
    pub interests: Vec<Interest>,
    /// Since when it waits.
    pub since: Timestamp,
}

impl Stranded {
    fn shares(&self, other: &Self) -> bool {
        let mut likes = self.interests.iter();
        likes.any(|interest| other.interests.binary_search(interest).is_ok())
    }
}

/// How a lobby stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which.
    pub lobby: LobbyName,
    /// Sockets that are open, by where in the world they come from, in the order of [`Region::ALL`].
    pub people: [u32; Region::COUNT],
    /// Of these, who waits for video and for text.
    pub waiting: [u32; 2],
    /// Calls that go on.
    pub calls: u32,
    /// Messages that arrive and sockets that come and go, a second.
    pub messages: u32,
    /// Searches that begin, a second.
    pub searches: u32,
    /// How long people waited, since the object woke up.
    pub waits: Waits,
    /// Who is alone.
    pub stranded: Vec<Stranded>,
    /// The layout that it was told last, where it was told an older one after that: then the directory has lost it.
    pub layout: Option<Layout>,
}

impl Report {
    fn online(&self) -> u32 {
        self.people.iter().sum()
    }

    /// Whether nobody is there any more: the lobby tells of itself again only when somebody comes.
    #[must_use]
    pub fn is_of_nobody(&self) -> bool {
        self.online() == 0
    }
}

/// What a lobby is told in return.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// The lobbies in use.
    pub layout: Layout,
    /// Who is to move, and where to.
    pub moves: Vec<(PeerId, LobbyName)>,
}

/// Somebody on the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Post {
    who: Stranded,
    /// Who was sent there, and until when nobody else is.
    expects: Option<(PeerId, Timestamp)>,
}

/// How one lobby stood when it was heard of last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    report: Report,
    at: Timestamp,
    posts: Vec<Post>,
}

/// Everything known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    planner: Planner,
    lobbies: Vec<Standing>,
    /// When the layout was looked at last.
    reviewed: Option<Timestamp>,
}

impl Directory {
    /// One that knows what another one knew when it was [kept](Self::kept); nothing where that cannot be read.
    #[must_use]
    pub fn from_kept(bytes: &[u8]) -> Self {
        unpack(bytes).unwrap_or_default()
    }

    /// All of it, to be kept, but for what people like: that is nobody's business for longer than they wait.
    #[must_use]
    pub fn kept(&self) -> Vec<u8> {
        let mut known = self.clone();
        let lobbies = known.lobbies.iter_mut();
        for post in lobbies.flat_map(|lobby| &mut lobby.posts) {
            post.who.interests.clear();
        }
        pack(&known).unwrap_or_default()
    }

    /// The lobbies in use.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        self.planner.layout()
    }

    /// Takes a report.
    pub fn hear(&mut self, mut report: Report, budget: &Budget, now: Timestamp) -> Advice {
        let lobby = report.lobby;
        let place = self.lobbies.iter().position(|it| it.report.lobby == lobby);
        let known = place.map(|place| self.lobbies.swap_remove(place));
        let before = known.map(|known| known.posts).unwrap_or_default();
        let stranded = std::mem::take(&mut report.stranded);
        if let Some(layout) = report.layout.take() {
            self.planner.remember(layout);
        }
        self.forget(now);
        let mut moves = Vec::new();
        let mut posts: Vec<Post> = Vec::new();
        for who in stranded {
            let mut before = before.iter();
            // Whoever was sent for somebody who looks for something else now comes in vain.
            let same = |post: &&Post| post.who.peer == who.peer && post.who.mode == who.mode;
            let expects = before.find(same);
            let expects = expects.and_then(|post| post.expects);
            let expects = expects.filter(|&(_, until)| now < until);
            if expects.is_some() {
                posts.push(Post { who, expects });
            } else if let Some(to) = self.somebody_for(&who, now) {
                moves.push((who.peer, to));
            } else if !self.layout().serves(lobby, who.region) {
                moves.push((
                    who.peer,
                    self.layout()
                        .choose_from(lobby, who.region, who.peer.number()),
                ));
            } else {
                posts.push(Post { who, expects });
            }
        }
        self.lobbies.push(Standing {
            report,
            at: now,
            posts,
        });
        self.review(budget, now);
        Advice {
            layout: self.layout().clone(),
            moves,
        }
    }

    /// Changes the layout where it is time to.
    pub fn review(&mut self, budget: &Budget, now: Timestamp) -> bool {
        if self.reviewed.is_some_and(|at| now.since(at) < REVIEWED) && budget.over >= REVIEWED {
            return false;
        }
        self.reviewed = Some(now);
        let loads = self.loads(now);
        self.planner.review(&loads, budget, now)
    }

    /// How many people there are.
    #[must_use]
    pub fn stats(&self, now: Timestamp) -> Stats {
        let mut stats = Stats::default();
        for Standing { report, at, .. } in &self.lobbies {
            if now.since(*at) < PRESENT {
                let [video, text] = report.waiting;
                stats.online = stats.online.saturating_add(report.online());
                stats.waiting = stats.waiting.saturating_add(video.saturating_add(text));
                stats.calls = stats.calls.saturating_add(report.calls);
                stats.waits.add(report.waits);
            }
        }
        stats
    }

    fn loads(&self, now: Timestamp) -> Loads {
        let mut loads = Loads::default();
        for Standing { report, at, .. } in &self.lobbies {
            let lobby = report.lobby;
            let old = now.since(*at);
            if old >= PRESENT {
                continue;
            }
            let messages = if old < BUSY { report.messages } else { 0 };
            let sockets = report.online();
            loads.set(lobby, Load { messages, sockets });
            if lobby == LobbyName::Global {
                loads.in_global = report.people;
            }
        }
        loads
    }

    /// Where somebody waits who suits, and whom nobody else was sent to.
    fn somebody_for(&mut self, who: &Stranded, now: Timestamp) -> Option<LobbyName> {
        let far = |lobby: LobbyName| match lobby.region() {
            Some(region) => who.region.distance(region),
            // Wherever it is, whoever has no lobby of its own is there.
            None => 1,
        };
        let lobbies = self.lobbies.iter_mut();
        let posts = lobbies.flat_map(|known| {
            let lobby = known.report.lobby;
            let posts = known.posts.iter_mut();
            posts.map(move |post| (lobby, post))
        });
        let suits = |(_, post): &(LobbyName, &mut Post)| {
            let free = post
                .expects
                .is_none_or(|(other, until)| other == who.peer || until <= now);
            free && post.who.mode == who.mode && post.who.peer != who.peer
        };
        let (lobby, post) = posts
            .filter(suits)
            .min_by_key(|(lobby, post)| (!post.who.shares(who), far(*lobby), post.who.since))?;
        post.expects = Some((who.peer, now.after(SPOKEN_FOR)));
        Some(lobby)
    }

    /// What is too old to be true.
    fn forget(&mut self, now: Timestamp) {
        self.lobbies.retain_mut(|known| {
            let old = now.since(known.at);
            if old >= POSTED {
                known.posts.clear();
            }
            old < PRESENT
        });
    }
}
