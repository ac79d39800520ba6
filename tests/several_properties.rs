//! What holds for several lobbies whatever happens: random events, a network between the objects that loses, delays,
//! doubles and reorders, and clients that are slow to follow. Checked against what people said and heard, and never
//! against the books of lobbies or of the directory.
//!
//! Two bounds follow from when lobbies tell of who is alone (`core/outlook.rs`):
//!
//! - Who waits alone is told of 1.5 to 2.5 s after it began (at once if nothing was told in the second before), and all
//!   of them are on the board from then on. So of two the one that asks later finds the other: both meet within 2.5 s of
//!   the beginning of the younger one, and what the way takes.
//! - A directory that has forgotten all, or a lobby whose report was lost, is told again after as long as somebody has
//!   waited, a minute at most. So two meet within 60 s of that.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

#[path = "several_properties/by_load.rs"]
mod by_load;
mod common;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use common::lobby_world::{LIKES, Prepared};
use common::several::{CLIENT, LEG, Leg, Several, divided, named};
use common::{Heard, find};
use echomingle::core::directory::Directory;
use echomingle::core::id::PeerId;
use echomingle::core::layout::LobbyName;
use echomingle::core::lobby::RECENT;
use echomingle::core::protocol::{ClientMessage, LeaveReason, Mode, Role, ServerMessage};
use echomingle::core::region::Region;
use proptest::prelude::*;
use proptest::sample::select;

/// For how long people are particular, in milliseconds.
const PARTICULAR: u64 = 1_500;
/// Until who waits alone is told of, and in the same second nothing else is.
const SOON: u64 = PARTICULAR + 1_000;
/// How long a lobby waits for the answer of another one.
const ANSWERED: u64 = 3_000;
/// And for somebody to go.
const GONE: u64 = 30_000;
/// The longest time between two asks of somebody who waits.
const RARELY: u64 = 60_000;
/// The longest time until a change is told.
const TOLD: u64 = 5_000;
/// For how long somebody is spoken for.
const SPOKEN_FOR: u64 = 2_000;
/// What a move takes on a network that is as it should be: five legs and the client, and a bit.
const WAY: u64 = 5 * LEG + CLIENT + 10;
/// The most that anything takes on a network that is not.
const LATE: u64 = 20_000;

const LOBBIES: [&str; 4] = ["global", "weur", "enam", "weur/2"];
const REGIONS: [Region; 4] = [Region::Weur, Region::Enam, Region::Apac, Region::Sam];

#[derive(Debug, Clone)]
enum Step {
    Connects(usize, usize),
    Finds(u8, Mode, Vec<&'static str>, Prepared),
    Renews(u8),
    Leaves(u8),
    /// Its socket is lost. If it is on the way it may get there all the same.
    Drops(u8, bool),
    Sleeps(usize),
    Forgets(usize),
    /// The directory knows nothing any more but a layout.
    Wiped(usize),
    /// It is as it was when it was kept last.
    Kept,
    Restored,
    Passes(u64),
}

const LAYOUTS: [&[&str]; 4] = [&[], &["weur"], &["weur/2", "weur/3", "enam"], &["enam"]];

#[derive(Debug, Clone)]
struct Search {
    since: u64,
    mode: Mode,
    likes: Vec<&'static str>,
    offer: Option<String>,
    crosses: bool,
}

#[derive(Debug, Clone, Default)]
struct Person {
    search: Option<Search>,
    call: Option<PeerId>,
    recent: Vec<PeerId>,
    /// Whether it was told to go to another lobby, and is not there yet.
    on_the_way: bool,
    /// For what it looked when it was told so, and since when.
    brought: Option<(Mode, u64)>,
    /// What it said since then, and has to say again there.
    again: Option<ClientMessage<serde_json::Value>>,
    /// Whether its partner's socket is gone.
    bereft: bool,
    /// Whether it never follows.
    stays: bool,
}

/// Everybody's knowledge together.
struct World {
    several: Several,
    people: BTreeMap<PeerId, Person>,
    kept: Vec<u8>,
    offers: u32,
    /// Who is between two lobbies as far as is known of it: from when to when it may be in no queue.
    absent: BTreeMap<PeerId, u64>,
    moves: usize,
    calls: u32,
}

impl World {
    fn new(layout: usize, dice: Vec<u8>) -> Self {
        let mut several = Several::new();
        several.directory = divided(LAYOUTS[layout]);
        let dice = Rc::new(RefCell::new(dice.into_iter().cycle()));
        let clients = Rc::clone(&dice);
        several.network = Box::new(move |_: Leg| {
            let throw = || dice.borrow_mut().next().unwrap_or_default();
            let late = || match throw() {
                0..=150 => LEG,
                151..=200 => 1_000,
                201..=230 => 4_000,
                _ => LATE,
            };
            match late() {
                // One of 10 is lost, and as many arrive twice.
                LATE => Vec::new(),
                4_000 => vec![late(), late()],
                _ => vec![late()],
            }
        });
        several.client = Box::new(move |_| {
            Some(match clients.borrow_mut().next().unwrap_or_default() {
                0..=150 => CLIENT,
                151..=220 => 1_000,
                _ => LATE,
            })
        });
        Self {
            several,
            people: BTreeMap::new(),
            kept: Vec::new(),
            offers: 0,
            absent: BTreeMap::new(),
            moves: 0,
            calls: 0,
        }
    }

    /// Nothing is lost or late from now on, and nothing that was is under way any more.
    fn is_reliable(&mut self) {
        self.several.network = Box::new(|_| vec![LEG]);
        self.several.client = Box::new(|_| Some(CLIENT));
        self.passes(LATE);
    }

    fn who(&self, place: u8) -> Option<PeerId> {
        let peer = common::world::nth(&self.people, place);
        // Who has lost its socket says nothing until it is where it goes.
        peer.filter(|peer| self.several.at.contains_key(peer))
    }

    fn person(&mut self, peer: PeerId) -> &mut Person {
        self.people.get_mut(&peer).unwrap()
    }

    fn now(&self) -> u64 {
        self.several.elapsed
    }

    fn lobby(&self, peer: PeerId) -> LobbyName {
        self.several.at[&peer].0
    }

    fn connects(&mut self, lobby: usize, region: usize, stays: bool) -> PeerId {
        self.comes(named(LOBBIES[lobby]), REGIONS[region], stays)
    }

    fn comes(&mut self, lobby: LobbyName, region: Region, stays: bool) -> PeerId {
        let peer = self.several.connects(lobby, region);
        let person = Person {
            stays,
            ..Person::default()
        };
        self.people.insert(peer, person);
        peer
    }

    fn says(&mut self, peer: PeerId, message: ClientMessage<serde_json::Value>) {
        if self.person(peer).on_the_way {
            self.person(peer).again = Some(message.clone());
        }
        self.several.sends(peer, &message);
        self.hears();
    }

    fn finds(&mut self, peer: PeerId, mode: Mode, likes: &[&'static str], prepared: Prepared) {
        let now = self.now();
        self.offers += 1;
        let offer = format!("{} of {peer}", self.offers);
        let offer = (prepared != Prepared::Nothing).then_some(offer);
        let crosses = prepared == Prepared::OfferThatCrosses;
        let person = self.person(peer);
        if person.on_the_way && person.search.is_none() {
            // It has left, and has not heard where to: what it says next it says there.
            return;
        }
        person.call = None;
        let before = person.search.take().filter(|search| search.mode == mode);
        person.search = Some(Search {
            since: before.map_or(now, |search| search.since),
            mode,
            likes: likes.into(),
            offer: offer.clone(),
            crosses,
        });
        let message = ClientMessage::Find {
            mode,
            interests: likes.iter().map(|&like| like.into()).collect(),
            offer: offer.map(Into::into),
            crosses,
            last: None,
        };
        self.says(peer, message);
    }

    fn does(&mut self, step: Step) {
        match step {
            Step::Connects(lobby, region) => {
                self.connects(lobby, region, false);
            }
            Step::Finds(who, mode, likes, prepared) => {
                if let Some(peer) = self.who(who) {
                    self.finds(peer, mode, &likes, prepared);
                }
            }
            Step::Renews(who) => {
                if let Some(peer) = self.who(who)
                    && !self.people[&peer].on_the_way
                    && let Some(mut search) = self.person(peer).search.take()
                {
                    self.offers += 1;
                    let offer = format!("{} of {peer}", self.offers);
                    search.offer = Some(offer.clone());
                    self.person(peer).search = Some(search);
                    let offer = offer.into();
                    self.says(peer, ClientMessage::Offer { offer });
                }
            }
            Step::Leaves(who) => {
                if let Some(peer) = self.who(who) {
                    let person = self.person(peer);
                    (person.search, person.call) = (None, None);
                    self.says(peer, ClientMessage::Leave {});
                }
            }
            Step::Drops(who, for_good) => {
                if let Some(peer) = self.who(who) {
                    let on_the_way = self.people[&peer].on_the_way;
                    let call = self.people[&peer].call;
                    self.several.drops(peer);
                    if for_good || !on_the_way {
                        self.several.stops(peer);
                        self.people.remove(&peer);
                    }
                    if let Some(partner) = call.and_then(|it| self.people.get_mut(&it)) {
                        partner.bereft = true;
                    }
                }
            }
            Step::Sleeps(lobby) => self.several.lobby(named(LOBBIES[lobby])).sleeps(),
            Step::Forgets(lobby) => {
                self.several
                    .happens(named(LOBBIES[lobby]), |script| script.forgets());
            }
            Step::Wiped(layout) => self.several.directory = divided(LAYOUTS[layout]),
            Step::Kept => self.kept = self.several.directory.kept(),
            Step::Restored => self.several.directory = Directory::from_kept(&self.kept),
            Step::Passes(millis) => self.passes(millis),
        }
        self.hears();
        self.is_sound();
    }

    /// Whether somebody may be waited for in vain after this.
    fn disappoints(&self, step: &Step) -> bool {
        let search = |who| self.people[&self.who(who)?].search.as_ref();
        match step {
            Step::Leaves(who) | Step::Drops(who, _) => search(*who).is_some(),
            // Whoever looks for something else is waited for in vain as well.
            Step::Finds(who, mode, ..) => search(*who).is_some_and(|search| search.mode != *mode),
            Step::Wiped(_) | Step::Kept | Step::Restored => true,
            _ => false,
        }
    }

    /// Time passes from one moment to the next at which something may be heard.
    fn passes(&mut self, millis: u64) {
        let until = self.now() + millis;
        while self.now() < until {
            let next = self.several.next().unwrap_or(until).min(until);
            self.several.passes(next - self.now());
            self.hears();
            self.is_sound();
            if next == self.now() && self.several.next() == Some(next) {
                continue;
            }
            if self.several.next().is_none_or(|at| at > until) {
                self.several.passes(until - self.now());
            }
        }
    }

    /// Takes note of what was heard.
    fn hears(&mut self) {
        loop {
            let heard = self.several.heard();
            let moved = self.several.moved.split_off(0);
            self.moves += moved.len();
            for (at, peer, _) in moved {
                self.absent.insert(peer, at + ANSWERED);
            }
            let followed = std::mem::take(&mut self.several.followed);
            if heard.is_empty() && followed.is_empty() {
                return;
            }
            let arrived: BTreeMap<_, _> = followed.into_iter().map(|(was, by)| (by, was)).collect();
            self.hears_all(&heard, &arrived);
            let now = self.now();
            for (&by, &was) in &arrived {
                let peer = if self.people.contains_key(&was) {
                    was
                } else {
                    by
                };
                if let Some(again) = self.person(peer).again.take() {
                    let person = self.person(peer);
                    // It has not heard whom it met by what it looked for before, and skips that one.
                    let met = person.call.take().is_some();
                    if let Some(search) = &mut person.search {
                        // It has the place that it brought, if that is of such a search.
                        let brought = person.brought.filter(|(mode, _)| *mode == search.mode);
                        search.since = brought.filter(|_| !met).map_or(now, |(_, since)| since);
                    }
                    if self.several.at.contains_key(&peer) {
                        self.several.sends(peer, &again);
                        self.hears();
                    }
                }
            }
        }
    }

    fn hears_all(&mut self, heard: &[Heard], arrived: &BTreeMap<PeerId, PeerId>) {
        let mut met = BTreeSet::new();
        for (to, message) in heard {
            match message {
                ServerMessage::Welcome { id, peers, .. } => {
                    assert!(arrived.values().any(|was| was == id), "{id} is there again");
                    assert_eq!(peers, &[]);
                    self.absent.remove(id);
                    self.person(*id).on_the_way = false;
                }
                ServerMessage::Error { .. } => {
                    // It came too late for its place, and begins again.
                    let was = arrived[to];
                    let mut person = self.people.remove(&was).unwrap();
                    (person.on_the_way, person.again) = (false, None);
                    let search = person.search.take();
                    self.people.insert(*to, person);
                    if let Some(search) = search {
                        self.finds(*to, search.mode, &search.likes, Prepared::Nothing);
                    }
                }
                ServerMessage::Waiting {} => {
                    let person = &self.people[to];
                    assert!(
                        person.search.is_some() || person.again.is_some(),
                        "{to} waits unasked"
                    );
                    assert_eq!(person.call, None);
                }
                ServerMessage::Redirect { .. } => {
                    let now = self.now();
                    self.absent.insert(*to, now + GONE);
                    let person = self.person(*to);
                    assert!(
                        person.search.is_some(),
                        "{to} is to go, and looks for nobody"
                    );
                    assert_eq!(person.call, None, "a call is interrupted");
                    person.on_the_way = !person.stays;
                    let search = person.search.as_ref();
                    person.brought = search.map(|search| (search.mode, search.since));
                }
                ServerMessage::PeerJoined { peer, .. } => {
                    assert_ne!(peer.id, *to, "{to} meets itself");
                    assert!(met.insert((*to, peer.id)), "{to} is told twice");
                    let back = heard.iter().find_map(|(whom, message)| match message {
                        ServerMessage::PeerJoined { peer: back, .. }
                            if *whom == peer.id && back.id == *to =>
                        {
                            Some(back)
                        }
                        _ => None,
                    });
                    let back = back.expect("only one of two heard of the call");
                    assert_ne!(back.role, peer.role, "both offer or both wait");
                    if peer.role == Role::Offerer {
                        self.pair(*to, peer.id, (peer, back));
                    }
                }
                ServerMessage::PeerAway { peer } => {
                    assert_eq!(self.people[to].call, Some(*peer));
                    assert!(self.people[to].bereft, "a call is interrupted");
                }
                ServerMessage::PeerLeft { peer, reason } => {
                    let theirs = self.people.get(peer).and_then(|person| person.call);
                    assert_ne!(theirs, Some(*to), "a call is interrupted");
                    let person = self.person(*to);
                    assert_eq!(*reason == LeaveReason::Lost, person.bereft);
                    if person.call == Some(*peer) {
                        (person.call, person.bereft) = (None, false);
                    }
                }
                other => panic!("{to} heard {other:?}"),
            }
        }
    }

    fn just_met(&self, one: PeerId, other: PeerId) -> bool {
        let people = &self.people;
        people[&one].recent.contains(&other) || people[&other].recent.contains(&one)
    }

    fn suit(&self, a: &Search, b: &Search) -> bool {
        let now = self.now();
        let open = |search: &Search| search.likes.is_empty() || search.since + PARTICULAR <= now;
        let shared = a.likes.iter().any(|like| b.likes.contains(like));
        a.mode == b.mode && (shared || open(a) && open(b))
    }

    /// Those who are in the queue of their lobby for all that is known.
    fn waiting(&self) -> impl Iterator<Item = (PeerId, &Search)> {
        let now = self.now();
        self.people.iter().filter_map(move |(&peer, person)| {
            let absent = self.absent.get(&peer).is_some_and(|&until| now <= until);
            let there = !absent && !person.on_the_way;
            Some((peer, person.search.as_ref().filter(|_| there)?))
        })
    }

    /// Two have met; the first one offers.
    fn pair(
        &mut self,
        one: PeerId,
        other: PeerId,
        (told_one, told_other): (
            &echomingle::core::protocol::Peer,
            &echomingle::core::protocol::Peer,
        ),
    ) {
        self.calls += 1;
        // One who has said something else meanwhile meets somebody by what it said before.
        let changed = [one, other].map(|peer| self.people[&peer].again.is_some());
        for peer in [one, other] {
            let person = &self.people[&peer];
            assert!(!person.on_the_way, "{peer} is met and goes away");
            assert_eq!(person.call, None, "{peer} is in two calls");
        }
        if changed == [false; 2] {
            assert_eq!(self.lobby(one), self.lobby(other));
            let search = |peer: PeerId| self.people[&peer].search.clone().expect("it searches");
            let (a, b) = (search(one), search(other));
            if self.just_met(one, other) {
                for search in [&a, &b] {
                    assert!(search.since + PARTICULAR <= self.now(), "met again at once");
                }
                assert_eq!(a.mode, b.mode);
            } else {
                assert!(self.suit(&a, &b), "{one} and {other} do not suit");
            }
            for rival in self.waiting().map(|(peer, _)| peer) {
                let there = ![one, other].contains(&rival) && self.lobby(rival) == self.lobby(one);
                let its = search(rival);
                for (met, mine, partner) in [(one, &a, &b), (other, &b, &a)] {
                    let suits = self.suit(&its, mine) && !self.just_met(rival, met);
                    assert!(
                        !(there && suits && its.since < partner.since),
                        "{rival} was there before whom {met} met"
                    );
                }
            }
            let crossed = [&a, &b].iter().all(|it| it.crosses && it.offer.is_some());
            assert_eq!((told_one.crossed, told_other.crossed), (crossed, crossed));
            let got = |told: &echomingle::core::protocol::Peer| {
                told.offer.as_ref().map(|offer| offer.expose().to_owned())
            };
            assert_eq!(got(told_other), a.offer.clone(), "the offer of {one}");
            assert_eq!(got(told_one), b.offer.clone().filter(|_| crossed));
            if a.offer.is_some() == b.offer.is_some() {
                assert!(a.since <= b.since, "whoever was there first offers");
            }
        }
        for (peer, partner, changed) in [(one, other, changed[0]), (other, one, changed[1])] {
            let person = self.person(peer);
            if !changed {
                person.search = None;
            }
            person.call = Some(partner);
            person.bereft = false;
            person.recent.retain(|&met| met != partner);
            person.recent.insert(0, partner);
            person.recent.truncate(RECENT);
            if !self.people.contains_key(&partner) {
                self.person(peer).bereft = true;
            }
        }
    }

    /// What must be true between any two events.
    fn is_sound(&self) {
        for (peer, person) in &self.people {
            let Some(partner) = person.call else { continue };
            let theirs = self.people.get(&partner).and_then(|person| person.call);
            assert!(
                theirs == Some(*peer) || person.bereft,
                "{peer} is in a call of one"
            );
        }
        let waiting: Vec<_> = self.waiting().collect();
        for (place, &(one, a)) in waiting.iter().enumerate() {
            for &(other, b) in &waiting[..place] {
                let together = self.lobby(one) == self.lobby(other);
                assert!(
                    !(together && self.suit(a, b) && !self.just_met(one, other)),
                    "{one} and {other} could have met"
                );
            }
        }
    }

    /// Whoever searches waits in exactly one lobby.
    fn nobody_is_lost(&mut self) {
        for name in self.several.names() {
            let there = self.people.keys().filter(|peer| {
                let at = self.several.at.get(peer);
                at.is_some_and(|(lobby, _)| *lobby == name)
            });
            let there: Vec<_> = there.copied().collect();
            let searching = |peer: &&PeerId| self.people[peer].search.is_some();
            let online = u32::try_from(there.len()).unwrap();
            let waiting = u32::try_from(there.iter().filter(searching).count()).unwrap();
            let counts = self.several.counts_of(name);
            assert_eq!((counts.0, counts.1), (online, waiting), "{name}");
        }
        for (peer, person) in &self.people {
            assert!(self.several.at.contains_key(peer), "{peer} is nowhere");
            assert!(!person.on_the_way, "{peer} never arrived");
        }
    }

    /// In each mode one at most waits who moves when it is told to.
    fn nobody_is_stranded(&self) {
        for mode in [Mode::Video, Mode::Text] {
            let mode = |(_, search): &(PeerId, &Search)| search.mode == mode;
            let waiting: Vec<_> = self.waiting().filter(mode).collect();
            assert!(waiting.len() < 2, "{waiting:?} could have met");
        }
    }
}

/// What so many people at most may do.
fn step(people: u8) -> impl Strategy<Value = Step> {
    let who = move || 0..people;
    let mode = prop_oneof![5 => Just(Mode::Video), 1 => Just(Mode::Text)];
    let interests = prop_oneof![
        2 => Just(vec![]),
        3 => prop::collection::vec(select(&LIKES[..]), 1..3),
    ];
    let prepared = select(vec![
        Prepared::Nothing,
        Prepared::Offer,
        Prepared::OfferThatCrosses,
    ]);
    let lobby = || 0..LOBBIES.len();
    prop_oneof![
        6 => (lobby(), 0..REGIONS.len()).prop_map(|(lobby, region)| Step::Connects(lobby, region)),
        16 => (who(), mode, interests, prepared)
            .prop_map(|(who, mode, likes, prepared)| Step::Finds(who, mode, likes, prepared)),
        2 => who().prop_map(Step::Renews),
        4 => who().prop_map(Step::Leaves),
        3 => (who(), any::<bool>()).prop_map(|(who, for_good)| Step::Drops(who, for_good)),
        3 => lobby().prop_map(Step::Sleeps),
        2 => lobby().prop_map(Step::Forgets),
        1 => (0..LAYOUTS.len()).prop_map(Step::Wiped),
        1 => Just(Step::Kept),
        1 => Just(Step::Restored),
        6 => (1..4_000_u64).prop_map(Step::Passes),
        3 => select(vec![1_000, 3_000, 8_000]).prop_map(Step::Passes),
        3 => (1..20_000_u64).prop_map(Step::Passes),
        1 => (30_000..70_000_u64).prop_map(Step::Passes),
    ]
}

fn dice() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// After the last event the network is as it should be. Who was told to go and did not is back after 30 s, all are
    /// free after 10 s, and ask within 60 s. What the directory believes of three lobbies that are empty by now costs
    /// whoever is sent there a way, and five seconds until that is told.
    #[test]
    fn nobody_is_lost_or_in_two_calls_and_all_meet_whom_they_can(
        layout in 0..LAYOUTS.len(),
        dice in dice(),
        steps in prop::collection::vec(step(8), 1..60),
    ) {
        let mut world = World::new(layout, dice);
        for step in steps {
            world.does(step);
        }
        world.is_reliable();
        world.passes(GONE + SPOKEN_FOR + RARELY + 3 * (TOLD + WAY) + WAY);
        world.nobody_is_lost();
        world.nobody_is_stranded();
    }

    #[test]
    fn nobody_is_lost_though_some_never_follow(
        layout in 0..LAYOUTS.len(),
        dice in dice(),
        steps in prop::collection::vec((step(8), any::<bool>()), 1..60),
    ) {
        let mut world = World::new(layout, dice);
        let stays = Rc::new(RefCell::new(BTreeSet::new()));
        let who = Rc::clone(&stays);
        let mut client = std::mem::replace(&mut world.several.client, Box::new(|_| None));
        world.several.client = Box::new(move |peer| {
            let stays = who.borrow().contains(&peer);
            client(peer).filter(|_| !stays)
        });
        for (step, follows) in steps {
            match step {
                Step::Connects(lobby, region) => {
                    let peer = world.connects(lobby, region, !follows);
                    if !follows {
                        stays.borrow_mut().insert(peer);
                    }
                }
                step => world.does(step),
            }
        }
        // Nobody is sent anywhere any more, and whoever was and stays waits where it is.
        world.several.network = Box::new(|_| Vec::new());
        world.passes(LATE + GONE + ANSWERED + LATE);
        world.nobody_is_lost();
    }

    /// As long as nothing is lost and nobody goes who is waited for, all is done 2.5 s after the last event, and what
    /// the way takes; or if somebody was met on the way, after another report and another way.
    #[test]
    fn on_a_network_as_it_should_be_nobody_waits_for_long(
        layout in 0..LAYOUTS.len(),
        steps in prop::collection::vec(step(8), 1..60),
    ) {
        let mut world = World::new(layout, vec![0]);
        world.several.client = Box::new(|_| Some(CLIENT));
        for step in steps {
            if !world.disappoints(&step) {
                world.does(step);
            }
        }
        world.passes(SOON + WAY + TOLD + WAY);
        world.nobody_is_lost();
        world.nobody_is_stranded();
    }

    /// The two bounds, to the millisecond.
    #[test]
    fn two_alone_meet_in_time(
        lobbies in select(vec![[0_usize, 1], [0, 2], [1, 2], [2, 1], [2, 0], [1, 0]]),
        likes in prop::collection::vec(prop::collection::vec(select(&LIKES[..]), 0..3), 2),
        later in prop_oneof![0..10_000_u64, 0..200_000_u64],
        wiped in prop::option::of(0..200_000_u64),
        sleeps in any::<bool>(),
    ) {
        let mut several = Several::sleepy(sleeps);
        let layout = ["weur", "enam"];
        several.directory = divided(&layout);
        let begins = |several: &mut Several, place: usize| {
            let region = REGIONS[2 * usize::from(lobbies[place] == 0) + usize::from(lobbies[place] == 2)];
            let peer = several.connects(named(LOBBIES[lobbies[place]]), region);
            several.sends(peer, &find(Mode::Video, &likes[place]));
            peer
        };
        let older = begins(&mut several, 0);
        let (first, wiped_in_time) = match wiped {
            Some(at) if at <= later => (at, true),
            _ => (0, false),
        };
        several.passes(first);
        if wiped_in_time {
            several.directory = divided(&layout);
        }
        several.passes(later - first);
        begins(&mut several, 1);
        several.heard();
        let soon = later + SOON;
        let until = if wiped_in_time { soon.max(first + RARELY) } else { soon };
        several.passes(until + WAY - several.elapsed);
        let heard = several.heard();
        let met = heard.iter().filter(|(_, message)| {
            matches!(message, ServerMessage::PeerJoined { .. })
        });
        prop_assert_eq!(met.count(), 2, "{:?} and {:?}", older, heard);
        prop_assert_eq!(several.moved.len(), 1, "one of them moves");
        several.passes(100_000);
        prop_assert_eq!(several.heard(), []);
    }
}
