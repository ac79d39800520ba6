//! What holds for the lobby whatever happens: random events, and after each of them the rules of
//! matching, checked against what people said and heard and never against the lobby's own books.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod common;

use std::collections::BTreeMap;

use common::world::{self, World as _, nth};
use common::{Heard, KEY, Script};
use echomingle::core::id::PeerId;
use echomingle::core::lobby::{Lobby, RECENT};
use echomingle::core::protocol::{ErrorCode, LeaveReason, Mode, Role, ServerMessage};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// For how long people are particular, in milliseconds, as the page tells them.
const PARTICULAR: u64 = 3_000;

/// What may happen. People are named by their place among those who are there.
#[derive(Debug, Clone)]
enum Step {
    Connects,
    Finds(usize, Mode, Vec<&'static str>),
    BothSkip(usize),
    Leaves(usize),
    Signals(usize, usize),
    Drops(usize),
    Passes(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..8_usize;
    let mode = prop_oneof![5 => Just(Mode::Video), 1 => Just(Mode::Text)];
    let interests = prop_oneof![
        2 => Just(vec![]),
        3 => prop::collection::vec(select(vec!["go", "jazz", "chess"]), 1..3),
    ];
    prop_oneof![
        3 => Just(Step::Connects),
        10 => (who.clone(), mode, interests).prop_map(|(who, mode, likes)| Step::Finds(who, mode, likes)),
        1 => who.clone().prop_map(Step::BothSkip),
        2 => who.clone().prop_map(Step::Leaves),
        3 => (who.clone(), who.clone()).prop_map(|(from, to)| Step::Signals(from, to)),
        2 => who.prop_map(Step::Drops),
        3 => (1..4_000_u64).prop_map(Step::Passes),
    ]
}

/// What one person knows of itself.
#[derive(Debug, Clone, Default)]
struct Person {
    searching: Option<Search>,
    partner: Option<PeerId>,
    recent: Vec<PeerId>,
}

#[derive(Debug, Clone)]
struct Search {
    place: usize,
    since: u64,
    mode: Mode,
    likes: Vec<&'static str>,
}

/// Everybody's knowledge together, and the rules.
#[derive(Debug, Clone, Default)]
struct World {
    people: BTreeMap<PeerId, Person>,
    now: u64,
    places: usize,
    connected: u64,
}

impl World {
    fn who(&self, place: usize) -> Option<PeerId> {
        nth(&self.people, place)
    }

    fn just_met(&self, one: PeerId, other: PeerId) -> bool {
        let people = &self.people;
        people[&one].recent.contains(&other) || people[&other].recent.contains(&one)
    }

    fn suit(&self, one: PeerId, other: PeerId, at: u64) -> bool {
        let (Some(a), Some(b)) = (&self.people[&one].searching, &self.people[&other].searching)
        else {
            return false;
        };
        let open = |search: &Search| search.likes.is_empty() || search.since + PARTICULAR <= at;
        let shared = a.likes.iter().any(|interest| b.likes.contains(interest));
        one != other
            && a.mode == b.mode
            && !self.just_met(one, other)
            && (shared || open(a) && open(b))
    }

    fn searching(&self) -> impl Iterator<Item = (PeerId, &Search)> {
        let people = self.people.iter();
        people.filter_map(|(&peer, person)| Some((peer, person.searching.as_ref()?)))
    }

    fn finds(&mut self, peer: PeerId, mode: Mode, likes: &[&'static str]) {
        self.places += 1;
        let person = self.people.get_mut(&peer).unwrap();
        person.partner = None;
        let before = person.searching.take().filter(|search| search.mode == mode);
        let (place, since) = before.map_or((self.places, self.now), |was| (was.place, was.since));
        person.searching = Some(Search {
            place,
            since,
            mode,
            likes: likes.into(),
        });
    }

    /// From whom to whom a signal goes by a step, if they are in one call.
    fn signaled(&self, step: &Step) -> Option<(PeerId, PeerId)> {
        let &Step::Signals(from, to) = step else {
            return None;
        };
        let (from, to) = self.who(from).zip(self.who(to))?;
        (self.people[&from].partner == Some(to)).then_some((from, to))
    }

    /// Takes note of what was heard. What may not be heard fails.
    fn hears(&mut self, step: &Step, heard: &[Heard], signaled: Option<(PeerId, PeerId)>) {
        let mut signals = 0;
        for (to, message) in heard {
            assert!(
                self.people.contains_key(to),
                "{to:?} is gone and heard {message:?}"
            );
            match message {
                ServerMessage::Welcome { id, .. } => assert_eq!(id, to),
                ServerMessage::Waiting {} => {
                    assert!(self.people[to].searching.is_some(), "{to:?} waits unasked");
                }
                ServerMessage::PeerJoined { peer, .. } => {
                    assert_ne!(&peer.id, to, "somebody meets itself");
                    let person = &self.people[to];
                    assert!(person.partner.is_none(), "{to:?} is in two calls");
                    assert!(
                        person.searching.is_some(),
                        "{to:?} is in a call it did not look for"
                    );
                    let other = heard.iter().find_map(|(whom, message)| match message {
                        ServerMessage::PeerJoined { peer: back, .. }
                            if *whom == peer.id && back.id == *to =>
                        {
                            Some(back)
                        }
                        _ => None,
                    });
                    let back = other.expect("only one of two heard of the call");
                    assert_ne!(back.role, peer.role, "both offer or both wait");
                    if peer.role == Role::Offerer {
                        self.pair(*to, peer.id);
                    }
                }
                ServerMessage::PeerLeft { peer, reason } => {
                    let reasons = match step {
                        Step::Drops(_) => LeaveReason::Lost,
                        Step::Leaves(_) => LeaveReason::Left,
                        _ => LeaveReason::Skipped,
                    };
                    assert_eq!(*reason, reasons);
                    let person = self.people.get_mut(to).unwrap();
                    // Who skips at the same time has no partner any more, and hears nothing or this.
                    if let Some(partner) = person.partner.take() {
                        assert_eq!(partner, *peer, "{to:?} lost somebody else");
                    }
                }
                ServerMessage::Signal { from, data } => {
                    signals += 1;
                    assert_eq!(signaled, Some((*from, *to)), "a signal went astray");
                    assert_eq!(data, &Value::from(1));
                }
                ServerMessage::Error { code, .. } => {
                    signals += 1;
                    assert_eq!(*code, ErrorCode::UnknownPeer);
                    assert!(matches!(step, Step::Signals(..)));
                    assert_eq!(signaled, None, "a signal to the partner was refused");
                }
                ServerMessage::Room { .. }
                | ServerMessage::AskedToMute {}
                | ServerMessage::PeerAway { .. }
                | ServerMessage::PeerBack { .. }
                | ServerMessage::StillThere {}
                | ServerMessage::Redirect { .. } => panic!("{to:?} heard {message:?}"),
            }
        }
        if matches!(step, Step::Signals(..)) && !self.people.is_empty() {
            assert_eq!((signals, heard.len()), (1, 1));
        }
    }

    /// Two of whom both have heard, and the rules by which they met.
    fn pair(&mut self, one: PeerId, other: PeerId) {
        let search = |peer: PeerId| self.people[&peer].searching.clone().expect("it searches");
        let (a, b) = (search(one), search(other));
        assert_eq!(a.mode, b.mode);
        let rivals: Vec<_> = self.searching().map(|(peer, _)| peer).collect();
        let rivals = rivals
            .into_iter()
            .filter(|peer| ![one, other].contains(peer));
        for rival in rivals {
            let place = search(rival).place;
            assert!(
                !(self.suit(rival, one, self.now) && place < b.place),
                "{rival:?} was there before {other:?} and suits {one:?}"
            );
            assert!(
                !(self.suit(rival, other, self.now) && place < a.place),
                "{rival:?} was there before {one:?} and suits {other:?}"
            );
            let mode = search(rival).mode == a.mode;
            if self.just_met(one, other) && mode {
                for tired in [one, other] {
                    assert!(
                        self.just_met(rival, tired),
                        "{tired:?} meets again before {rival:?}"
                    );
                }
            }
        }
        if self.just_met(one, other) {
            for search in [&a, &b] {
                assert!(search.since + PARTICULAR <= self.now, "met again at once");
            }
        } else {
            assert!(
                self.suit(one, other, self.now),
                "{one:?} and {other:?} do not suit"
            );
        }
        for (peer, partner) in [(one, other), (other, one)] {
            let person = self.people.get_mut(&peer).unwrap();
            person.searching = None;
            person.partner = Some(partner);
            person.recent.retain(|&met| met != partner);
            person.recent.insert(0, partner);
            person.recent.truncate(RECENT);
        }
    }

    /// What must be true between any two events.
    fn is_sound(&self, script: &Script<Lobby>) {
        for (peer, person) in &self.people {
            if let Some(partner) = person.partner {
                assert_eq!(self.people[&partner].partner, Some(*peer), "a call of one");
            }
        }
        let count = |n: usize| u32::try_from(n).unwrap();
        let waiting: Vec<_> = self.searching().map(|(peer, _)| peer).collect();
        let in_call = self
            .people
            .values()
            .filter(|person| person.partner.is_some());
        let stats = script.actor.stats();
        assert_eq!(stats.online, count(self.people.len()));
        assert_eq!(stats.waiting, count(waiting.len()), "somebody was lost");
        assert_eq!(stats.calls, count(in_call.count()) / 2);
        for &one in &waiting {
            for &other in &waiting {
                assert!(
                    !self.suit(one, other, self.now),
                    "{one:?} and {other:?} could have met"
                );
            }
        }
    }
}

impl world::World for World {
    type Actor = Lobby;
    type Step = Step;

    fn does(&mut self, step: &Step, script: &mut Script<Lobby>) {
        match *step {
            Step::Connects => {
                self.connected += 1;
                let peer = script.connects(self.connected);
                self.people.insert(peer, Person::default());
            }
            Step::Finds(who, mode, ref likes) => {
                if let Some(peer) = self.who(who) {
                    self.finds(peer, mode, likes);
                    script.finds(peer, mode, likes);
                }
            }
            Step::BothSkip(who) => {
                if let Some(peer) = self.who(who)
                    && let Some(partner) = self.people[&peer].partner
                {
                    // Both frames are on their way before either is answered.
                    for peer in [peer, partner] {
                        self.finds(peer, Mode::Video, &[]);
                    }
                    for peer in [peer, partner] {
                        script.finds(peer, Mode::Video, &[]);
                    }
                }
            }
            Step::Leaves(who) => {
                if let Some(peer) = self.who(who) {
                    let person = self.people.get_mut(&peer).unwrap();
                    (person.searching, person.partner) = (None, None);
                    script.leaves(peer);
                }
            }
            Step::Signals(from, to) => {
                if let (Some(from), Some(to)) = (self.who(from), self.who(to)) {
                    script.signals(from, to);
                }
            }
            Step::Drops(who) => {
                if let Some(peer) = self.who(who)
                    && self.people[&peer].partner.is_none()
                {
                    self.people.remove(&peer);
                    script.drops(peer);
                }
            }
            Step::Passes(millis) => {
                self.now += millis;
                script.passes(millis);
            }
        }
    }

    fn learns(&mut self, heard: &[Heard]) {
        for (to, message) in heard {
            let person = self.people.get_mut(to).unwrap();
            match message {
                ServerMessage::PeerJoined { peer, .. } => {
                    (person.searching, person.partner) = (None, Some(peer.id));
                }
                ServerMessage::PeerLeft { .. } => person.partner = None,
                _ => {}
            }
        }
    }

    fn agree(awake: &Script<Lobby>, sleepy: &Script<Lobby>) {
        assert_eq!(awake.actor.stats(), sleepy.actor.stats());
    }
}

/// The first part of a step, and what remains of it: time passes from one alarm to the next, so that
/// whoever could meet is seen to meet then and not later.
fn split(step: Step, script: &Script<Lobby>) -> (Step, Option<Step>) {
    match (step, script.alarm_in()) {
        (Step::Passes(millis), Some(alarm)) if alarm < millis => {
            let alarm = alarm.max(1);
            (Step::Passes(alarm), Some(Step::Passes(millis - alarm)))
        }
        (step, _) => (step, None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_of_matching_hold(steps in prop::collection::vec(step(), 1..80)) {
        let mut script = Script::of(|| Lobby::new(KEY));
        let mut world = World::default();
        for step in steps {
            let mut next = Some(step);
            while let Some(step) = next {
                let (step, rest) = split(step, &script);
                next = rest;
                let signaled = world.signaled(&step);
                world.does(&step, &mut script);
                let heard = script.heard();
                world.hears(&step, &heard, signaled);
                world.is_sound(&script);
            }
        }
    }

    #[test]
    fn restoring_equals_never_having_slept(
        steps in prop::collection::vec((step(), any::<bool>()), 1..80),
    ) {
        world::sleeping_changes_nothing(World::default(), || Lobby::new(KEY), steps);
    }
}
