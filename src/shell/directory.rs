//! The directory object, of which there is one.
//!
//! It keeps what it knows in its storage a while after it has changed, and at once the layout, and that a lobby is
//! empty: what it forgot of any other it is told again with the next who comes or goes there.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use super::answer::json;
use super::bindings::{Env, budget};
use super::log::{Line, log};
use super::platform::{Result, State, now};
use super::storage::{get, put, wake_at};
use crate::core::compact::{pack, unpack};
use crate::core::directory::{Directory, Report};
use crate::core::layout::Budget;
use crate::core::time::Millis;

const NAME: &str = "known";

/// How long something may be known and not kept: less than it takes until an idle object is thrown out of memory
/// (Cloudflare: Durable Objects, Lifecycle: ten seconds).
const KEPT_WITHIN: Millis = Millis::new(8_000);

/// The Durable Object that knows of all lobbies.
#[wasm_bindgen]
pub struct DirectoryObject(RefCell<Books>);

struct Books {
    directory: Directory,
    budget: Budget,
    state: State,
    /// Whether all is to be kept when the alarm goes off.
    due: bool,
}

#[wasm_bindgen]
impl DirectoryObject {
    /// It is made, or wakes up.
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: &Env) -> Self {
        let kept = get(&state, NAME).unwrap_or_default();
        Self(RefCell::new(Books {
            directory: Directory::from_kept(&kept),
            budget: budget(env),
            state,
            due: false,
        }))
    }

    /// A request arrived: how many people there are.
    pub fn fetch(&self, request: &Request) -> Result<Response> {
        let origin = request.headers().get("origin")?;
        let stats = self.0.borrow().directory.stats(now());
        json(&stats, origin.as_deref())
    }

    /// A lobby tells how it stands, and is advised.
    pub fn hear(&self, report: &[u8]) -> Option<Vec<u8>> {
        let report: Report = unpack(report)?;
        let of_nobody = report.is_of_nobody();
        let mut books = self.0.borrow_mut();
        let Books {
            directory, budget, ..
        } = &mut *books;
        let before = directory.layout().version;
        let advice = directory.hear(report, budget, now());
        let changed = advice.layout.version != before;
        books.changed(changed || of_nobody);
        pack(&advice)
    }

    /// A Worker asks for the layout.
    pub fn layout(&self) -> Option<Vec<u8>> {
        let mut books = self.0.borrow_mut();
        let Books {
            directory, budget, ..
        } = &mut *books;
        if directory.review(budget, now()) {
            books.changed(true);
        }
        pack(books.directory.layout())
    }

    /// The alarm went off.
    pub fn alarm(&self) {
        self.0.borrow_mut().keep();
    }
}

impl Books {
    /// Something is known that is not kept yet.
    fn changed(&mut self, at_once: bool) {
        if at_once {
            return self.keep();
        }
        if !self.due {
            self.due = true;
            wake_at(&self.state, now().after(KEPT_WITHIN));
        }
    }

    fn keep(&mut self) {
        self.due = false;
        if put(&self.state, NAME, &self.directory.kept()).is_err() {
            log(&Line::LayoutNotKept);
        }
    }
}
