//! Every rule of the product, and nothing else.
//!
//! The rule of this folder: no clock, no randomness, no I/O, no platform. Time and fresh ids come in
//! with the call, orders go out as values, so a test needs neither a server nor patience.
//!
//! Start with [`protocol`] (what travels on the wire), then [`lobby`] (who meets whom) and [`room`] (who
//! may be in a room and what its host may do); [`resume`] is how both survive a lost socket.

pub mod actor;
pub mod compact;
pub mod directory;
pub mod ice;
pub mod id;
pub mod interest;
pub mod layout;
pub mod lobby;
pub mod note;
pub mod origin;
pub mod protocol;
pub mod quota;
pub mod rate;
pub mod redacted;
pub mod region;
pub mod rejection;
pub mod resume;
pub mod room;
pub mod route;
pub mod time;
pub mod turn;
pub mod turnstile;
pub mod words;

#[cfg(test)]
mod declarations;
mod outlook;
mod queue;
mod seal;
