//! What holds for a room whatever happens: random events, and after each of them the rules of rooms,
//! checked against what people said and heard and never against the room's own books.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::world::{self, World as _, nth};
use common::{Heard, KEY, Script, asked_to_mute, signal};
use echomingle::core::id::PeerId;
use echomingle::core::protocol::{ErrorCode, LeaveReason, Role, ServerMessage};
use echomingle::core::room::Room;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

/// People are named by their place among those who are inside, where the first is the host, or among all
/// who are connected.
#[derive(Debug, Clone, Copy)]
enum Who {
    Member(usize),
    Anybody(usize),
}

/// What may happen.
#[derive(Debug, Clone, Copy)]
enum Step {
    Connects,
    Joins(Who, Option<&'static str>),
    Leaves(Who),
    Drops(Who),
    /// Its socket is gone while the object sleeps.
    Loses(Who),
    /// Its network is gone, and nobody knows.
    FallsSilent(Who),
    Misses(Who, Who),
    Signals(Who, Who),
    Locks(Who, bool),
    AsksToMute(Who, Who),
    Removes(Who, Who),
}

fn step() -> impl Strategy<Value = Step> {
    let anybody = || (0..8_usize).prop_map(Who::Anybody);
    let who = || prop_oneof![(0..4_usize).prop_map(Who::Member), anybody()];
    // Most people try only what they may do.
    let host = || prop_oneof![3 => Just(Who::Member(0)), 1 => anybody()];
    let name = select(vec![None, Some("Ana"), Some("Ben")]);
    prop_oneof![
        6 => Just(Step::Connects),
        12 => (anybody(), name).prop_map(|(who, name)| Step::Joins(who, name)),
        1 => who().prop_map(Step::Leaves),
        1 => who().prop_map(Step::Drops),
        1 => who().prop_map(Step::Loses),
        1 => who().prop_map(Step::FallsSilent),
        2 => (who(), who()).prop_map(|(by, whom)| Step::Misses(by, whom)),
        3 => (who(), who()).prop_map(|(from, to)| Step::Signals(from, to)),
        1 => host().prop_map(|by| Step::Locks(by, true)),
        2 => host().prop_map(|by| Step::Locks(by, false)),
        2 => (host(), who()).prop_map(|(by, whom)| Step::AsksToMute(by, whom)),
        2 => (host(), who()).prop_map(|(by, whom)| Step::Removes(by, whom)),
    ]
}

/// What a step leads to by the rules.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Nothing,
    Connects(PeerId),
    ComesIn(PeerId, Option<&'static str>),
    Renames(PeerId, Option<&'static str>),
    Goes(PeerId, LeaveReason),
    Locks(bool),
    Tells(Heard),
    Refuses(PeerId, ErrorCode),
}

/// The room as one person inside was told of it.
#[derive(Debug, Clone)]
struct View {
    host: PeerId,
    locked: bool,
    /// Everybody else, as they were heard of.
    others: Vec<(PeerId, Role)>,
}

/// Everybody's knowledge together, and the rules.
#[derive(Debug, Clone)]
struct World {
    capacity: u32,
    connected: u64,
    /// All who are connected, and what they have been told if they are inside.
    people: BTreeMap<PeerId, Option<View>>,
    /// Those who must be inside by what everybody said, longest present first, and their names.
    inside: Vec<(PeerId, Option<&'static str>)>,
    silent: BTreeSet<PeerId>,
    locked: bool,
}

impl World {
    const fn new(capacity: u32) -> Self {
        Self {
            capacity,
            connected: 0,
            people: BTreeMap::new(),
            inside: Vec::new(),
            silent: BTreeSet::new(),
            locked: false,
        }
    }

    fn who(&self, who: Who) -> Option<PeerId> {
        match who {
            Who::Member(place) => {
                let place = place.checked_rem(self.inside.len())?;
                Some(self.inside[place].0)
            }
            Who::Anybody(place) => nth(&self.people, place),
        }
    }

    fn host(&self) -> Option<PeerId> {
        self.inside.first().map(|&(peer, _)| peer)
    }

    fn is_inside(&self, peer: PeerId) -> bool {
        self.inside.iter().any(|&(member, _)| member == peer)
    }

    /// What a step must lead to; nothing where there is nobody to take it.
    fn outcome(&self, step: Step) -> Option<Outcome> {
        Some(match step {
            Step::Connects => Outcome::Connects(PeerId::from_random(self.connected + 1)),
            Step::Joins(who, name) => match self.who(who)? {
                peer if self.is_inside(peer) => Outcome::Renames(peer, name),
                peer if self.locked => Outcome::Refuses(peer, ErrorCode::RoomLocked),
                peer if self.inside.len() == self.capacity as usize => {
                    Outcome::Refuses(peer, ErrorCode::RoomFull)
                }
                peer => Outcome::ComesIn(peer, name),
            },
            Step::Leaves(who) => self.goes(self.who(who)?, LeaveReason::Left),
            Step::Drops(who) | Step::Loses(who) => match self.who(who)? {
                peer if self.is_inside(peer) => return None,
                _ => Outcome::Nothing,
            },
            Step::FallsSilent(who) => {
                self.who(who)?;
                Outcome::Nothing
            }
            Step::Misses(by, whom) => {
                let (by, whom) = self.who(by).zip(self.who(whom))?;
                match self.is_inside(by) && self.is_inside(whom) && by != whom {
                    true if self.silent.contains(&whom) => return None,
                    true => Outcome::Nothing,
                    false => Outcome::Refuses(by, ErrorCode::UnknownPeer),
                }
            }
            Step::Signals(from, to) => {
                let (from, to) = self.who(from).zip(self.who(to))?;
                match self.is_inside(from) && self.is_inside(to) && from != to {
                    true => Outcome::Tells(signal(to, from, json!(1))),
                    false => Outcome::Refuses(from, ErrorCode::UnknownPeer),
                }
            }
            Step::Locks(by, on) => match self.who(by)? {
                by if self.host() != Some(by) => Outcome::Refuses(by, ErrorCode::NotAllowed),
                _ if self.locked == on => Outcome::Nothing,
                _ => Outcome::Locks(on),
            },
            Step::AsksToMute(by, whom) => {
                self.by_host(by, whom, |whom| Outcome::Tells(asked_to_mute(whom)))?
            }
            Step::Removes(by, whom) => {
                self.by_host(by, whom, |whom| Outcome::Goes(whom, LeaveReason::Removed))?
            }
        })
    }

    fn goes(&self, peer: PeerId, reason: LeaveReason) -> Outcome {
        match self.is_inside(peer) {
            true => Outcome::Goes(peer, reason),
            false => Outcome::Nothing,
        }
    }

    /// What somebody does to another member, which only the host may.
    fn by_host(&self, by: Who, whom: Who, does: fn(PeerId) -> Outcome) -> Option<Outcome> {
        let (by, whom) = self.who(by).zip(self.who(whom))?;
        Some(if self.host() != Some(by) {
            Outcome::Refuses(by, ErrorCode::NotAllowed)
        } else if whom == by || !self.is_inside(whom) {
            Outcome::Refuses(by, ErrorCode::UnknownPeer)
        } else {
            does(whom)
        })
    }

    /// Takes note of what people know by themselves.
    fn happens(&mut self, outcome: &Outcome) {
        match *outcome {
            Outcome::Connects(peer) => {
                self.connected += 1;
                self.people.insert(peer, None);
            }
            Outcome::ComesIn(peer, name) => self.inside.push((peer, name)),
            Outcome::Renames(peer, name) => {
                let member = self.inside.iter_mut().find(|(member, _)| *member == peer);
                member.unwrap().1 = name;
            }
            Outcome::Goes(peer, reason) => {
                self.inside.retain(|&(member, _)| member != peer);
                self.locked &= !self.inside.is_empty();
                // Who is removed is inside until it hears of it.
                if reason == LeaveReason::Left {
                    self.people.insert(peer, None);
                }
            }
            Outcome::Locks(on) => self.locked = on,
            Outcome::Nothing | Outcome::Tells(_) | Outcome::Refuses(..) => {}
        }
    }

    /// Takes note of what was heard. What may not be heard fails.
    fn hears(&mut self, step: Step, outcome: &Outcome, heard: &[Heard]) {
        // An object that wakes up and misses somebody does not know whether it was the host.
        let told_again = matches!(step, Step::Loses(_));
        let alone = matches!(
            outcome,
            Outcome::Connects(_) | Outcome::Tells(_) | Outcome::Refuses(..)
        );
        if alone {
            assert_eq!(heard.len(), 1, "{outcome:?}, but {heard:?}");
        }
        for each @ (to, message) in heard {
            let name_of = |peer| self.inside.iter().find(|&&(member, _)| member == peer);
            let name_of = |peer| name_of(peer).expect("a member").1;
            let view = self.people.get_mut(to);
            let view = view.unwrap_or_else(|| panic!("{to:?} is gone and heard {message:?}"));
            match message {
                ServerMessage::Welcome { id, .. } => {
                    assert_eq!((id, outcome), (to, &Outcome::Connects(*to)));
                }
                ServerMessage::Room {
                    host,
                    locked,
                    capacity,
                    resume: _,
                } => {
                    assert_eq!(*capacity, self.capacity);
                    match view {
                        Some(view) => {
                            let before = (view.host, view.locked);
                            let news = before != (*host, *locked);
                            assert!(news || told_again, "{to:?} knew that");
                            (view.host, view.locked) = (*host, *locked);
                        }
                        None => {
                            let came = matches!(outcome, Outcome::ComesIn(peer, _) if peer == to);
                            assert!(came, "{to:?} is let in by {outcome:?}");
                            *view = Some(View {
                                host: *host,
                                locked: *locked,
                                others: Vec::new(),
                            });
                        }
                    }
                }
                ServerMessage::PeerJoined { peer, resume } => {
                    let view = view.as_mut().expect("the room is heard of first");
                    let came = matches!(outcome, Outcome::ComesIn(newcomer, _)
                        if [*to, peer.id].contains(newcomer));
                    assert!(came, "{to:?} meets {:?} by {outcome:?}", peer.id);
                    assert_eq!(peer.name.as_deref(), name_of(peer.id));
                    assert!(peer.interests.is_empty() && peer.offer.is_none());
                    assert_eq!(*resume, None);
                    view.others.push((peer.id, peer.role));
                }
                ServerMessage::PeerLeft { peer, reason } => {
                    assert_eq!(outcome, &Outcome::Goes(*peer, *reason));
                    let inside = view.as_mut().expect("who is outside misses nobody");
                    if peer == to {
                        assert_eq!(*reason, LeaveReason::Removed);
                        *view = None;
                    } else {
                        let known = inside.others.iter().position(|(other, _)| other == peer);
                        inside
                            .others
                            .remove(known.expect("only who came can leave"));
                    }
                }
                ServerMessage::Signal { .. } | ServerMessage::AskedToMute {} => {
                    assert_eq!(outcome, &Outcome::Tells(each.clone()));
                }
                ServerMessage::Error { code, .. } => {
                    assert_eq!(outcome, &Outcome::Refuses(*to, *code));
                }
                ServerMessage::Waiting {}
                | ServerMessage::PeerAway { .. }
                | ServerMessage::PeerBack { .. }
                | ServerMessage::StillThere {}
                | ServerMessage::Redirect { .. } => panic!("{to:?} heard {message:?}"),
            }
        }
    }

    /// What must be true between any two events: whoever is inside knows it, and knows how the room
    /// stands and who else is there, each once, longest present first.
    fn is_sound(&self) {
        assert!(self.inside.len() <= self.capacity as usize);
        let mut offers = BTreeMap::new();
        for (&peer, view) in &self.people {
            let Some(view) = view else {
                assert!(!self.is_inside(peer), "{peer:?} is inside and was not told");
                continue;
            };
            assert!(self.is_inside(peer), "{peer:?} is out and was not told");
            assert_eq!(Some(view.host), self.host(), "to {peer:?}");
            assert_eq!(view.locked, self.locked, "to {peer:?}");
            let others = self.inside.iter().map(|&(member, _)| member);
            let others: Vec<_> = others.filter(|&member| member != peer).collect();
            let known: Vec<_> = view.others.iter().map(|&(other, _)| other).collect();
            assert_eq!(known, others, "to {peer:?}");
            for &(other, role) in &view.others {
                let pair = (peer.min(other), peer.max(other));
                *offers.entry(pair).or_insert(0) += u32::from(role == Role::Offerer);
            }
        }
        for (pair, offers) in offers {
            assert_eq!(offers, 1, "so many offer of {pair:?}");
        }
    }
}

impl world::World for World {
    type Actor = Room;
    type Step = Step;

    fn does(&mut self, step: &Step, script: &mut Script<Room>) {
        let Some(outcome) = self.outcome(*step) else {
            return;
        };
        let who = |who| self.who(who).expect("it has an outcome");
        match *step {
            Step::Connects => {
                script.connects(self.connected + 1);
            }
            Step::Joins(peer, name) => script.joins(who(peer), name),
            Step::Leaves(peer) => script.leaves(who(peer)),
            Step::Drops(peer) => {
                let peer = who(peer);
                script.drops(peer);
                self.people.remove(&peer);
            }
            Step::Loses(peer) => {
                let peer = who(peer);
                script.loses(peer);
                self.people.remove(&peer);
            }
            Step::FallsSilent(peer) => {
                let peer = who(peer);
                self.silent.insert(peer);
                script.silent.insert(peer);
            }
            Step::Misses(by, whom) => {
                let (by, whom) = (who(by), who(whom));
                script.misses(by, whom);
                if let Outcome::Goes(gone, _) = outcome {
                    self.people.remove(&gone);
                }
            }
            Step::Signals(from, to) => script.signals(who(from), who(to)),
            Step::Locks(by, on) => script.locks(who(by), on),
            Step::AsksToMute(by, whom) => script.asks_to_mute(who(by), who(whom)),
            Step::Removes(by, whom) => script.removes(who(by), who(whom)),
        }
        self.happens(&outcome);
    }

    fn agree(awake: &Script<Room>, sleepy: &Script<Room>) {
        assert_eq!(awake.attachments, sleepy.attachments);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_of_rooms_hold(
        capacity in 2..5_u32,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut script = Script::of(move || Room::new(capacity, KEY));
        let mut world = World::new(capacity);
        for step in steps {
            let outcome = world.outcome(step).unwrap_or(Outcome::Nothing);
            world.does(&step, &mut script);
            world.hears(step, &outcome, &script.heard());
            world.is_sound();
        }
    }

    #[test]
    fn restoring_equals_never_having_slept(
        capacity in 2..5_u32,
        steps in prop::collection::vec((step(), any::<bool>()), 1..80),
    ) {
        world::sleeping_changes_nothing(World::new(capacity), move || Room::new(capacity, KEY), steps);
    }
}
