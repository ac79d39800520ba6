//! What is to happen, in order, on a virtual clock: a calendar with a page for each millisecond of the minute that goes
//! on, and one for each minute after it. What is due in the same millisecond happens in the order it was written down.

use std::vec::IntoIter;

/// A minute, by this clock, has so many milliseconds.
const MINUTE: u64 = 1 << 16;
/// So many minutes are three days.
const MINUTES: u64 = 1 << 12;

pub(crate) struct Agenda<T> {
    now: u64,
    due: IntoIter<T>,
    minute: Vec<Vec<T>>,
    later: Vec<Vec<(u64, T)>>,
}

impl<T> Agenda<T> {
    pub(crate) fn new() -> Self {
        Self {
            now: 0,
            due: Vec::new().into_iter(),
            minute: (0..MINUTE).map(|_| Vec::new()).collect(),
            later: (0..MINUTES).map(|_| Vec::new()).collect(),
        }
    }

    /// In milliseconds.
    pub(crate) const fn now(&self) -> u64 {
        self.now
    }

    /// This is to happen in so many milliseconds; in three days at the latest.
    pub(crate) fn after(&mut self, millis: u64, what: T) {
        let at = self.now + millis.min(MINUTE * (MINUTES - 1));
        let page = (at / MINUTE % MINUTES) as usize;
        if at / MINUTE == self.now / MINUTE {
            self.minute[(at % MINUTE) as usize].push(what);
        } else {
            self.later[page].push((at, what));
        }
    }

    /// What happens next, before this moment.
    pub(crate) fn next(&mut self, end: u64) -> Option<T> {
        loop {
            if let Some(what) = self.due.next() {
                return Some(what);
            }
            let page = &mut self.minute[(self.now % MINUTE) as usize];
            if !page.is_empty() {
                self.due = std::mem::take(page).into_iter();
            } else if self.now + 1 >= end {
                return None;
            } else {
                self.now += 1;
                if self.now.is_multiple_of(MINUTE) {
                    self.turn();
                }
            }
        }
    }

    fn turn(&mut self) {
        let page = (self.now / MINUTE % MINUTES) as usize;
        for (at, what) in std::mem::take(&mut self.later[page]) {
            self.minute[(at % MINUTE) as usize].push(what);
        }
    }
}
