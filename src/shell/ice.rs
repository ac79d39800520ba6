//! Asks for relays, one provider after the other, until one has something to give.

use std::cell::RefCell;

use futures_util::StreamExt;
use worker::js_sys::Date;
use worker::wasm_bindgen::JsValue;
use worker::web_sys;
use worker::{
    AbortSignal, Env, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response,
    Result,
};

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
            let signal = web_sys::AbortSignal::timeout_with_u32(PATIENCE_MILLIS);
            let signal = AbortSignal::from(signal);
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

/// The status and the body, of which no more is kept than tells that it is too long.
async fn exchange(ask: &Ask, signal: &AbortSignal) -> Result<(u16, Vec<u8>)> {
    let headers = Headers::new();
    let mut init = RequestInit::new();
    init.with_redirect(RequestRedirect::Manual);
    if let Some(body) = &ask.body {
        headers.set("content-type", "application/json")?;
        init.with_method(Method::Post);
        init.with_body(Some(JsValue::from(body)));
    }
    if let Some(value) = &ask.authorization {
        headers.set("authorization", value)?;
    }
    init.with_headers(headers);
    let request = Request::new_with_init(&ask.url, &init)?;
    let mut answer = Fetch::Request(request).send_with_signal(signal).await?;
    Ok((answer.status_code(), beginning(&mut answer).await?))
}

async fn beginning(answer: &mut Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    let Ok(mut chunks) = answer.stream() else {
        return Ok(body);
    };
    while body.len() <= MAX_ANSWER_BYTES
        && let Some(chunk) = chunks.next().await
    {
        body.append(&mut chunk?);
    }
    Ok(body)
}

fn now() -> Timestamp {
    Timestamp::from_unix_millis(Date::now() as u64)
}
