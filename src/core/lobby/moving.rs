//! How somebody who waits moves to another lobby, and how a lobby tells of itself.
//!
//! The other lobby is asked first: it gives a token of its own, which says all that it has to know, and remembers
//! nothing. Then the one who moves is told, and is in no queue any more, so that nobody meets it twice. Who never
//! goes, for its client knows no `redirect`, waits here again after a while.

use serde::{Deserialize, Serialize};

use super::{Lobby, Pass, Seat, Status, count};
use crate::core::actor::{Effect, LastHeard};
use crate::core::compact::{pack, unpack};
use crate::core::directory::{Advice, Report, Stranded};
use crate::core::id::PeerId;
use crate::core::layout::LobbyName;
use crate::core::note::Note;
use crate::core::outlook::{ALONE, MOST_ALONE};
use crate::core::protocol::{LeaveReason, Mode, ServerMessage};
use crate::core::queue::Wish;
use crate::core::redacted::Redacted;
use crate::core::time::{Millis, Timestamp};

/// How long another lobby may take to answer.
const ANSWERED: Millis = Millis::new(3_000);
/// How long somebody may take to leave for another lobby, or else to show that it lives: it asks every 25 seconds
/// whether the connection does (`pages/lib/signaling.js`).
const GONE: Millis = Millis::new(30_000);

/// Somebody on the way to another lobby, and for whom it was looking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Moving {
    pub(super) wish: Wish,
    /// Which of all moves this is.
    number: u64,
    /// When it was told to go, if it was.
    told: Option<Timestamp>,
    /// When it waits here again.
    pub(super) until: Timestamp,
}

impl Moving {
    /// Which of all moves this is.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }
}

/// What another lobby has to know of somebody who comes.
type Arrival = (PeerId, Vec<PeerId>, Wish);

impl Lobby {
    /// A token for somebody of another lobby who is to take its place here (`arrival` of [`Effect::HandOver`]).
    #[must_use]
    pub fn expect(&self, arrival: &[u8], now: Timestamp) -> Option<Redacted> {
        let (peer, recent, wish): Arrival = unpack(arrival)?;
        let pass = Pass {
            call: None,
            recent,
            wish: Some(wish),
        };
        let sealed = self.signer.seal_for_now(peer, pass, now)?;
        Some(self.addressed(&sealed))
    }

    /// A token says in clear of which lobby it is.
    pub(super) fn addressed(&self, sealed: &Redacted) -> Redacted {
        format!("{}.{}", self.outlook.name, sealed.expose()).into()
    }

    /// The token without its address; or the lobby that it is of, if that is not this one.
    pub(super) fn ours<'t>(&self, token: &'t str) -> Result<&'t str, LobbyName> {
        match split(token) {
            Some((other, _)) if other != self.outlook.name => Err(other),
            Some((_, sealed)) => Ok(sealed),
            None => Ok(token),
        }
    }

    /// Somebody who waits for nothing here is to look elsewhere.
    pub(super) fn move_to(
        &mut self,
        peer: PeerId,
        to: LobbyName,
        wish: Wish,
        now: Timestamp,
        effects: &mut Vec<Effect<'_>>,
    ) {
        let Some(seat) = self.seats.get_mut(&peer) else {
            return;
        };
        let arrival: Arrival = (peer, seat.recent.clone(), wish);
        let packed = pack(&arrival);
        // An answer from before a sleep is never taken for that to a later move.
        self.moves = (self.moves + 1).max(now.unix_millis());
        let moving = Moving {
            wish: arrival.2,
            number: self.moves,
            told: None,
            until: now.after(ANSWERED),
        };
        self.moving.insert((moving.until, peer));
        effects.push(Effect::HandOver {
            peer,
            number: moving.number,
            to,
            arrival: packed.unwrap_or_default(),
        });
        seat.status = Status::Moving(moving);
        effects.push(Effect::Save { peer });
    }

    /// Another lobby has answered.
    pub(super) fn expected(
        &mut self,
        peer: PeerId,
        number: u64,
        token: Option<Redacted>,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'_>>,
    ) {
        let Some(Seat {
            status: Status::Moving(moving),
            ..
        }) = self.seats.get_mut(&peer)
        else {
            return;
        };
        if moving.number != number || moving.told.is_some() {
            return;
        }
        let to = token.as_ref().and_then(|token| split(token.expose()));
        let Some((to, _)) = to else {
            return self.stay(peer, now, heard, effects);
        };
        self.moving.remove(&(moving.until, peer));
        moving.until = now.after(GONE);
        moving.told = Some(now);
        self.moving.insert((moving.until, peer));
        let waited_ms = now.since(moving.wish.since()).get();
        effects.push(Effect::Save { peer });
        effects.push(redirect(peer, to, token));
        effects.push(Effect::Count(Note::Moved { waited_ms }));
    }

    /// Whoever did not go waits here again.
    pub(super) fn settle(
        &mut self,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'_>>,
    ) {
        while let Some(&(until, peer)) = self.moving.first()
            && until <= now
        {
            self.moving.pop_first();
            let told = match self.seats.get(&peer).map(|seat| &seat.status) {
                Some(Status::Moving(moving)) => moving.told,
                Some(
                    Status::Idle | Status::Waiting(_) | Status::InCall(_) | Status::Claiming(_),
                )
                | None => continue,
            };
            if told.is_some() && heard(peer) < told {
                self.evict(peer, now, effects);
            } else {
                self.stay(peer, now, heard, effects);
            }
        }
    }

    /// The move of somebody who was told to go, if it was. What it says after that it said before it heard of it.
    pub(super) fn told_to_go(&self, peer: PeerId) -> Option<Moving> {
        match &self.seats.get(&peer)?.status {
            Status::Moving(moving) => moving.told.is_some().then(|| moving.clone()),
            Status::Idle | Status::Waiting(_) | Status::InCall(_) | Status::Claiming(_) => None,
        }
    }

    /// Somebody is still to go, and if it does not, looks for this one here.
    pub(super) fn still_goes(
        &mut self,
        peer: PeerId,
        moving: Moving,
        wish: Wish,
        effects: &mut Vec<Effect<'_>>,
    ) {
        self.moving.insert((moving.until, peer));
        self.set(peer, Status::Moving(Moving { wish, ..moving }), effects);
        effects.push(Effect::Send {
            to: peer,
            message: ServerMessage::Waiting {},
        });
    }

    fn stay(
        &mut self,
        peer: PeerId,
        now: Timestamp,
        heard: LastHeard<'_>,
        effects: &mut Vec<Effect<'_>>,
    ) {
        if let Some(wish) = self.end(peer, LeaveReason::Left, effects) {
            self.search(peer, wish, now, heard, effects);
        }
    }

    /// The directory has answered.
    pub(super) fn advised(
        &mut self,
        advice: Advice,
        now: Timestamp,
        effects: &mut Vec<Effect<'_>>,
    ) {
        self.outlook.hears(advice.layout, now);
        for (peer, to) in advice.moves {
            if to != self.outlook.name
                && self.wish(peer).is_some()
                && let Some(wish) = self.end(peer, LeaveReason::Left, effects)
            {
                self.move_to(peer, to, wish, now, effects);
            }
        }
    }

    /// Tells of itself when it is time to.
    pub(super) fn report(&mut self, now: Timestamp, effects: &mut Vec<Effect<'_>>) {
        let seats = |effect: &Effect<'_>| {
            matches!(
                effect,
                Effect::Save { .. } | Effect::Rename { .. } | Effect::Evict { .. }
            )
        };
        if effects.iter().any(seats) {
            self.outlook.changes(now);
        }
        if self.report_due().is_none_or(|at| now < at) {
            return;
        }
        let queues = [&self.video, &self.text];
        let waiting = queues.into_iter().flat_map(|queue| {
            let all = queue.all().filter_map(|peer| self.stranded(peer));
            all.take_while(|who| who.since.after(ALONE) <= now)
        });
        let stranded: Vec<_> = waiting.take(MOST_ALONE).collect();
        let (people, calls) = self.census();
        let report = Report {
            lobby: self.outlook.name,
            people,
            waiting: queues.map(|queue| count(queue.len())),
            calls,
            messages: self.outlook.messages.a_second(now),
            searches: self.outlook.searches.a_second(now),
            waits: self.waits,
            stranded,
            layout: self.outlook.reminder(),
        };
        let alone = report.stranded.iter();
        let shortest = alone.clone().map(|who| now.since(who.since)).min();
        self.outlook.tells(alone.map(|who| who.peer), shortest, now);
        effects.push(Effect::Report(report));
    }

    /// When to tell next.
    pub(super) fn report_due(&self) -> Option<Timestamp> {
        let begins = |told: Option<Timestamp>| {
            // Who was alone by then was told of.
            let known = told.map(|told| told.before(ALONE));
            let first = |mode| self.queue(mode).first_after(known);
            let first = [first(Mode::Video), first(Mode::Text)];
            Some(first.into_iter().flatten().min()?.after(ALONE))
        };
        let waits = |peer| self.wish(peer).is_some();
        self.outlook.due(begins, waits)
    }

    fn stranded(&self, peer: PeerId) -> Option<Stranded> {
        let seat = self.seats.get(&peer)?;
        let wish = self.wish(peer)?;
        Some(Stranded {
            peer,
            region: seat.region,
            mode: wish.mode,
            interests: wish.interests.clone(),
            since: wish.since(),
        })
    }
}

/// Of which lobby a token is, and the rest of it; nothing where it does not say so.
fn split(token: &str) -> Option<(LobbyName, &str)> {
    let (address, sealed) = token.split_once('.')?;
    Some((address.parse().ok()?, sealed))
}

/// To the address of another lobby, which is beside this one's.
pub(super) fn redirect<'a>(to: PeerId, lobby: LobbyName, resume: Option<Redacted>) -> Effect<'a> {
    let url = format!("/v1/match/{lobby}");
    Effect::Send {
        to,
        message: ServerMessage::Redirect { url, resume },
    }
}
