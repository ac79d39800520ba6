//! What a request leads to, unless its network has asked for too much.

use std::cell::RefCell;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use super::answer::too_often;
use super::bindings::{Env, Limiter, limiter};
use super::ice::Asking;
use super::pass::Checking;
use super::platform::{Result, Stub, now};
use crate::core::quota::{Counted, Network, Quota};
use crate::core::time::Millis;

thread_local! {
    static CONNECTIONS: RefCell<Quota> = const { RefCell::new(Quota::new(Counted::Connections.limit())) };
    static RELAYS: RefCell<Quota> = const { RefCell::new(Quota::new(Counted::Relays.limit())) };
}

/// After how long to ask again where the limiter does not say: it counts by the minute.
const A_MINUTE: Millis = Millis::new(60_000);

#[wasm_bindgen(module = "/src/shell/count.js")]
extern "C" {
    fn count(limiter: &Limiter, key: &str, visit: Visit) -> Promise;
}

/// Somebody on the way.
#[wasm_bindgen]
pub struct Visit {
    to: To,
    origin: Option<String>,
}

enum To {
    Object(Stub, Request),
    Relays(Asking),
    Check(Checking),
}

impl Visit {
    /// A WebSocket to an object.
    pub(super) fn to_object(stub: Stub, request: &Request) -> Result<Self> {
        let origin = request.headers().get("origin")?;
        let to = To::Object(stub, Clone::clone(request));
        Ok(Self { to, origin })
    }

    /// The asking for relays.
    pub(super) fn to_relays(asking: Asking, origin: Option<String>) -> Self {
        let to = To::Relays(asking);
        Self { to, origin }
    }

    /// The check of who comes.
    pub(super) fn to_check(checking: Checking, origin: Option<String>) -> Self {
        let to = To::Check(checking);
        Self { to, origin }
    }

    /// Counts it, by what counts for all or else in memory, and sees it through.
    pub(super) fn counted(self, env: &Env, address: Option<&str>) -> Result<JsValue> {
        let (counted, quota) = match (&self.to, address) {
            // Nothing is known of where it comes from, and others must not pay for it.
            (To::Object(..), None) => return self.go(),
            (To::Object(..), Some(_)) => (Counted::Connections, &CONNECTIONS),
            (To::Relays(_) | To::Check(_), _) => (Counted::Relays, &RELAYS),
        };
        let network = Network::of(address);
        if let Some(limiter) = limiter(env, counted) {
            return Ok(count(&limiter, &network.key(), self).into());
        }
        match quota.with_borrow_mut(|quota| quota.take(network, now())) {
            Ok(()) => self.go(),
            Err(wait) => Ok(too_often(wait, self.origin.as_deref())?.into()),
        }
    }
}

#[wasm_bindgen]
impl Visit {
    /// It may go on.
    pub fn go(self) -> Result<JsValue> {
        Ok(match self.to {
            To::Object(stub, request) => stub.fetch_with_request(&request)?.into(),
            To::Relays(asking) => asking.begin().into(),
            To::Check(checking) => checking.begin().into(),
        })
    }

    /// It may not.
    pub fn turn_away(self) -> Result<Response> {
        too_often(A_MINUTE, self.origin.as_deref())
    }
}
