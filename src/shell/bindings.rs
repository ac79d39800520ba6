//! What `wrangler.toml` binds and configures, each name in one place.

use worker::{Env, Result, Stub};

/// Everybody meets in this one lobby.
const LOBBY_NAME: &str = "global";

/// The lobby object.
pub(super) fn lobby(env: &Env) -> Result<Stub> {
    env.durable_object("LOBBY")?.get_by_name(LOBBY_NAME)
}

/// The object of the room of this name.
pub(super) fn room(env: &Env, name: &str) -> Result<Stub> {
    env.durable_object("ROOM")?.get_by_name(name)
}

/// How many people fit into a room.
pub(super) fn room_capacity(env: &Env) -> Option<String> {
    variable(env, "ROOM_CAPACITY")
}

/// The origins whose pages may use this server beside its own; none where nothing is configured.
pub(super) fn allowed_origins(env: &Env) -> String {
    variable(env, "ALLOWED_ORIGINS").unwrap_or_default()
}

/// The STUN servers to tell clients of.
pub(super) fn stun_urls(env: &Env) -> Option<String> {
    variable(env, "STUN_URLS")
}

fn variable(env: &Env, name: &str) -> Option<String> {
    Some(env.var(name).ok()?.to_string())
}
