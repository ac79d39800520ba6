//! What is looked at once a second: who waits beside whom, and whether all are accounted for.

use std::collections::BTreeMap;

use echomingle::core::protocol::Mode;

use crate::people::{Person, State};
use crate::simulation::Simulation;

/// When somebody is not particular any more, in milliseconds (`PARTICULAR` in src/core/queue.rs).
const PATIENT: u64 = 1_500;
/// The two of a call are looked at every so many seconds.
const CALLS: u64 = 15;
/// What is kept of the time is every so many seconds of a day of 300.
const POINTS: u64 = 300;

impl Simulation {
    pub(crate) fn look(&mut self) {
        if self.closing {
            return;
        }
        let now = self.now();
        self.find_stranded();
        if (now / 1_000).is_multiple_of(CALLS) {
            self.compare_calls();
        }
        let online = u64::from(self.online.iter().sum::<u32>());
        let lobbies = self.lobbies_in_use();
        if self.tally.measured {
            self.tally.person_seconds += online;
            self.tally.most_online = self.tally.most_online.max(online);
            self.tally.most_lobbies = self.tally.most_lobbies.max(lobbies);
        }
        let whole = self.setup.begins() + self.setup.measured;
        if (now / 1_000).is_multiple_of((whole / 1_000 / POINTS).max(1)) {
            let layout = self.directory.directory.layout().lobbies().count();
            let point = [now / 1_000, online, lobbies as u64, layout as u64];
            self.tally.history.push(point);
        }
    }

    /// Whoever waits while somebody does who suits, anywhere: same mode, not just met, and both open or of one
    /// interest.
    fn find_stranded(&mut self) {
        let now = self.now();
        let mut open: [Vec<u32>; 2] = Default::default();
        let mut by_interest: BTreeMap<(bool, u16), Vec<u32>> = BTreeMap::new();
        let mut waiting = Vec::new();
        let people = &mut self.people;
        self.searchers.retain(|&who| {
            let person = &mut people[who as usize];
            person.listed = person.state == State::Searching;
            if !person.listed || person.socket.is_none() {
                person.stranded = 0;
            } else {
                waiting.push(who);
            }
            person.listed
        });
        for &who in &waiting {
            let person = &self.people[who as usize];
            let text = person.mode == Mode::Text;
            if is_open(person, now) {
                open[usize::from(text)].push(who);
            }
            for &interest in &person.interests {
                by_interest.entry((text, interest)).or_default().push(who);
            }
        }
        let mut with = Vec::new();
        for &who in &waiting {
            let person = &self.people[who as usize];
            let text = person.mode == Mode::Text;
            let lines = person.interests.iter();
            let lines = lines.filter_map(|&interest| by_interest.get(&(text, interest)));
            let any = is_open(person, now).then_some(&open[usize::from(text)]);
            let mut others = any.into_iter().chain(lines).flatten();
            if others.any(|&other| other != who && suit(person, &self.people[other as usize])) {
                with.push(who);
            }
        }
        let mut with = with.into_iter().peekable();
        for who in waiting {
            let person = &mut self.people[who as usize];
            if with.next_if_eq(&who).is_none() {
                person.stranded = 0;
                continue;
            }
            person.stranded += 1;
            person.stranded_in_all += 1;
            if self.tally.measured {
                // As many looks as seconds, less the one it began with.
                let whole = u64::from(person.stranded) - 1;
                self.tally.longest_stranded = self.tally.longest_stranded.max(whole);
                self.tally.stranded_for_5 += u64::from(whole == 6);
            }
        }
    }

    /// Whether those who are in a call are in it together.
    fn compare_calls(&mut self) {
        for who in 0..self.people.len() {
            let person = &self.people[who];
            if person.state != State::InCall {
                continue;
            }
            let other = &self.people[person.partner_person as usize];
            let together = other.state == State::InCall && other.partner == person.peer;
            let person = &mut self.people[who];
            if together {
                person.half_call = 0;
                if self.tally.measured {
                    self.tally.in_call_seconds += CALLS;
                }
            } else {
                person.half_call += CALLS as u32;
                if self.tally.measured {
                    let longest = u64::from(person.half_call);
                    self.tally.longest_half_call = self.tally.longest_half_call.max(longest);
                }
            }
        }
    }
}

fn is_open(person: &Person, now: u64) -> bool {
    person.interests.is_empty() || now - person.asked >= PATIENT
}

fn suit(one: &Person, other: &Person) -> bool {
    let met =
        |one: &Person, other: &Person| other.peer.is_some() && one.recent.contains(&other.peer);
    !met(one, other) && !met(other, one)
}
