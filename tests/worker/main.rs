//! The built Worker in the runtime it is made for: a workerd for each test, real WebSockets, and the
//! crate's own protocol types at the other end.
//!
//! A scenario is a script: visitors come, say and hear. `hears` fails on anything but the very next
//! message, and every visitor has to be asked in the end whether there was more
//! ([`visitor::nobody_hears_more`]), or it fails the test by itself. No browser here, and no look into
//! the Worker but what it sends, answers and logs.

mod crowd;
mod flood;
mod frames;
mod hibernation;
mod http;
mod ice;
mod journal;
mod leaving;
mod lobbies;
mod meeting;
mod party;
#[path = "../common/place.rs"]
mod place;
mod privacy;
mod provider;
mod refusal;
mod relay;
mod restart;
mod resume;
mod room;
mod room_hibernation;
mod room_host;
mod room_resume;
mod room_silence;
mod server;
mod silence;
mod storage;
mod token;
mod turnstile;
mod visitor;
