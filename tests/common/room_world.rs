//! What people in a room know who take random steps, and the rules of rooms and of coming back: checked against
//! what they said and heard, and never against the room's own books.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use echomingle::core::id::PeerId;
use echomingle::core::protocol::{ErrorCode, LeaveReason, Role, ServerMessage};
use echomingle::core::room::Room;
use serde_json::json;

use super::world::{DAY, GRACE, PROOF, SILENCE, grace, nth, span, until};
use super::{
    Heard, Script, asked_to_mute, away, back, left, other, room, signal, still_there, welcome,
    welcome_back,
};

/// People are named by their place among those who are inside, longest present first, or among all who
/// are connected.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(crate) enum Who {
    Member(u8),
    Anybody(u8),
    /// Whoever was there first, if it is not away.
    Host,
}

/// What may happen.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(crate) enum Step {
    Connects,
    Joins(Who, #[arbitrary(with = name)] Option<&'static str>),
    Leaves(Who),
    GoesAway(Who),
    Drops(Who),
    /// Its socket is gone while the object sleeps.
    Loses(Who),
    /// Its network is gone, and nobody knows.
    FallsSilent(Who),
    Misses(Who, Who),
    Signals(Who, Who),
    /// To one of those whom it heard of, be they there or away.
    SignalsOn(Who, u8),
    Locks(Who, bool),
    AsksToMute(Who, Who),
    Removes(Who, Who),
    RemovesOneAway(Who),
    /// One of those who are gone connects, and takes its latest token.
    ComesBack(u8),
    /// Somebody takes one of all tokens that were ever given, counted from the latest.
    Resumes(Who, u8),
    Forges(Who),
    Deploys,
    Passes(#[arbitrary(with = span)] u64),
}

/// What somebody may be called, if anything.
pub(crate) const NAMES: [Option<&str>; 3] = [None, Some("Ana"), Some("Ben")];

fn name(u: &mut Unstructured<'_>) -> arbitrary::Result<Option<&'static str>> {
    u.choose(&NAMES).copied()
}

/// What one person knows of itself.
#[derive(Debug, Clone, Default)]
struct Person {
    inside: Option<Member>,
    leaving: bool,
    /// Since when its network is gone.
    silent: Option<u64>,
    claims: Option<Claim>,
}

#[derive(Debug, Clone)]
struct Member {
    /// The how manieth it was of all who came in since nobody was inside.
    coming: u64,
    name: Option<&'static str>,
    /// Whom it was told of, and not that they are gone.
    others: Vec<Other>,
    /// Who the host is and whether the room is locked, as it was told last.
    told: Option<(PeerId, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Other {
    peer: PeerId,
    coming: u64,
}

/// What somebody was when it was given a token.
#[derive(Debug, Clone)]
struct Pass {
    owner: PeerId,
    given: u64,
    inside: Option<Member>,
    locked: bool,
    comings: u64,
}

#[derive(Debug, Clone)]
struct Claim {
    pass: Pass,
    until: u64,
}

/// Everybody's knowledge together, and the rules.
#[derive(Debug, Clone)]
pub(crate) struct World {
    capacity: u32,
    connected: u64,
    now: u64,
    comings: u64,
    people: BTreeMap<PeerId, Person>,
    /// Those whom somebody inside knows and who may come back, until when, and when they came.
    away: BTreeMap<PeerId, (u64, u64)>,
    locked: bool,
    /// What each token stands for that was ever given.
    passes: Vec<Pass>,
    /// What has to be heard, and nothing else.
    due: Vec<Heard>,
}

/// The role of who came at one time towards who came at another: whoever was there offers.
const fn role(own: u64, other: u64) -> Role {
    if own < other {
        Role::Offerer
    } else {
        Role::Answerer
    }
}

fn error(to: PeerId, code: ErrorCode) -> Heard {
    let message = String::new();
    (to, ServerMessage::Error { code, message })
}

impl World {
    pub(crate) const fn new(capacity: u32) -> Self {
        Self {
            capacity,
            connected: 0,
            now: 0,
            comings: 0,
            people: BTreeMap::new(),
            away: BTreeMap::new(),
            locked: false,
            passes: Vec::new(),
            due: Vec::new(),
        }
    }

    /// Those inside who are there, longest present first.
    fn present(&self) -> Vec<PeerId> {
        let people = self.people.iter();
        let inside = people.filter_map(|(&peer, it)| Some((it.inside.as_ref()?.coming, peer)));
        let inside: BTreeSet<_> = inside.collect();
        inside.into_iter().map(|(_, peer)| peer).collect()
    }

    /// Those of them who know somebody.
    fn friends(&self, whom: PeerId) -> Vec<PeerId> {
        let knows = |&peer: &PeerId| self.knows(peer, whom);
        self.present().into_iter().filter(knows).collect()
    }

    fn knows(&self, peer: PeerId, whom: PeerId) -> bool {
        let member = self.member(peer);
        member.is_some_and(|member| member.others.iter().any(|other| other.peer == whom))
    }

    fn member(&self, peer: PeerId) -> Option<&Member> {
        self.people.get(&peer)?.inside.as_ref()
    }

    fn member_mut(&mut self, peer: PeerId) -> &mut Member {
        let inside = self.people.get_mut(&peer).unwrap().inside.as_mut();
        inside.expect("somebody inside")
    }

    fn who(&self, who: Who) -> Option<PeerId> {
        match who {
            Who::Member(place) => {
                let present = self.present();
                Some(present[usize::from(place).checked_rem(present.len())?])
            }
            Who::Anybody(place) => nth(&self.people, place),
            Who::Host => {
                let host = self.host()?;
                self.people.contains_key(&host).then_some(host)
            }
        }
    }

    /// Whoever was there first of those who are there or away.
    fn host(&self) -> Option<PeerId> {
        let present = self.present().into_iter();
        let there = present.map(|peer| (self.member(peer).unwrap().coming, peer));
        let away = self.away.iter().map(|(&peer, &(_, coming))| (coming, peer));
        Some(there.chain(away).min()?.1)
    }

    fn standing(&self) -> Option<(PeerId, bool)> {
        let anybody = !self.present().is_empty();
        anybody.then(|| (self.host().unwrap(), self.locked))
    }

    /// Somebody has to hear something, and keeps the token in it.
    fn has_to_hear(&mut self, each: Heard) {
        let (to, message) = &each;
        if let ServerMessage::Room { host, locked, .. } = message {
            self.member_mut(*to).told = Some((*host, *locked));
        }
        if matches!(
            message,
            ServerMessage::Welcome { .. }
                | ServerMessage::Room { .. }
                | ServerMessage::PeerJoined { .. }
        ) {
            self.passes.push(Pass {
                owner: *to,
                given: self.now,
                inside: self.member(*to).cloned(),
                locked: self.locked,
                comings: self.comings,
            });
        }
        self.due.push(each);
    }

    fn hears_of_room(&mut self, to: PeerId) {
        let (host, locked) = self.standing().unwrap();
        self.has_to_hear(room(to, host, locked, self.capacity));
    }

    /// One member hears of another one.
    fn hears_of(&mut self, to: PeerId, whom: PeerId) {
        let (own, theirs) = (self.member(to).unwrap(), self.member(whom).unwrap());
        let role = role(own.coming, theirs.coming);
        let peer = other((whom, theirs.name), role);
        let resume = None;
        self.has_to_hear((to, ServerMessage::PeerJoined { peer, resume }));
    }

    /// Whoever is away and known to nobody any more is forgotten.
    fn forgets(&mut self) {
        let forgotten = |peer: &PeerId| self.friends(*peer).is_empty();
        let forgotten: Vec<_> = self.away.keys().copied().filter(forgotten).collect();
        for peer in forgotten {
            self.away.remove(&peer);
        }
    }

    /// All hear how the room stands if that has changed, or is not what somebody was told.
    fn settles(&mut self, before: Option<(PeerId, bool)>) {
        self.empties();
        let standing = self.standing();
        let misled = |peer: &PeerId| self.member(*peer).unwrap().told != standing;
        if before.is_some() && standing != before || self.present().iter().any(misled) {
            self.all_hear_of_room();
        }
    }

    /// Nothing is left of an empty room.
    fn empties(&mut self) {
        self.forgets();
        if self.present().is_empty() {
            (self.locked, self.comings) = (false, 0);
        }
    }

    fn all_hear_of_room(&mut self) {
        for to in self.present() {
            self.hears_of_room(to);
        }
    }

    fn connects(&mut self, peer: PeerId) {
        self.people.insert(peer, Person::default());
        self.has_to_hear(welcome(peer));
    }

    /// Whoever says something is not silent, stays for now, and waits for no other seat.
    fn speaks(&mut self, peer: PeerId) {
        let person = self.people.get_mut(&peer).unwrap();
        (person.silent, person.leaving, person.claims) = (None, false, None);
    }

    fn joins(&mut self, peer: PeerId, name: Option<&'static str>) {
        let present = self.present();
        if present.contains(&peer) {
            self.member_mut(peer).name = name;
        } else if self.locked {
            self.has_to_hear(error(peer, ErrorCode::RoomLocked));
        } else if present.len() + self.away.len() >= self.capacity as usize {
            self.has_to_hear(error(peer, ErrorCode::RoomFull));
        } else {
            self.comings += 1;
            let member = Member {
                coming: self.comings,
                name,
                others: Vec::new(),
                told: None,
            };
            self.people.get_mut(&peer).unwrap().inside = Some(member);
            self.is_introduced(peer, &present);
        }
    }

    /// Somebody hears how the room stands, and it and others of each other.
    fn is_introduced(&mut self, peer: PeerId, others: &[PeerId]) {
        for &other in others {
            for (one, other) in [(peer, other), (other, peer)] {
                let coming = self.member(other).unwrap().coming;
                let other = Other {
                    peer: other,
                    coming,
                };
                self.member_mut(one).others.push(other);
            }
        }
        self.hears_of_room(peer);
        for &other in others {
            self.hears_of(other, peer);
            self.hears_of(peer, other);
        }
    }

    /// Everybody who knows somebody hears that it is gone.
    fn is_missed(&mut self, peer: PeerId, reason: LeaveReason) {
        for to in self.friends(peer) {
            self.member_mut(to).others.retain(|it| it.peer != peer);
            self.has_to_hear(left(to, peer, reason));
        }
        self.away.remove(&peer);
    }

    fn leaves(&mut self, peer: PeerId, reason: LeaveReason) {
        if let Some(person) = self.people.get_mut(&peer) {
            person.inside = None;
        }
        self.is_missed(peer, reason);
    }

    /// Somebody's socket is gone, and its place is kept for so long.
    fn is_gone(&mut self, peer: PeerId, grace: u64) {
        let person = self.people.remove(&peer).unwrap();
        if let Some(member) = person.inside {
            for to in self.friends(peer) {
                let until = self.now + grace;
                self.away.insert(peer, (until, member.coming));
                self.has_to_hear(away(to, peer));
            }
        }
        self.forgets();
        self.is_free(peer);
    }

    /// A seat is free for who claims it.
    fn is_free(&mut self, peer: PeerId) {
        let claims = |person: &Person| person.claims.clone().filter(|it| it.pass.owner == peer);
        let mut people = self.people.iter();
        if let Some((by, claim)) = people.find_map(|(&by, person)| Some((by, claims(person)?))) {
            self.takes(by, claim.pass);
        }
    }

    /// Somebody takes a token: nothing for one that was never given.
    fn resumes(&mut self, by: PeerId, pass: Option<Pass>) {
        let mut claims = self.people.values().filter_map(|it| it.claims.as_ref());
        let pass = pass.filter(|pass| {
            let claimed = claims.any(|claim| claim.pass.owner == pass.owner);
            let outside = self.member(by).is_none();
            outside && !claimed && pass.owner != by && self.now < pass.given + DAY
        });
        match pass {
            None => self.has_to_hear(error(by, ErrorCode::BadToken)),
            Some(pass) if self.people.contains_key(&pass.owner) => {
                self.has_to_hear(still_there(pass.owner));
                let until = self.now + PROOF;
                self.people.get_mut(&by).unwrap().claims = Some(Claim { pass, until });
            }
            Some(pass) => self.takes(by, pass),
        }
    }

    /// Somebody takes the seat that was its own, and its place inside if somebody there knows it, or if
    /// nobody is there.
    fn takes(&mut self, by: PeerId, pass: Pass) {
        self.people.get_mut(&by).unwrap().claims = None;
        let peer = pass.owner;
        let (friends, present) = (self.friends(peer), self.present());
        if pass.inside.is_some() && friends.is_empty() && !present.is_empty() {
            return self.has_to_hear(error(by, ErrorCode::BadToken));
        }
        let silent = self.people.remove(&by).unwrap().silent;
        let person = Person {
            silent,
            ..Person::default()
        };
        self.people.insert(peer, person);
        match pass.inside {
            Some(member) => {
                let was = (pass.locked, pass.comings);
                self.is_inside_again(peer, member, was, &friends);
            }
            None => {
                self.has_to_hear(welcome(peer));
                self.is_missed(peer, LeaveReason::Lost);
            }
        }
        self.is_free(by);
    }

    fn is_inside_again(
        &mut self,
        peer: PeerId,
        mut member: Member,
        (locked, comings): (bool, u64),
        friends: &[PeerId],
    ) {
        if let Some((_, coming)) = self.away.remove(&peer) {
            // A token may be of another time inside, its own or that of others.
            member.coming = coming;
            self.comings = self.comings.max(comings);
            let away = |it: &Other| self.away.get(&it.peer).map(|&(_, coming)| coming);
            member.others.retain(|it| away(it) == Some(it.coming));
        } else {
            (self.locked, self.comings) = (locked, comings);
            let others = member.others.iter();
            let gone = others.filter(|it| !self.people.contains_key(&it.peer));
            let until = self.now + GRACE;
            self.away = gone.map(|it| (it.peer, (until, it.coming))).collect();
            member.others.retain(|it| self.away.contains_key(&it.peer));
        }
        for &friend in friends {
            let coming = self.member(friend).unwrap().coming;
            let peer = friend;
            member.others.push(Other { peer, coming });
        }
        member.others.sort_by_key(|it| it.coming);
        let peers = member.others.iter().map(|it| {
            let name = self.member(it.peer).and_then(|member| member.name);
            other((it.peer, name), role(member.coming, it.coming))
        });
        let peers = peers.collect();
        let others = member.others.clone();
        member.told = None;
        self.people.get_mut(&peer).unwrap().inside = Some(member);
        self.has_to_hear(welcome_back(peer, peers));
        for other in others {
            if self.away.contains_key(&other.peer) {
                self.has_to_hear(away(peer, other.peer));
            }
        }
        for &friend in friends {
            self.has_to_hear(back(friend, peer));
        }
        let mut strangers = self.present();
        strangers.retain(|it| *it != peer && !friends.contains(it));
        self.is_introduced(peer, &strangers);
    }

    /// What comes by time alone.
    fn passes(&mut self, millis: u64) {
        self.now += millis;
        let before = self.standing();
        let late = self
            .away
            .iter()
            .filter(|(_, (until, _))| *until <= self.now);
        let late: BTreeSet<_> = late.map(|(&peer, &(_, coming))| (coming, peer)).collect();
        for (_, peer) in late {
            self.is_missed(peer, LeaveReason::Lost);
        }
        self.settles(before);
        let claims = self.people.iter();
        let claims = claims.filter_map(|(&by, person)| Some((by, person.claims.clone()?)));
        let mut claims: Vec<_> = claims.filter(|(_, it)| it.until <= self.now).collect();
        claims.sort_by_key(|(_, claim)| (claim.until, claim.pass.owner));
        for (by, claim) in claims {
            let owner = claim.pass.owner;
            // Whoever claims may have got another seat meanwhile, or the owner may have.
            let still = |person: &Person| person.claims.as_ref().map(|it| it.pass.owner);
            if self.people.get(&by).and_then(still) == Some(owner)
                && !self.is_looked_for(owner, claim.until - PROOF)
            {
                self.people.get_mut(&by).unwrap().claims = None;
                self.has_to_hear(error(by, ErrorCode::BadToken));
            }
        }
    }

    /// Somebody is looked for who should have shown since then that it lives. Whether it is gone.
    fn is_looked_for(&mut self, peer: PeerId, since: u64) -> bool {
        let person = &self.people[&peer];
        let dead = person.silent.is_some_and(|silent| silent < since);
        if dead {
            let before = self.standing();
            self.is_gone(peer, grace(person.leaving));
            self.settles(before);
        }
        dead
    }

    /// In how many milliseconds something comes by time alone.
    fn next(&self) -> impl Iterator<Item = u64> {
        let people = self.people.values();
        let claims = people.filter_map(|person| Some(person.claims.as_ref()?.until));
        let away = self.away.values().map(|&(until, _)| until);
        claims.chain(away).map(|until| until - self.now)
    }

    /// Whether somebody may do what only the host may; who may not is told.
    fn may(&mut self, by: PeerId) -> bool {
        let may = self.host() == Some(by);
        if !may {
            self.has_to_hear(error(by, ErrorCode::NotAllowed));
        }
        may
    }

    /// Whether somebody knows another one, and is told otherwise.
    fn may_speak_to(&mut self, by: PeerId, whom: PeerId) -> bool {
        let may = self.knows(by, whom);
        if !may {
            self.has_to_hear(error(by, ErrorCode::UnknownPeer));
        }
        may
    }

    fn removes(&mut self, by: PeerId, whom: PeerId) {
        if self.may(by) && self.may_speak_to(by, whom) {
            let there = self.people.contains_key(&whom);
            self.leaves(whom, LeaveReason::Removed);
            if there {
                self.has_to_hear(left(whom, whom, LeaveReason::Removed));
            }
        }
    }

    fn signals(&mut self, from: PeerId, to: PeerId) {
        if self.may_speak_to(from, to) && !self.away.contains_key(&to) {
            self.has_to_hear(signal(to, from, json!(1)));
        }
    }

    /// What somebody does, and what that leads to.
    fn acts(&mut self, step: Step, script: &mut Script<Room>) -> Option<()> {
        match step {
            Step::Joins(peer, name) => {
                let peer = self.who(peer)?;
                self.speaks(peer);
                self.joins(peer, name);
                script.joins(peer, name);
            }
            Step::Leaves(peer) => {
                let peer = self.who(peer)?;
                self.speaks(peer);
                self.leaves(peer, LeaveReason::Left);
                script.leaves(peer);
            }
            Step::GoesAway(peer) => {
                let peer = self.who(peer)?;
                self.speaks(peer);
                self.people.get_mut(&peer)?.leaving = true;
                script.goes_away(peer);
            }
            Step::Drops(peer) => {
                let peer = self.who(peer)?;
                self.is_gone(peer, grace(self.people[&peer].leaving));
                script.drops(peer);
            }
            Step::Loses(peer) => {
                let peer = self.who(peer)?;
                let missed = !self.friends(peer).is_empty();
                // Nothing is left of what it said.
                self.is_gone(peer, GRACE);
                // Nor of how the room stood.
                if missed {
                    self.empties();
                    self.all_hear_of_room();
                } else {
                    self.settles(None);
                }
                script.loses(peer);
            }
            Step::FallsSilent(peer) => {
                let peer = self.who(peer)?;
                let now = self.now;
                self.people.get_mut(&peer)?.silent.get_or_insert(now);
                script.falls_silent(peer);
            }
            Step::Misses(by, whom) => {
                let (by, whom) = self.who(by).zip(self.who(whom))?;
                self.speaks(by);
                if self.may_speak_to(by, whom)
                    && let Some(since) = self.now.checked_sub(SILENCE)
                {
                    self.is_looked_for(whom, since);
                }
                script.misses(by, whom);
            }
            Step::Signals(from, to) => {
                let (from, to) = self.who(from).zip(self.who(to))?;
                self.speaks(from);
                self.signals(from, to);
                script.signals(from, to);
            }
            Step::SignalsOn(from, to) => {
                let from = self.who(from)?;
                let others = &self.member(from)?.others;
                let to = others[usize::from(to).checked_rem(others.len())?].peer;
                self.speaks(from);
                self.signals(from, to);
                script.signals(from, to);
            }
            Step::Locks(by, on) => {
                let by = self.who(by)?;
                self.speaks(by);
                if self.may(by) {
                    self.locked = on;
                }
                script.locks(by, on);
            }
            Step::AsksToMute(by, whom) => {
                let (by, whom) = self.who(by).zip(self.who(whom))?;
                self.speaks(by);
                if self.may(by) && self.may_speak_to(by, whom) {
                    self.has_to_hear(asked_to_mute(whom));
                }
                script.asks_to_mute(by, whom);
            }
            Step::Removes(by, whom) => {
                let (by, whom) = self.who(by).zip(self.who(whom))?;
                self.speaks(by);
                self.removes(by, whom);
                script.removes(by, whom);
            }
            Step::RemovesOneAway(by) => {
                let (by, &whom) = self.who(by).zip(self.away.keys().next())?;
                self.speaks(by);
                self.removes(by, whom);
                script.removes(by, whom);
            }
            Step::ComesBack(nth) => {
                let owners = self.passes.iter().map(|pass| pass.owner);
                let gone = owners.filter(|owner| !self.people.contains_key(owner));
                let gone: Vec<_> = gone.collect::<BTreeSet<_>>().into_iter().collect();
                let peer = gone[usize::from(nth).checked_rem(gone.len())?];
                let mut passes = self.passes.iter().rev();
                let pass = passes.find(|pass| pass.owner == peer).cloned();
                let by = script.comes_back(peer);
                self.connects(by);
                self.resumes(by, pass);
            }
            Step::Resumes(by, token) => {
                let by = self.who(by)?;
                let token =
                    self.passes.len() - 1 - usize::from(token).checked_rem(self.passes.len())?;
                self.speaks(by);
                self.resumes(by, Some(self.passes[token].clone()));
                let (_, token) = script.tokens[token].clone();
                script.resumes(by, &token);
            }
            Step::Forges(by) => {
                let by = self.who(by)?;
                self.speaks(by);
                self.resumes(by, None);
                script.resumes(by, "e30.e30");
            }
            Step::Connects => {
                self.connected += 1;
                let peer = script.connects(self.connected);
                self.connects(peer);
            }
            Step::Deploys => {
                self.people.clear();
                script.deploys();
            }
            Step::Passes(millis) => {
                self.passes(millis);
                script.passes(millis);
            }
        }
        Some(())
    }
}

impl super::world::World for World {
    type Actor = Room;
    type Step = Step;

    fn split(&self, step: Step, alarm: Option<u64>) -> (Step, Option<Step>) {
        match step {
            Step::Passes(millis) => {
                let (first, rest) = until(millis, self.next().chain(alarm));
                (Step::Passes(first), rest.map(Step::Passes))
            }
            step => (step, None),
        }
    }

    fn does(&mut self, step: &Step, script: &mut Script<Room>) {
        let before = self.standing();
        self.acts(*step, script);
        // These are more than one event, or one of which nobody knows what was before.
        if !matches!(step, Step::Passes(_) | Step::Misses(..) | Step::Loses(_)) {
            self.settles(before);
        }
    }

    fn hears(&mut self, _: &Step, heard: &[Heard]) {
        let codes = |each: &Heard| match each {
            (to, ServerMessage::Error { code, .. }) => error(*to, *code),
            other => other.clone(),
        };
        let heard: Vec<_> = heard.iter().map(codes).collect();
        assert_eq!(heard, std::mem::take(&mut self.due), "heard, and due");
    }

    /// Whoever is inside knows how the room stands and who else is there, each once; and of those who are
    /// away everybody is known to somebody.
    fn is_sound(&self, script: &Script<Room>) {
        assert!(self.people.keys().eq(script.attachments.keys()));
        let present = self.present();
        assert!(present.len() + self.away.len() <= self.capacity as usize);
        for &peer in self.away.keys() {
            assert!(!self.people.contains_key(&peer), "{peer:?} is there");
        }
        for &peer in &present {
            let member = self.member(peer).unwrap();
            assert_eq!(member.told, self.standing(), "to {peer:?}");
            let known: BTreeSet<_> = member.others.iter().map(|other| other.peer).collect();
            assert_eq!(known.len(), member.others.len(), "to {peer:?}");
            for &other in present.iter().filter(|&&other| other != peer) {
                assert!(known.contains(&other), "{peer:?} never heard of {other:?}");
            }
            for other in &member.others {
                let coming = match self.member(other.peer) {
                    Some(there) => there.coming,
                    None => self.away[&other.peer].1,
                };
                assert_eq!(coming, other.coming, "{peer:?} of {other:?}");
            }
        }
    }

    fn agree(awake: &Script<Room>, sleepy: &Script<Room>) {
        assert_eq!(awake.attachments, sleepy.attachments);
    }
}
