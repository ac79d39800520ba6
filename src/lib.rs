//! EchoMingle: serverless WebRTC signaling on Cloudflare's edge, with a video chat on top.
//!
//! ```text
//!  browser A ──ws──▶ Worker ──▶ Lobby object (queue + pairs)  ◀──ws── browser B
//!      │               │            └─ reports ─▶ Directory object (which lobbies there are)
//!      │               ├──────▶ Room object  (one for each room)
//!      │               └──────▶ /v1/ice, /v1/stats, /healthz
//!      └────────────── media and chat, peer to peer (DTLS-SRTP) ──────────────┘
//! ```
//!
//! Two people open the page. Each has a WebSocket to the same Durable Object, which puts them into a
//! queue, pairs them, and relays a handful of messages by which their browsers find a way to each
//! other. From then on they talk without the server, which is asleep.
//!
//! A room is the same for several: whoever opens its link has a WebSocket to the object of that name, and
//! hears of everybody else in it.
//!
//! Where to start reading: [`core::protocol`] is what travels, [`core::lobby`] is who meets whom,
//! [`core::room`] is who is in a room, [`core::layout`] is how many lobbies there are, `shell::actor` is how the platform's events come in and go out. The
//! pages are `pages/main.js` and `pages/room.js`.
//!
//! # Design decisions
//!
//! **The core is a function of events.** [`core::actor::Actor::handle`] takes an event, the time, and whom to ask
//! when somebody was heard last, and returns orders. The lobby and a room are two such actors behind one shell.
//! They have no clock, no randomness and no platform, so every rule of the product is tested on a virtual clock, in
//! milliseconds, against random events.
//!
//! **What the sockets remember is enough.** The runtime throws the object out of memory after ten idle
//! seconds, at a deploy, after a panic. Its seats are in the sockets' attachments, nowhere else, and a
//! lobby restored from them answers every event as one that never slept: that is a property test.
//! No storage is written on the way of a message. The seats are bytes of postcard with a version before them,
//! not JSON (`core::compact`): half as long, and 11 KiB less of gzipped wasm.
//!
//! **Lobbies are the leaves of a tree.** `global` gives up its busiest region, and a lobby that is busy itself gives way to
//! two halves ([`core::layout`]). Who searches in what is no longer a leaf is sent on; calls stay where they are. So load
//! leaves what was split by itself, nothing has to be pushed, and what is folded again is as simple.
//!
//! **The directory is asked by nobody who waits.** Lobbies report and are advised, Workers ask in the background, and all
//! go on with what they know ([`core::directory`], `shell::nearest`). It holds nothing that reports do not tell again but
//! the layout, which it keeps.
//!
//! **Who moves takes all of it along, and the other lobby remembers nothing.** It is asked for a token of its own, which
//! says who comes, since when it waits, what it likes and what it offers (`core::lobby::moving`). So lobbies need no key in
//! common, a move that breaks off anywhere leaves nobody in two queues, and a token says in clear at which lobby it is good.
//!
//! **Nobody waits alone.** A second and a half is enough for a lobby that has anybody; after that the one who is alone is put
//! on the directory's board, or sent to who is on it. A place in the queue is the time since which somebody waits, so it
//! holds in any lobby.
//!
//! **Particular for a second and a half.** With three seconds a few more meet by interest, and one search of a hundred takes
//! longer than that, however many people there are (`docs/scale/people.md`).
//!
//! **A busy lobby needs no alarms.** What is due happens with the next event, and where searches come all the time that is
//! soon enough. Its alarm is for when they stop, and is set in steps of five seconds; alarms were half of the bill.
//!
//! **What was divided is inherited.** Who is in a lobby that was split goes on in one of its halves. Sent to any lobby of the
//! region, they overran the others, which were busy as well; and all to the less busy one, they overran the halves by turns,
//! for everybody knows the same old news. So the choice is by chance, and who is to come counts.
//!
//! **The host needs no memory.** It is the member who has been inside longest, so there is one at any time,
//! and it follows without anybody deciding. The lock is on every member's seat.
//!
//! **A seat remembers who was heard of.** A room that wakes up and misses a socket tells exactly those who
//! know of it. In a pair that is the partner; in a room it is at most fifteen ids of ten characters.
//!
//! **Silence is looked for only where it matters to somebody.** A network that went away closes no socket.
//! A timer over all seats would wake every object for ever; instead a client whose media stopped says
//! `missing` in its room, and in random chat nobody is given somebody who has waited for long, and the object looks
//! when the runtime last answered a ping of that socket ([`core::actor::LastHeard`]). An answer, and no event of its
//! own: what is decided by it is decided at once, so nobody hears of a call with somebody who is gone.
//!
//! **New on the wire beside the design:** `lock`, `remove`, `ask-to-mute`, `missing`, `room` (with a token,
//! since host and lock change without anybody coming), `asked-to-mute`, `still-there` and the reason
//! `removed`. Clients ignore types they do not know. `redirect` may bring a token, and its address may be relative: an object
//! does not know by which name it was reached.
//!
//! **Offers are prepared, and cross.** Whoever waits has its offer kept by the server, and may renew it (`offer`).
//! Where both come with one, each gets the other's and takes it for an answer, if the two are alike
//! (`pages/lib/crossing.js`); both say beforehand that they can (`crosses`), and are told that they may (`crossed`).
//! So two messages make a call, and nothing but the match has to travel before the two reach for each other.
//!
//! **New between clients:** `{anew: true}`, for a page that was loaded anew and has another connection, and
//! `{want: true}` and `{go: true}`, by which the polite side asks before it offers: Chromium shows nothing
//! more of a video once an offer was taken back (`pages/lib/negotiation.js`).
//!
//! **Relays are for pages, and for minutes.** `/v1/ice` asks one provider after the other and gives what the
//! first one grants ([`core::turn`]). A credential lives ten minutes, a call renews it, and only pages that
//! may use the server get one.
//!
//! **What is counted where.** What one socket says is counted in the core before it is parsed, by number and by length;
//! searches and entrances beside, since each is news to others ([`core::rate`]). What one network asks for is counted by
//! the platform's rate limiters, for a whole location, or by each instance in memory where none is bound
//! ([`core::quota`]). Buckets are full again after ten seconds, so an object that sleeps forgets nothing.
//!
//! **Who floods is gone.** It leaves its call before its socket is closed, so its partner is told at once, and its token
//! resumes nothing.
//!
//! **A pass, and no session.** Where Turnstile is configured, who has passed its check carries a signed pass, and nobody
//! remembers it ([`core::turnstile`]). It is no part of a URL, for those are logged: sockets say it as a subprotocol.
//!
//! **Notes are effects.** What is worth counting is a closed list ([`core::note`]) that comes out of the core like any
//! order, so that property tests hold it too, and nothing of anybody's own has a place in it. What could be printed by
//! mistake prints as its length ([`core::redacted`]).
//!
//! **Reports travel with what is said anyway.** How a call came about is told with the next `find`, for a message of its
//! own would double what a call costs.
//!
//! **Nothing in Rust waits.** The handlers are ours and synchronous. Of the `worker` crate there are the raw
//! bindings (`worker-sys`): what it builds on them makes a promise for every message, and its exports alone are
//! 12 KiB of gzipped wasm, asked for or not. The one thing that takes time is asking for relays: JavaScript asks, and
//! is told what to ask next (`src/shell/ask.js`).
//!
//! **A signal takes a short way.** Most of what clients say is relayed and changes nothing, so the core is first
//! asked just that ([`core::actor::Actor::relays`]), and what is passed on is put together by JavaScript out of
//! the frame that came (`shell::relay`). That a property test holds to be the same as the long way.
//!
//! **A module of our own around the Rust side.** `src/shell/entry.js` is what the runtime loads, bound and bundled
//! by `scripts/build.mjs`; worker-build would do that too, with proxies around every call and the names of all
//! functions in the wasm, and is one more tool to be built.
//!
//! **An id on the socket, not a look-up.** A message finds its seat by a number kept on the JavaScript
//! object; the attachment is read only on waking up (`shell::socket`).
//!
//! **Who wakes up need not remember everybody.** A signal takes the seats of two: the attachment of who sent it, and
//! that of its recipient, whose socket is found by a tag. All others are read when anything else happens
//! (`shell::actor`). A tag is for ever, so a signal to somebody who came back to its seat takes all of them.
//!
//! **Nobody is passed over.** After every event no two people wait who suit each other. When several
//! stop being particular in the same instant, the pair of whom one has waited longest comes first; an
//! early version took them one by one, and the property test found the person it passed over.
//!
//! **Who just met meets again only as a last resort.** A second and a half after both began to wait, and if
//! nobody else waits whom either could still meet. Without that, the last two people of an evening would
//! wait beside each other for ever; with less, Next would be a button that shows the same face.
//!
//! **What you like is your own business.** A peer is told the interests that both share and no others.
//!
//! **A close is answered by us.** The runtime answers a client's close frame by itself for ordinary
//! sockets, but not for hibernating ones, at any compatibility date: unanswered, the client hangs for
//! ten seconds and reports code 1006. `webSocketClose` closes back.
//!
//! **A lost socket keeps its seat, and nobody writes it down.** The seat of somebody whose socket is gone is
//! in two places: that it may come back is in the seats of those it talked to, and what it was is in its
//! token, signed with a key that the object made once ([`core::resume`]). So a call survives when every
//! socket is cut at once, as a deploy does: the first who comes back holds it for the others. Storage is
//! touched when an object wakes up, for the key, and never on the way of a message.
//!
//! **A socket that looks alive is asked.** A network that went away closes no socket, so whoever comes back
//! from one finds its own seat taken. The socket that is there gets `still-there` and two seconds to say
//! anything, which the client does with a `ping` that wakes nobody; if it is silent it was dead. A copied
//! token, as of a doubled tab, gets `bad-token` that way, and its owner does not notice.
//!
//! **Who is refused keeps what it may not lose.** A token whose call is over gives a fresh seat, but the last
//! partners in it still count: nobody meets again sooner for having lost a connection.
//!
//! **What a token cannot do.** It cannot be taken back without storage. A member whom the host removed is
//! kept out by those who are inside and know; in the moment after a deploy, when nobody is inside yet, it
//! could be the first. It is then a member like others, and the host, back a moment later, removes it again.
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
