//! EchoMingle: serverless WebRTC signaling on Cloudflare's edge, with a video chat on top.
//!
//! ```text
//!  browser A ──ws──▶ Worker ──▶ Lobby object (queue + pairs)  ◀──ws── browser B
//!      │               └──────▶ /v1/ice, /v1/stats, /healthz
//!      └────────────── media and chat, peer to peer (DTLS-SRTP) ──────────────┘
//! ```
//!
//! Two people open the page. Each has a WebSocket to the same Durable Object, which puts them into a
//! queue, pairs them, and relays a handful of messages by which their browsers find a way to each
//! other. From then on they talk without the server, which is asleep.
//!
//! Where to start reading: [`core::protocol`] is what travels, [`core::lobby`] is who meets whom,
//! `shell::lobby` is how the platform's events come in and go out. The page is `pages/main.js`.
//!
//! # Design decisions
//!
//! **The core is a function of events.** [`core::lobby::Lobby::handle`] takes an event and the time and
//! returns orders. It has no clock, no randomness and no platform, so every rule of the product is
//! tested on a virtual clock, in milliseconds, against random events.
//!
//! **What the sockets remember is enough.** The runtime throws the object out of memory after ten idle
//! seconds, at a deploy, after a panic. Its seats are in the sockets' attachments, nowhere else, and a
//! lobby restored from them answers every event as one that never slept: that is a property test.
//! No storage is written on the way of a message.
//!
//! **The handlers are ours and synchronous.** Those that `#[durable_object]` writes make a promise for
//! every message, and nothing here waits for anything (`shell::lobby`).
//!
//! **An id on the socket, not a look-up.** A message finds its seat by a number kept on the JavaScript
//! object; the attachment is read only on waking up (`shell::socket`).
//!
//! **Nobody is passed over.** After every event no two people wait who suit each other. When several
//! stop being particular in the same instant, the pair of whom one has waited longest comes first; an
//! early version took them one by one, and the property test found the person it passed over.
//!
//! **Who just met meets again only as a last resort.** Three seconds after both began to wait, and if
//! nobody else waits whom either could still meet. Without that, the last two people of an evening would
//! wait beside each other for ever; with less, Next would be a button that shows the same face.
//!
//! **What you like is your own business.** A peer is told the interests that both share and no others.
//!
//! **A close is answered by us.** The runtime answers a client's close frame by itself for ordinary
//! sockets, but not for hibernating ones, at any compatibility date: unanswered, the client hangs for
//! ten seconds and reports code 1006. `webSocketClose` closes back.
//!
//! **Going away costs the seat, for now.** `graceMs` of `welcome` is 0 and `resume` is absent: a lost
//! socket is told to the partner as `lost` at once. A call that is connected goes on all the same,
//! because the client ends it when its media ends and not when a socket does.
//!
//! **A frame is read once.** All fields of all messages are one struct, `data` stays borrowed text, and
//! the relayed frame is built anew around it. The rules that serde has no word for are in
//! [`core::protocol::parse`]: no arrays for objects, no `{"leave": null}` for `"leave"`, no fields of
//! another message.
//!
//! **Limits come before reading.** A token bucket counts frames, then the length is looked at in the
//! JavaScript string, then it is copied and parsed.

pub mod core;
#[cfg(target_family = "wasm")]
mod shell;
