//! What people in the lobby know who take random steps, and the rules of matching and of coming back: checked
//! against what they said and heard, and never against the lobby's own books.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use arbitrary::{Arbitrary, Unstructured};
use echomingle::core::id::PeerId;
use echomingle::core::lobby::{Lobby, RECENT};
use echomingle::core::protocol::{
    ClientMessage, ErrorCode, LeaveReason, Mode, Role, ServerMessage,
};
use echomingle::core::redacted::Redacted;
use serde_json::Value;

use super::world::{DAY, GRACE, PARTICULAR, PROOF, SILENCE, grace, nth, span, until};
use super::{Heard, Script, away, back, left, other, still_there, welcome, welcome_back};

/// What somebody brings who searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
pub(crate) enum Prepared {
    Nothing,
    Offer,
    OfferThatCrosses,
}

/// What may happen. People are named by their place among those who are there.
#[derive(Debug, Clone, Arbitrary)]
pub(crate) enum Step {
    Connects,
    Finds(
        u8,
        #[arbitrary(with = mode)] Mode,
        #[arbitrary(with = likes)] Vec<&'static str>,
        Prepared,
    ),
    /// Has prepared another offer, whether it waits or not.
    Renews(u8),
    BothSkip(u8),
    Leaves(u8),
    Signals(u8, u8),
    /// To its partner, be it there or away.
    SignalsOn(u8),
    GoesAway(u8),
    Drops(u8),
    /// Its socket is gone while the object sleeps.
    Loses(u8),
    FallsSilent(u8),
    /// One of those who are gone connects, and takes its latest token.
    ComesBack(u8),
    /// Somebody takes one of all tokens that were ever given, counted from the latest.
    Resumes(u8, u8),
    Forges(u8),
    Deploys,
    Passes(#[arbitrary(with = span)] u64),
}

/// What somebody may like.
pub(crate) const LIKES: [&str; 3] = ["go", "jazz", "chess"];

fn mode(u: &mut Unstructured<'_>) -> arbitrary::Result<Mode> {
    u.choose(&[Mode::Video, Mode::Text]).copied()
}

fn likes(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<&'static str>> {
    let set: u8 = u.arbitrary()?;
    let liked = LIKES.into_iter().enumerate();
    let liked = liked.filter(|(place, _)| set >> place & 1 == 1);
    Ok(liked.map(|(_, like)| like).collect())
}

/// What one person knows of itself.
#[derive(Debug, Clone, Default)]
struct Person {
    searching: Option<Search>,
    call: Option<Call>,
    recent: Vec<PeerId>,
    leaving: bool,
    /// Since when its network is gone.
    silent: Option<u64>,
    claims: Option<Claim>,
}

#[derive(Debug, Clone)]
struct Search {
    place: usize,
    since: u64,
    mode: Mode,
    likes: Vec<&'static str>,
    offer: Option<Redacted>,
    crosses: bool,
}

impl Search {
    /// Whose offer is taken of two, whether both are, and what each of them gets.
    fn offers(&self, other: &Self) -> (Role, bool, Option<Redacted>) {
        let crossed = [self, other]
            .iter()
            .all(|it| it.crosses && it.offer.is_some());
        let first = self.place < other.place;
        let role = match (&self.offer, &other.offer) {
            (Some(_), None) => Role::Offerer,
            (None, Some(_)) => Role::Answerer,
            (Some(_), Some(_)) | (None, None) if first => Role::Offerer,
            (Some(_), Some(_)) | (None, None) => Role::Answerer,
        };
        let gets = crossed || role == Role::Answerer;
        (role, crossed, other.offer.clone().filter(|_| gets))
    }
}

#[derive(Debug, Clone, Copy)]
struct Call {
    partner: PeerId,
    role: Role,
    /// Until when the partner may come back, if it is away.
    away: Option<u64>,
}

/// What somebody was when it was given a token.
#[derive(Debug, Clone)]
struct Pass {
    owner: PeerId,
    given: u64,
    call: Option<(PeerId, Role)>,
    recent: Vec<PeerId>,
}

#[derive(Debug, Clone)]
struct Claim {
    pass: Pass,
    until: u64,
}

/// Everybody's knowledge together, and the rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    people: BTreeMap<PeerId, Person>,
    now: u64,
    places: usize,
    connected: u64,
    /// What each token stands for that was ever given.
    passes: Vec<Pass>,
    /// What has to be heard of lost and resumed seats, by whom, in order.
    due: BTreeMap<PeerId, Vec<ServerMessage<Value>>>,
    /// Whose claims are to be decided now, and on what, in order.
    decided: VecDeque<(PeerId, Claim)>,
    /// Who connects, to take another seat at once, it may be.
    newcomer: Option<PeerId>,
    /// From whom to whom a signal goes.
    signaled: Option<(PeerId, PeerId)>,
}

const fn opposite(role: Role) -> Role {
    match role {
        Role::Offerer => Role::Answerer,
        Role::Answerer => Role::Offerer,
    }
}

impl World {
    fn who(&self, place: u8) -> Option<PeerId> {
        nth(&self.people, place)
    }

    fn person(&mut self, peer: PeerId) -> &mut Person {
        self.people.get_mut(&peer).unwrap()
    }

    fn call(&self, peer: PeerId) -> Option<Call> {
        self.people.get(&peer)?.call
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

    fn connects(&mut self, peer: PeerId) {
        self.people.insert(peer, Person::default());
        self.has_to_hear(welcome(peer));
        self.keeps_token(peer);
        self.newcomer = Some(peer);
    }

    /// Whoever says something is not silent, and stays for now.
    fn speaks(&mut self, peer: PeerId) {
        let person = self.person(peer);
        (person.silent, person.leaving) = (None, false);
    }

    /// Somebody searches, in these words.
    fn finds(
        &mut self,
        peer: PeerId,
        mode: Mode,
        likes: &[&'static str],
        prepared: Prepared,
    ) -> ClientMessage<Value> {
        self.speaks(peer);
        self.places += 1;
        let (places, now) = (self.places, self.now);
        let offer = (prepared != Prepared::Nothing).then(|| format!("{places} of {peer}").into());
        let crosses = prepared == Prepared::OfferThatCrosses;
        let person = self.person(peer);
        (person.call, person.claims) = (None, None);
        let before = person.searching.take().filter(|search| search.mode == mode);
        let (place, since) = before.map_or((places, now), |was| (was.place, was.since));
        person.searching = Some(Search {
            place,
            since,
            mode,
            likes: likes.into(),
            offer: offer.clone(),
            crosses,
        });
        ClientMessage::Find {
            mode,
            interests: likes.iter().map(|&like| like.into()).collect(),
            offer,
            crosses,
            last: None,
        }
    }

    /// Whether nothing was heard of somebody for so long that nobody may meet it.
    fn is_dead(&self, peer: PeerId) -> bool {
        let silent = self.people[&peer].silent;
        silent.is_some_and(|since| since + SILENCE < self.now)
    }

    /// Somebody's socket was given up: because it waits and is dead, or because its seat is claimed.
    fn is_evicted(&mut self, peer: PeerId) {
        if self
            .decided
            .iter()
            .any(|(_, claim)| claim.pass.owner == peer)
        {
            return;
        }
        assert!(self.people[&peer].searching.is_some(), "{peer:?} is needed");
        assert!(self.is_dead(peer), "{peer:?} lives");
        self.is_gone(peer, GRACE);
    }

    fn has_to_hear(&mut self, (to, message): Heard) {
        self.due.entry(to).or_default().push(message);
    }

    fn is_refused(&mut self, peer: PeerId) {
        let (code, message) = (ErrorCode::BadToken, String::new());
        self.has_to_hear((peer, ServerMessage::Error { code, message }));
    }

    /// Somebody's socket is gone. A call goes on without it for so long.
    fn is_gone(&mut self, peer: PeerId, grace: u64) {
        let until = self.now + grace;
        let person = self.people.remove(&peer).unwrap();
        if let Some(call) = person.call
            && call.away.is_none()
        {
            let partner = self.person(call.partner);
            partner.call.as_mut().expect("a call of two").away = Some(until);
            self.has_to_hear(away(call.partner, peer));
        }
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
        self.speaks(by);
        let person = &self.people[&by];
        let idle = person.searching.is_none() && person.call.is_none() && person.claims.is_none();
        let mut claims = self.people.values().filter_map(|it| it.claims.as_ref());
        let pass = pass.filter(|pass| {
            let claimed = claims.any(|claim| claim.pass.owner == pass.owner);
            idle && !claimed && pass.owner != by && self.now < pass.given + DAY
        });
        match pass {
            None => self.is_refused(by),
            Some(pass) if self.people.contains_key(&pass.owner) => {
                self.has_to_hear(still_there(pass.owner));
                let until = self.now + PROOF;
                self.person(by).claims = Some(Claim { pass, until });
            }
            Some(pass) => self.takes(by, pass),
        }
    }

    /// Somebody takes the seat that was its own, and the call that it was in if that goes on.
    fn takes(&mut self, by: PeerId, pass: Pass) {
        let Pass { owner, recent, .. } = pass;
        self.person(by).claims = None;
        let call = match pass.call {
            None => None,
            Some((partner, role)) if !self.people.contains_key(&partner) => Some(Call {
                partner,
                role,
                away: Some(self.now + GRACE),
            }),
            Some((partner, _)) => match self.call(partner) {
                Some(theirs) if theirs.partner == owner => Some(Call {
                    partner,
                    role: opposite(theirs.role),
                    away: None,
                }),
                _ => {
                    let person = self.person(by);
                    for met in recent {
                        if !person.recent.contains(&met) {
                            person.recent.push(met);
                        }
                    }
                    person.recent.truncate(RECENT);
                    return self.is_refused(by);
                }
            },
        };
        let silent = self.people.remove(&by).unwrap().silent;
        let person = Person {
            call,
            recent,
            silent,
            ..Person::default()
        };
        self.people.insert(owner, person);
        let peers = call.iter().map(|it| other((it.partner, None), it.role));
        self.has_to_hear(welcome_back(owner, peers.collect()));
        if let Some(Call {
            partner,
            away: gone,
            ..
        }) = call
        {
            if gone.is_some() {
                self.has_to_hear(away(owner, partner));
            } else if let Some(theirs) = &mut self.person(partner).call
                && theirs.away.take().is_some()
            {
                self.has_to_hear(back(partner, owner));
            }
        }
        self.is_free(by);
    }

    /// What comes by time alone.
    fn passes(&mut self, millis: u64) {
        self.now += millis;
        for peer in self.people.keys().copied().collect::<Vec<_>>() {
            if let Some(call) = self.call(peer)
                && call.away.is_some_and(|until| until <= self.now)
            {
                self.person(peer).call = None;
                self.has_to_hear(left(peer, call.partner, LeaveReason::Lost));
            }
        }
        let claims = self.people.iter();
        let claims = claims.filter_map(|(&by, person)| Some((by, person.claims.clone()?)));
        let mut claims: Vec<_> = claims.filter(|(_, it)| it.until <= self.now).collect();
        claims.sort_by_key(|(_, claim)| (claim.until, claim.pass.owner));
        self.decided = claims.into();
    }

    /// The next claim is decided; whoever met in this moment has met before that.
    fn decides(&mut self) -> bool {
        let Some((by, claim)) = self.decided.pop_front() else {
            return false;
        };
        let owner = claim.pass.owner;
        // Whoever claims may have got another seat meanwhile, or the owner may have.
        let still = |person: &Person| person.claims.as_ref().map(|it| it.pass.owner);
        if self.people.get(&by).and_then(still) == Some(owner) {
            let silent = self.people[&owner].silent;
            if silent.is_some_and(|since| since < claim.until - PROOF) {
                let leaving = self.people[&owner].leaving;
                self.is_gone(owner, grace(leaving));
            } else {
                self.person(by).claims = None;
                self.is_refused(by);
            }
        }
        true
    }

    /// Somebody hears what it has to hear, and nothing before that.
    fn is_due(&mut self, to: PeerId, message: &ServerMessage<Value>) {
        while self.due.get(&to).is_none_or(Vec::is_empty) {
            assert!(self.decides(), "{to:?} heard {message:?}");
        }
        let due = self.due.get_mut(&to).unwrap().remove(0);
        assert_eq!(*message, due, "{to:?}");
    }

    /// In how many milliseconds something comes by time alone.
    fn next(&self) -> impl Iterator<Item = u64> {
        let people = self.people.values();
        let all = people.flat_map(|person| {
            let claim = person.claims.as_ref().map(|claim| claim.until);
            [claim, person.call.and_then(|call| call.away)]
        });
        all.flatten().map(|until| until - self.now)
    }

    /// A token was given to somebody as it is now.
    fn keeps_token(&mut self, owner: PeerId) {
        let person = &self.people[&owner];
        self.passes.push(Pass {
            owner,
            given: self.now,
            call: person.call.map(|call| (call.partner, call.role)),
            recent: person.recent.clone(),
        });
    }

    /// Two of whom both have heard, and the rules by which they met.
    fn pair(&mut self, one: PeerId, other: PeerId) {
        let search = |peer: PeerId| self.people[&peer].searching.clone().expect("it searches");
        let (a, b) = (search(one), search(other));
        assert_eq!(a.mode, b.mode);
        for peer in [one, other] {
            assert!(!self.is_dead(peer), "{peer:?} is met and dead");
        }
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
            let person = self.person(peer);
            person.searching = None;
            person.recent.retain(|&met| met != partner);
            person.recent.insert(0, partner);
            person.recent.truncate(RECENT);
        }
    }
}

impl super::world::World for World {
    type Actor = Lobby;
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

    fn does(&mut self, step: &Step, script: &mut Script<Lobby>) {
        self.signaled = None;
        match *step {
            Step::Connects => {
                self.connected += 1;
                let peer = script.connects(self.connected);
                self.connects(peer);
            }
            Step::Finds(who, mode, ref likes, prepared) => {
                if let Some(peer) = self.who(who) {
                    let find = self.finds(peer, mode, likes, prepared);
                    script.sends(peer, &find);
                }
            }
            Step::Renews(who) => {
                if let Some(peer) = self.who(who) {
                    self.speaks(peer);
                    self.places += 1;
                    let offer = format!("{} of {peer}", self.places);
                    script.renews(peer, &offer);
                    if let Some(search) = &mut self.person(peer).searching {
                        search.offer = Some(offer.into());
                    }
                }
            }
            Step::BothSkip(who) => {
                if let Some(peer) = self.who(who)
                    && let Some(Call {
                        partner,
                        away: None,
                        ..
                    }) = self.call(peer)
                {
                    // Both frames are on their way before either is answered.
                    let both = [peer, partner];
                    let finds =
                        both.map(|peer| self.finds(peer, Mode::Video, &[], Prepared::Nothing));
                    for (peer, find) in both.iter().zip(finds) {
                        script.sends(*peer, &find);
                    }
                }
            }
            Step::Leaves(who) => {
                if let Some(peer) = self.who(who) {
                    self.speaks(peer);
                    let person = self.person(peer);
                    (person.searching, person.call, person.claims) = (None, None, None);
                    script.leaves(peer);
                }
            }
            Step::Signals(from, to) => {
                if let (Some(from), Some(to)) = (self.who(from), self.who(to)) {
                    self.speaks(from);
                    self.signaled = Some((from, to));
                    script.signals(from, to);
                }
            }
            Step::SignalsOn(who) => {
                if let Some(from) = self.who(who)
                    && let Some(Call { partner: to, .. }) = self.call(from)
                {
                    self.speaks(from);
                    self.signaled = Some((from, to));
                    script.signals(from, to);
                }
            }
            Step::GoesAway(who) => {
                if let Some(peer) = self.who(who) {
                    self.speaks(peer);
                    self.person(peer).leaving = true;
                    script.goes_away(peer);
                }
            }
            Step::Drops(who) => {
                if let Some(peer) = self.who(who) {
                    self.is_gone(peer, grace(self.people[&peer].leaving));
                    script.drops(peer);
                }
            }
            Step::Loses(who) => {
                if let Some(peer) = self.who(who) {
                    // Nothing is left of what it said.
                    self.is_gone(peer, GRACE);
                    script.loses(peer);
                }
            }
            Step::FallsSilent(who) => {
                if let Some(peer) = self.who(who) {
                    let now = self.now;
                    self.person(peer).silent.get_or_insert(now);
                    script.falls_silent(peer);
                }
            }
            Step::ComesBack(nth) => {
                let owners = self.passes.iter().map(|pass| pass.owner);
                let gone = owners.filter(|owner| !self.people.contains_key(owner));
                let gone: Vec<_> = gone.collect::<BTreeSet<_>>().into_iter().collect();
                if let Some(nth) = usize::from(nth).checked_rem(gone.len()) {
                    let mut passes = self.passes.iter().rev();
                    let pass = passes.find(|pass| pass.owner == gone[nth]).cloned();
                    let by = script.comes_back(gone[nth]);
                    self.connects(by);
                    self.resumes(by, pass);
                }
            }
            Step::Resumes(who, token) => {
                if let Some(by) = self.who(who)
                    && let Some(token) = usize::from(token).checked_rem(self.passes.len())
                {
                    let token = self.passes.len() - 1 - token;
                    self.resumes(by, Some(self.passes[token].clone()));
                    let (_, token) = script.tokens[token].clone();
                    script.resumes(by, &token);
                }
            }
            Step::Forges(who) => {
                if let Some(by) = self.who(who) {
                    self.resumes(by, None);
                    script.resumes(by, "e30.e30");
                }
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
        for peer in std::mem::take(&mut script.evicted) {
            self.is_evicted(peer);
        }
    }

    fn hears(&mut self, step: &Step, heard: &[Heard]) {
        let mut signals = 0;
        let mut met = BTreeSet::new();
        for each @ (to, message) in heard {
            match message {
                ServerMessage::Welcome { .. } => {
                    self.is_due(*to, message);
                    if self.newcomer.take_if(|newcomer| newcomer == to).is_none() {
                        self.keeps_token(*to);
                    }
                }
                ServerMessage::PeerAway { .. }
                | ServerMessage::PeerBack { .. }
                | ServerMessage::StillThere {} => self.is_due(*to, message),
                ServerMessage::Waiting {} => {
                    assert!(self.people[to].searching.is_some(), "{to:?} waits unasked");
                }
                ServerMessage::PeerJoined { peer, .. } => {
                    assert_ne!(&peer.id, to, "somebody meets itself");
                    assert!(self.call(*to).is_none(), "{to:?} is in two calls");
                    assert!(met.insert(*to), "{to:?} is told twice");
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
                    if !met.contains(&peer.id) {
                        let search = |who: &PeerId| self.people[who].searching.clone().unwrap();
                        let (mine, its) = (search(to), search(&peer.id));
                        for (told, offers) in [(peer, mine.offers(&its)), (back, its.offers(&mine))]
                        {
                            assert_eq!((told.role, told.crossed, told.offer.clone()), offers);
                        }
                        self.pair(*to, peer.id);
                    }
                    self.person(*to).call = Some(Call {
                        partner: peer.id,
                        role: peer.role,
                        away: None,
                    });
                    self.keeps_token(*to);
                }
                ServerMessage::PeerLeft {
                    reason: LeaveReason::Lost,
                    ..
                } => self.is_due(*to, message),
                ServerMessage::PeerLeft { peer, reason } => {
                    let reasons = match step {
                        Step::Leaves(_) => LeaveReason::Left,
                        Step::Finds(..) | Step::BothSkip(_) => LeaveReason::Skipped,
                        _ => panic!("{to:?} heard {message:?}"),
                    };
                    assert_eq!(*reason, reasons);
                    // Who skips at the same time has no partner any more, and hears nothing or this.
                    if let Some(call) = self.person(*to).call.take() {
                        assert_eq!(call.partner, *peer, "{to:?} lost somebody else");
                    }
                }
                ServerMessage::Signal { from, data } => {
                    signals += 1;
                    assert_eq!(self.signaled, Some((*from, *to)), "a signal went astray");
                    let there = self.call(*from).is_some_and(|call| call.partner == *to);
                    assert!(there, "{to:?} is in no call with {from:?}");
                    assert_eq!(data, &Value::from(1));
                }
                ServerMessage::Error {
                    code: ErrorCode::BadToken,
                    ..
                } => {
                    let (code, message) = (ErrorCode::BadToken, String::new());
                    self.is_due(*to, &ServerMessage::Error { code, message });
                }
                ServerMessage::Error { code, .. } => {
                    signals += 1;
                    assert_eq!(*code, ErrorCode::UnknownPeer);
                    let (from, whom) = self.signaled.expect("nobody signaled");
                    assert_eq!(from, *to);
                    let call = self.call(from);
                    assert!(
                        call.is_none_or(|call| call.partner != whom),
                        "a signal to the partner was refused"
                    );
                }
                ServerMessage::Room { .. }
                | ServerMessage::AskedToMute {}
                | ServerMessage::Redirect { .. } => panic!("{each:?}"),
            }
        }
        while self.decides() {}
        self.due.retain(|_, all| !all.is_empty());
        assert!(self.due.is_empty(), "not heard: {:?}", self.due);
        if let Some((from, to)) = self.signaled {
            let call = self.call(from);
            let to_nobody = call.is_some_and(|call| call.partner == to && call.away.is_some());
            assert_eq!(signals, usize::from(!to_nobody));
            assert_eq!(signals, heard.len());
        }
    }

    fn is_sound(&self, script: &Script<Lobby>) {
        assert!(self.people.keys().eq(script.attachments.keys()));
        let mut sides = 0;
        for (peer, person) in &self.people {
            let Some(call) = person.call else { continue };
            let theirs = self.call(call.partner);
            let theirs = theirs.filter(|theirs| theirs.partner == *peer);
            match (call.away, theirs) {
                (None, None) => panic!("{peer:?} is in a call of one"),
                (None, Some(theirs)) => {
                    sides += 1;
                    assert_eq!(theirs.role, opposite(call.role), "both offer or both wait");
                }
                (Some(_), None) => sides += 2,
                (Some(_), Some(_)) => panic!("{peer:?} misses who is there"),
            }
        }
        let count = |n: usize| u32::try_from(n).unwrap();
        let waiting: Vec<_> = self.searching().map(|(peer, _)| peer).collect();
        let stats = script.actor.stats();
        assert_eq!(stats.online, count(self.people.len()));
        assert_eq!(stats.waiting, count(waiting.len()), "somebody was lost");
        assert_eq!(stats.calls, count(sides) / 2);
        for &one in &waiting {
            for &other in &waiting {
                assert!(
                    !self.suit(one, other, self.now),
                    "{one:?} and {other:?} could have met"
                );
            }
        }
    }

    fn agree(awake: &Script<Lobby>, sleepy: &Script<Lobby>) {
        let counts = |script: &Script<Lobby>| {
            let stats = script.actor.stats();
            (stats.online, stats.waiting, stats.calls)
        };
        assert_eq!(counts(awake), counts(sleepy));
    }
}
