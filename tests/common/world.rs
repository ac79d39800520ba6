//! People who take random steps, for the tests of what holds whatever happens.

use std::collections::BTreeMap;

use echomingle::core::actor::Actor;
use echomingle::core::id::PeerId;

use super::{Heard, Script};

/// Everybody's knowledge together: what they said and heard, and nothing of the actor's own books.
pub(crate) trait World: Clone {
    /// What they are in.
    type Actor: Actor;
    /// What may happen.
    type Step;

    /// Does a step in the script, and takes note of what everybody says by it.
    fn does(&mut self, step: &Self::Step, script: &mut Script<Self::Actor>);

    /// Takes note of what was heard, as far as the next step depends on it, and checks nothing.
    fn learns(&mut self, _heard: &[Heard]) {}

    /// What has to be the same of an actor that slept and of one that did not, beside what was heard.
    fn agree(awake: &Script<Self::Actor>, sleepy: &Script<Self::Actor>);
}

/// The same steps, in one script that never sleeps and in one that sleeps after some of them.
pub(crate) fn sleeping_changes_nothing<W: World>(
    mut world: W,
    empty: impl Fn() -> W::Actor + Clone + 'static,
    steps: Vec<(W::Step, bool)>,
) {
    let mut awake = Script::of(empty.clone());
    let mut sleepy = Script::of(empty);
    for (step, sleeps) in steps {
        world.clone().does(&step, &mut sleepy);
        world.does(&step, &mut awake);
        if sleeps {
            sleepy.forgets();
        }
        let heard = awake.heard();
        assert_eq!(heard, sleepy.heard());
        W::agree(&awake, &sleepy);
        world.learns(&heard);
    }
}

/// Somebody, by its place among those who are there, which counts round and round.
pub(crate) fn nth<T>(people: &BTreeMap<PeerId, T>, place: usize) -> Option<PeerId> {
    let place = place.checked_rem(people.len())?;
    people.keys().copied().nth(place)
}
