//! Which lobby a visitor is sent to, by what this instance of the Worker was told last.
//!
//! The directory is asked in the background, and nobody waits for it: an instance that knows nothing yet takes it that
//! there is one lobby, and whoever that is wrong for is sent on from there.

use std::cell::RefCell;

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::Request;

use super::platform::{Result, now};
use crate::core::compact::unpack;
use crate::core::layout::{Known, LobbyName};
use crate::core::region::Region;
use crate::core::time::{Millis, Timestamp};

/// For how long a layout is taken as it is.
const FRESH: Millis = Millis::new(10_000);

struct Map {
    known: Known,
    asked: Option<Timestamp>,
    wanted: bool,
}

thread_local! {
    static MAP: RefCell<Map> = const {
        RefCell::new(Map {
            known: Known::nothing(),
            asked: None,
            wanted: false,
        })
    };
}

/// The lobby for who comes.
pub(super) fn nearest(request: &Request) -> Result<LobbyName> {
    let random = getrandom::u64().map_err(|error| error.to_string())?;
    let region = region(request);
    Ok(MAP.with_borrow_mut(|map| {
        map.wanted = true;
        map.known.layout().choose(region, random)
    }))
}

/// Where a request comes from, as far as the platform knows.
pub(super) fn region(request: &Request) -> Region {
    let known = |name: &str| {
        let cf = Reflect::get(request, &"cf".into()).ok()?;
        let value = Reflect::get(&cf, &name.into());
        value.ok()?.as_string()
    };
    Region::of(
        &known("continent").unwrap_or_default(),
        &known("longitude").unwrap_or_default(),
    )
}

/// Whether the directory is to be asked for the layout, which is then taken to be on the way.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
pub fn wants_layout() -> bool {
    MAP.with_borrow_mut(|map| {
        let now = now();
        let old = map.asked.is_none_or(|at| at.after(FRESH) <= now);
        let wanted = std::mem::take(&mut map.wanted) && old;
        if wanted {
            map.asked = Some(now);
        }
        wanted
    })
}

/// The directory has answered.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
pub fn take_layout(layout: &[u8]) {
    if let Some(layout) = unpack(layout) {
        MAP.with_borrow_mut(|map| map.known.hear(layout, now()));
    }
}
