//! Asks for relays, one provider after the other, until one has something to give.

use std::cell::RefCell;

use futures_util::StreamExt;
use wasm_bindgen::prelude::*;
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{self, Date};
use worker::web_sys::{self, AbortSignal, RequestInit, RequestRedirect, WorkerGlobalScope};
use worker::{ByteStream, Env, Headers, Result};

use super::bindings::ice_settings;
use super::log::{Line, log};
use crate::core::ice::{IceConfiguration, Relaying};
use crate::core::id::PeerId;
use crate::core::quota::Quota;
use crate::core::time::{Millis, Timestamp};
use crate::core::turn::{
    Ask, Failure, Granted, MAX_ANSWER_BYTES, PATIENCE_MILLIS, Relay, Way, read,
};

thread_local! {
    static QUOTA: RefCell<Quota> = RefCell::default();
}

/// The ICE servers: with relays for a page that may have them, of a network that has not asked too often.
///
/// # Errors
/// It has: the span after which it may ask again.
pub(super) async fn configuration(
    env: &Env,
    page: bool,
    address: Option<&str>,
) -> Result<std::result::Result<IceConfiguration, Millis>> {
    let settings = ice_settings(env);
    let relays = settings.relays();
    if !page || relays.is_empty() {
        return Ok(Ok(settings.configuration(Relaying::Unasked)));
    }
    if let Err(wait) = QUOTA.with_borrow_mut(|quota| quota.take(address, now())) {
        return Ok(Err(wait));
    }
    let id = PeerId::from_random(getrandom::u64().map_err(|error| error.to_string())?);
    for relay in &relays {
        match grant(relay, id).await {
            Ok(granted) => return Ok(Ok(settings.configuration(Relaying::Granted(granted)))),
            Err(why) => log(&Line::RelayFailed {
                relay: relay.name(),
                why,
            }),
        }
    }
    Ok(Ok(settings.configuration(Relaying::Failed)))
}

async fn grant(relay: &Relay, id: PeerId) -> std::result::Result<Granted, Failure> {
    match relay.way(now(), id)? {
        Way::Granted(granted) => Ok(granted),
        Way::Ask(ask) => {
            let signal = AbortSignal::timeout_with_u32(PATIENCE_MILLIS);
            let answer = exchange(&ask, &signal).await;
            // The error of the platform may carry the URL, and with it a key.
            let failed = || match signal.aborted() {
                true => Failure::Timeout,
                false => Failure::Unreachable,
            };
            let (status, body) = answer.map_err(|_| failed())?;
            if signal.aborted() {
                return Err(Failure::Timeout);
            }
            read(status, &body)
        }
    }
}

/// The status and the body, of which no more is kept than tells that it is too long. The platform's own
/// `fetch`: the crate's wrapper of it weighs some 20 KB.
async fn exchange(ask: &Ask, signal: &AbortSignal) -> Result<(u16, Vec<u8>)> {
    let headers = Headers::new();
    let init = RequestInit::new();
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(signal));
    if let Some(body) = &ask.body {
        headers.set("content-type", "application/json")?;
        init.set_method("POST");
        init.set_body(&JsValue::from(body));
    }
    if let Some(value) = &ask.authorization {
        headers.set("authorization", value)?;
    }
    init.set_headers(headers.as_ref());
    let worker: WorkerGlobalScope = js_sys::global().unchecked_into();
    let answer = JsFuture::from(worker.fetch_with_str_and_init(&ask.url, &init)).await?;
    let answer: web_sys::Response = answer.unchecked_into();
    let mut body = Vec::new();
    let mut chunks = answer.body().map(ByteStream::from);
    while let Some(chunks) = &mut chunks
        && body.len() <= MAX_ANSWER_BYTES
        && let Some(chunk) = chunks.next().await
    {
        body.append(&mut chunk?);
    }
    Ok((answer.status(), body))
}

fn now() -> Timestamp {
    Timestamp::from_unix_millis(Date::now() as u64)
}
