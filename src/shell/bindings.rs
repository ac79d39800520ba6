//! What `wrangler.toml` binds and configures, each name in one place.

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

use super::platform::{Namespace, Result, Stub};
use crate::core::ice::Settings;
use crate::core::layout::{Budget, LobbyName};
use crate::core::quota::Counted;
use crate::core::turnstile::Turnstile;

#[wasm_bindgen]
extern "C" {
    /// All of it.
    #[derive(Clone)]
    pub type Env;

    #[wasm_bindgen(method, structural, getter, js_name = LOBBY)]
    fn lobbies(this: &Env) -> Namespace;

    #[wasm_bindgen(method, structural, getter, js_name = ROOM)]
    fn rooms(this: &Env) -> Namespace;

    #[wasm_bindgen(method, structural, getter, js_name = DIRECTORY)]
    fn directories(this: &Env) -> Namespace;

    /// What counts for a whole location of Cloudflare (Cloudflare: Workers, Rate Limiting).
    pub type Limiter;

    /// Where data points go (Cloudflare: Workers Analytics Engine).
    pub type Dataset;
}

/// The object of a lobby. Whoever names it first has it made where its people are (Cloudflare: Durable Objects, Data
/// location); that of all regions is made where the first of all is.
pub(super) fn lobby(env: &Env, name: LobbyName) -> Result<Stub> {
    let options = Object::new();
    if let Some(region) = name.region() {
        Reflect::set(&options, &"locationHint".into(), &region.name().into())?;
    }
    let namespace = env.lobbies();
    namespace.get_by_name_with_options(&name.to_string(), &options)
}

/// The one object that knows of all lobbies.
pub(super) fn directory(env: &Env) -> Result<Stub> {
    env.directories().get_by_name("directory")
}

/// What one lobby can take.
pub(super) fn budget(env: &Env) -> Budget {
    Budget::configured(variable(env, "LOBBY_BUDGET").as_deref())
}

/// The object of the room of this name.
pub(super) fn room(env: &Env, name: &str) -> Result<Stub> {
    env.rooms().get_by_name(name)
}

/// Where data points go, if anywhere.
pub(super) fn dataset(env: &Env) -> Option<Dataset> {
    bound(env, "ANALYTICS")
}

/// What counts this, if anything is bound that does.
pub(super) fn limiter(env: &Env, counted: Counted) -> Option<Limiter> {
    bound(env, counted.name())
}

/// One of how many notes is logged.
pub(super) fn log_sampling(env: &Env) -> Option<String> {
    variable(env, "LOG_SAMPLING")
}

/// How many people fit into a room.
pub(super) fn room_capacity(env: &Env) -> Option<String> {
    variable(env, "ROOM_CAPACITY")
}

/// The origins whose pages may use this server beside its own; none where nothing is configured.
pub(super) fn allowed_origins(env: &Env) -> String {
    variable(env, "ALLOWED_ORIGINS").unwrap_or_default()
}

/// The servers to tell clients of, some of which are secrets.
pub(super) fn ice_settings(env: &Env) -> Settings {
    Settings {
        stun_urls: variable(env, "STUN_URLS"),
        turn_key_id: variable(env, "TURN_KEY_ID"),
        turn_key_api_token: variable(env, "TURN_KEY_API_TOKEN"),
        turn_api: variable(env, "TURN_API"),
        turn_urls: variable(env, "TURN_URLS"),
        turn_secret: variable(env, "TURN_SECRET"),
        metered_app: variable(env, "METERED_APP"),
        metered_secret_key: variable(env, "METERED_SECRET_KEY"),
        metered_api_key: variable(env, "METERED_API_KEY"),
        metered_api: variable(env, "METERED_API"),
        hide_address: variable(env, "HIDE_ADDRESS"),
    }
}

/// The check of who comes, where there is one.
pub(super) fn turnstile(env: &Env) -> Option<Turnstile> {
    Turnstile::new(
        &variable(env, "TURNSTILE_SITE_KEY"),
        &variable(env, "TURNSTILE_SECRET"),
        &variable(env, "TURNSTILE_API"),
    )
}

/// What is not a variable, and need not be bound.
fn bound<T: JsCast>(env: &Env, name: &str) -> Option<T> {
    let value = Reflect::get(env, &JsValue::from(name)).ok()?;
    value.is_object().then(|| value.unchecked_into())
}

/// A variable that is bound to nothing is `null`.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from(name));
    value.ok()?.as_string()
}
