//! People who take random steps, for the tests of what holds whatever happens.

use std::collections::BTreeMap;

use arbitrary::Unstructured;
use echomingle::core::actor::Actor;
use echomingle::core::id::PeerId;

use super::{Heard, Script};

/// For how long people are particular, in milliseconds, as the page tells them.
pub(crate) const PARTICULAR: u64 = 1_500;
/// For how long a seat is kept, as `welcome` tells them.
pub(crate) const GRACE: u64 = 15_000;
/// And for how long when its page said that it goes away.
const SHORT_GRACE: u64 = 4_000;
/// How long somebody has to show that it lives, as `still-there` tells them.
pub(crate) const PROOF: u64 = 2_000;
/// For how long somebody who is missed may have been silent.
pub(crate) const SILENCE: u64 = 45_000;
/// For how long a token can be used.
pub(crate) const DAY: u64 = 24 * 60 * 60 * 1_000;

/// For how long the seat of somebody is kept.
pub(crate) const fn grace(leaving: bool) -> u64 {
    if leaving { SHORT_GRACE } else { GRACE }
}

/// Everybody's knowledge together: what they said and heard, and nothing of the actor's own books.
pub(crate) trait World: Clone {
    /// What they are in.
    type Actor: Actor;
    /// What may happen.
    type Step: Clone;

    /// The first part of a step, and what remains of it: time passes from one moment to the next at which
    /// something may be heard, so that it is seen to be heard then and not later.
    fn split(&self, step: Self::Step, alarm: Option<u64>) -> (Self::Step, Option<Self::Step>);

    /// Does a step in the script, and takes note of what everybody says by it.
    fn does(&mut self, step: &Self::Step, script: &mut Script<Self::Actor>);

    /// Takes note of what was heard. What may not be heard fails, and what has to be and was not.
    fn hears(&mut self, step: &Self::Step, heard: &[Heard]);

    /// What must be true between any two events.
    fn is_sound(&self, script: &Script<Self::Actor>);

    /// What has to be the same of an actor that slept and of one that did not, beside what was heard.
    fn agree(awake: &Script<Self::Actor>, sleepy: &Script<Self::Actor>);
}

/// Steps, and the rules after each of them.
pub(crate) fn the_rules_hold<W: World>(
    mut world: W,
    empty: impl Fn() -> W::Actor + 'static,
    steps: Vec<W::Step>,
) {
    let mut script = Script::of(empty);
    for step in steps {
        let mut next = Some(step);
        while let Some(step) = next {
            let (step, rest) = world.split(step, script.alarm_in());
            next = rest;
            world.does(&step, &mut script);
            world.hears(&step, &script.heard());
            world.is_sound(&script);
        }
    }
}

/// The same steps, in one script that never sleeps, and whose actor handles every message, and in one that
/// sleeps after some of them until somebody needs it, and has relayed signals go the short way, awake or asleep.
pub(crate) fn sleeping_changes_nothing<W: World>(
    mut world: W,
    empty: impl Fn() -> W::Actor + Clone + 'static,
    steps: Vec<(W::Step, bool)>,
) {
    let mut awake = Script::of(empty.clone()).the_long_way();
    let mut sleepy = Script::of(empty);
    for (step, sleeps) in steps {
        let mut next = Some(step);
        while let Some(step) = next {
            let (step, rest) = world.split(step, awake.alarm_in());
            next = rest;
            world.clone().does(&step, &mut sleepy);
            world.does(&step, &mut awake);
            if sleeps {
                sleepy.sleeps();
            }
            let heard = awake.heard();
            assert_eq!(heard, sleepy.heard());
            assert_eq!(awake.tokens, sleepy.tokens);
            assert_eq!(awake.notes, sleepy.notes);
            if sleepy.restored {
                W::agree(&awake, &sleepy);
            }
            world.hears(&step, &heard);
            world.is_sound(&awake);
        }
    }
}

/// Some milliseconds: a time that means something, or nearly that.
pub(crate) fn span(u: &mut Unstructured<'_>) -> arbitrary::Result<u64> {
    let times = [1, PROOF, PARTICULAR, SHORT_GRACE, GRACE, SILENCE, DAY];
    let around: i8 = u.arbitrary()?;
    let nearly = u.choose(&times)?.saturating_add_signed(around.into());
    Ok(nearly.max(1))
}

/// The first of so many milliseconds, until the next of what is to come in so many, and the rest of them.
pub(crate) fn until(millis: u64, next: impl IntoIterator<Item = u64>) -> (u64, Option<u64>) {
    let next = next.into_iter().min().unwrap_or(millis).max(1);
    match millis.checked_sub(next) {
        Some(0) | None => (millis, None),
        Some(rest) => (next, Some(rest)),
    }
}

/// Somebody, by its place among those who are there, which counts round and round.
pub(crate) fn nth<T>(people: &BTreeMap<PeerId, T>, place: u8) -> Option<PeerId> {
    let place = usize::from(place).checked_rem(people.len())?;
    people.keys().copied().nth(place)
}
