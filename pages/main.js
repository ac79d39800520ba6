// Random chat, as a person goes through it: start, search, connect, talk, and on to the next.

import { address, choose as hide, permittedWays } from "./address.js";
import { Call } from "./call.js";
import { Chat } from "./chat.js";
import { DOUBTFUL, explainDelay } from "./delay.js";
import { Devices } from "./devices.js";
import { Interests } from "./interests.js";
import { Signaling } from "./lib/signaling.js";
import { newRoom, roomPath } from "./link.js";
import { Media } from "./media.js";
import { recall, remember } from "./memory.js";
import { Outcome } from "./outcome.js";
import {
  ASKING,
  find,
  hook,
  mentionProblem,
  showDevices,
  showLost,
  showNotice,
  showStatus,
} from "./page.js";
import { Prepared } from "./prepared.js";
import { keepSeat, takeSeat } from "./seat.js";
import { onAdmitted, online, protocols, socketUrl } from "./server.js";
import { beckon } from "./tone.js";
import * as view from "./view.js";

/** @import { Reason, Said } from "./call.js" */
/** @import { Mode, Peer } from "./lib/protocol.js" */
/** @import { Problem } from "./media.js" */
/** @import { Phase } from "./view.js" */

/** For how long the server looks for shared interests only, in milliseconds (src/core/queue.rs). */
const PARTICULAR = 1_500;
/** How long one searches before being told that it takes longer, in milliseconds. */
const LONG_SEARCH = 8_000;
/** Without movement for so long, in milliseconds, the controls fade during a call. */
const REST = 3_000;
/** How long a call is given to come about before the next is prepared, in milliseconds, unless somebody is
 * seen before. */
const SETTLED = 1_000;
/** How long to wait when the server asked us to slow down, in milliseconds. */
const SLOW_DOWN = 2_000;

/** Where we were when the page was loaded anew, until the server has said whether we still are. */
let seat = takeSeat();
const signaling = new Signaling(socketUrl("/v1/match"), seat?.token, protocols);
const media = new Media();
const chat = new Chat(find(".chat"), {
  say: (text) => call?.tell({ type: "chat", text }) ?? false,
  typing: (on) => call?.tell({ type: "typing", on }),
});
const devices = new Devices(media, {
  failed: mentionProblem,
  switched() {
    showDevices(media.wants);
    tellState();
  },
});
const prepared = new Prepared({
  ways: permittedWays,
  tracks: () => (mode === "video" && !media.stream ? undefined : tracks()),
  onready: offerAnew,
});
const liked = recall("interests");
const interests = new Interests(
  find("#interests"),
  Array.isArray(liked) ? liked.map(String) : [],
  (words) => remember("interests", words),
);

/** @type {Phase} */
let phase = "start";
/** @type {Mode} */
let mode = "video";
/** @type {Call | null} */
let call = null;
/** How the call came about, or the one before, until the server has been told. @type {Outcome | null} */
let outcome = null;
/** Everything that belongs to one phase ends with it. */
let ended = new AbortController();

/** @param {Phase} next */
function enter(next) {
  if (next !== "left") {
    view.showHelp(null);
    unreached = null;
  }
  ended.abort();
  ended = new AbortController();
  phase = next;
  view.showPhase(next);
  beckon(next === "call");
}

/**
 * Does something later, unless the phase is over by then.
 * @param {number} milliseconds
 * @param {() => void} action
 */
function later(milliseconds, action) {
  const timer = setTimeout(action, milliseconds);
  ended.signal.addEventListener("abort", () => clearTimeout(timer));
}

// Start

async function openCamera() {
  showNotice(ASKING, null);
  try {
    await media.open();
    showSelf();
    // A call that went on while the page was loaded anew waits for it.
    call?.use("audio", media.track("microphone"));
    call?.use("video", media.track("camera"));
    prepared.prepare();
    return true;
  } catch (problem) {
    const { title, advice } = /** @type {Problem} */ (problem);
    showNotice(
      { title, advice: `${advice}, then press Try again. Or choose Text only.` },
      "Try again",
    );
    return false;
  }
}

function showSelf() {
  view.showSelf(media.stream, media.mirrored);
  showDevices(media.wants);
  devices.refresh();
}

/** What we send. */
function tracks() {
  if (mode === "text") return null;
  return { audio: media.track("microphone"), video: media.track("camera") };
}

media.onchange = (device, track) => {
  const kind = device === "camera" ? "video" : "audio";
  call?.use(kind, track);
  prepared.use(kind, track);
  showSelf();
  tellState();
};
media.onlost = mentionProblem;

/** Says to the other one how we are. */
function tellState() {
  call?.tell({ type: "state", ...media.state, name: "", hand: false, screen: false });
}

/** @param {Mode} next */
function choose(next) {
  mode = next;
  showStatus("Ready");
  document.body.dataset.mode = next;
  remember("mode", next);
  prepared.discard();
  if (next === "text") {
    media.close();
    view.showSelf(null);
    prepared.prepare();
  } else {
    showNotice(
      {
        title: "See yourself first",
        advice:
          "Your browser asks before it opens the camera and the microphone. Nobody sees you before you press Start.",
      },
      "Turn on camera",
    );
    Media.allowed().then((allowed) => allowed && mode === "video" && openCamera());
  }
}

async function start() {
  if (phase !== "start") return;
  if (mode === "video" && !media.stream) {
    showStatus("Waiting for your camera", "busy");
    const opened = await openCamera();
    // While the person was asked, it may have turned to text.
    const still = mode === "video" && phase === "start";
    if (still && !opened) showStatus("No camera", "bad");
    if (!still || !opened) return;
  }
  search();
}

// Search

/** Whether the server has answered the latest that it was told of our search: then a move takes it along as it
 * is. */
let answered = false;

function search() {
  // Before all else: nothing that is shown is as urgent.
  ask();
  hangUp();
  enter("searching");
  chat.clear();
  chat.add("note", "Chat opens when you meet.");
  announce();
  if (interests.words.length > 0) {
    later(PARTICULAR, () => view.tell("Looking for someone", "Anyone who is free, now."));
  }
  later(LONG_SEARCH, () =>
    view.tell(
      "Looking for someone",
      "Few people are here right now. You stay in line; the next one who comes is yours.",
    ),
  );
  prepared.prepare();
}

function announce() {
  const words = interests.words;
  const either = new Intl.ListFormat("en", { type: "disjunction" }).format(words);
  view.tell("Looking for someone", words.length > 0 ? `who likes ${either}` : "");
}

function ask() {
  answered = false;
  const offer = prepared.offer();
  const asked = signaling.send({
    type: "find",
    mode,
    interests: interests.words,
    ...(offer && { offer }),
    crosses: true,
    ...(outcome && { last: outcome.report }),
  });
  if (asked) outcome = null;
  // On the way to where it has sent us the server is not lost.
  if (asked || signaling.moving) return showStatus("Looking for someone", "busy");
  explainLost();
  signaling.connect();
}

/** The server is not reached. */
function explainLost() {
  showLost(signaling, (title, advice) => {
    if (phase === "searching") view.tell(title, advice);
  });
}

/** The server is to hand over the latest of what is prepared. */
function offerAnew() {
  const offer = phase === "searching" && signaling.connected && prepared.newOffer();
  if (!offer) return;
  answered = false;
  signaling.send({ type: "offer", offer });
}

signaling.on("waiting", () => {
  // Whom we met just now was met by a search before this one.
  if (phase === "connecting") {
    hangUp();
    enter("searching");
    announce();
  }
  prepared.taken();
  answered = true;
  offerAnew();
});

signaling.on("welcome", () => {
  prepared.prepare();
  seat = null;
  call?.onItsOwn();
  if (phase === "searching") {
    announce();
    ask();
  } else if (phase === "start") {
    showStatus("Ready");
  }
  showCalm();
  address().then(view.showAddress);
});

/** The server has us where we were, with those who are in the call. */
signaling.on("resumed", ({ peers }) => {
  prepared.prepare();
  const [peer] = peers;
  if (call) {
    call.resumed(peers);
    showCalm();
  } else if (phase === "searching") {
    announce();
    ask();
  } else if (peer && seat && phase === "start") {
    comeBack(peer);
  } else if (peer) {
    // We hung up while the server was away.
    signaling.send({ type: "leave" });
  }
  if (phase === "start") showStatus("Ready");
  seat = null;
});

signaling.on("redirect", ({ resume }) => {
  if (resume && phase === "searching") showStatus("Looking further away", "busy");
});

/** The search goes on where we are now, with what was offered, unless there is a newer one or none. */
signaling.on("moved", () => {
  prepared.prepare();
  seat = null;
  if (phase !== "searching") signaling.send({ type: "leave" });
  else if (answered) showStatus("Looking for someone", "busy");
  else {
    announce();
    ask();
  }
  if (phase === "start") showStatus("Ready");
});

/** @param {Peer} peer whom we talked to when the page was loaded anew */
function comeBack(peer) {
  enter("connecting");
  showStatus("Connecting", "busy");
  view.tell("Back to your call", "Connecting you…");
  meet(peer, true);
  if (mode === "video" && !media.stream) openCamera();
}

signaling.on("lost", () => {
  // What was offered may have been handed to somebody of whom we will not hear.
  prepared.discard();
  answered = false;
  if (phase === "start" || phase === "searching") {
    explainLost();
    if (!navigator.onLine)
      view.tell("You are offline", "Check your connection. The search goes on by itself.");
  } else if (phase === "call" && steady) {
    showStatus("Connected · reaching the server");
  }
});

onAdmitted(() => {
  // It may have had no relay.
  prepared.discard();
  signaling.check();
});

signaling.on("error", ({ code }) => {
  if (code === "rate-limited" && phase === "searching") {
    view.tell("One moment", "That was quick. The search goes on in two seconds.");
    later(SLOW_DOWN, ask);
  }
});

// Talk

signaling.on("peer-joined", ({ peer }) => {
  // By now that one has what was offered.
  if (phase !== "searching") return prepared.discard();
  enter("connecting");
  meet(peer);
  showStatus("Connecting", "busy");
  view.tell("You found someone", "Connecting you…");
});

/** Whether the connection to the other one is as it should be. */
let steady = false;

/** Nothing is wrong any more. */
function showCalm() {
  if (phase === "call" && steady) showStatus("Connected");
}

/** @type {Record<"unstable" | "away", string>} */
const DOUBTS = {
  unstable: "The connection is unstable",
  away: "The stranger may be back in a moment",
};

/**
 * @param {Peer} peer
 * @param {boolean} [anew] whether it still has a connection to the page before this one
 */
function meet(peer, anew = false) {
  const shared = peer.interests ?? [];
  call = new Call({
    ways: permittedWays,
    tracks: tracks(),
    send: (to, data) => signaling.send({ type: "signal", to, data }),
    listener: {
      onstream: (_, stream) =>
        view.showRemote(stream, () => {
          if (mode === "video") talk(shared);
          prepared.prepare();
        }),
      onstate: (_, state) => {
        steady = state === "connected";
        if (steady) outcome?.reached(call?.connection(peer.id));
        if (state !== "connected") return showStatus(DOUBTS[state], "bad");
        tellState();
        talk(shared);
      },
      onmessage: (_, message) => hear(message),
      // Whom we talked to was reached, even if not by the latest of its connections.
      ongone: (_, reason) => leave(reason === "unreachable" && phase === "call" ? "lost" : reason),
    },
  });
  call.add(peer, anew, anew ? null : prepared.take(peer));
  outcome = anew ? null : new Outcome();
  finding = null;
  later(DOUBTFUL, () => explain(peer.id));
}

/** Why the stranger is not reached, if that is known. @type {import("./diagnosis.js").Finding | null} */
let finding = null;
/** The call in which it was not, until there is another one. @type {Call | null} */
let unreached = null;

/** @param {string} id */
async function explain(id) {
  const before = call;
  const explained = await explainDelay(call, id);
  // By now it may be long forgotten.
  if (!explained || phase === "call" || (call ?? unreached) !== before) return;
  ({ finding } = explained);
  view.tell(finding.what, finding.advice);
  view.showHelp(explained.copyReport);
}

/** @param {string[]} shared */
function talk(shared) {
  showStatus(signaling.connected ? "Connected" : "Connected · reaching the server");
  if (phase !== "connecting") return;
  enter("call");
  later(SETTLED, () => prepared.prepare());
  view.showShared(shared);
  chat.clear();
  chat.add(
    "note",
    shared.length > 0
      ? `${view.likes(shared)}. Say hello.`
      : "You are talking to a stranger. Say hello.",
  );
  chat.open(true);
  if (mode === "text") chat.focus();
  rest();
}

/** @param {Said} message */
function hear(message) {
  switch (message.type) {
    case "chat":
      return chat.add("you", message.text);
    case "typing":
      return chat.typing(message.on);
    case "state":
      return view.coverRemote(!message.camera && mode === "video");
  }
}

/** @type {Record<Reason, { status: string, title: string, advice: string }>} */
const ENDINGS = {
  left: {
    status: "The stranger left",
    title: "The stranger left",
    advice: "Press Next to meet somebody else.",
  },
  lost: {
    status: "The stranger left",
    title: "The connection to the stranger was lost",
    advice: "Press Next to meet somebody else.",
  },
  unreachable: {
    status: "No connection to the stranger",
    title: "Your networks did not connect",
    advice: "There was no way between you two. Press Next to meet somebody else.",
  },
};

/** @param {Reason} reason */
function leave(reason) {
  const { status, title, advice } = ENDINGS[reason];
  const before = call;
  hangUp();
  // The server may still hold us for a pair.
  if (reason === "lost") signaling.send({ type: "leave" });
  enter("left");
  showStatus(status, reason === "unreachable" ? "bad" : "calm");
  view.tell(title, advice);
  chat.add("note", `${title}. ${advice}`);
  if (reason !== "unreachable") return view.showHelp(null);
  unreached = before;
  if (finding) view.tell(finding.what, finding.advice);
}

signaling.on("signal", ({ from, data }) => call?.receive(from, data));
signaling.on("peer-away", ({ peer }) => call?.away(peer));
signaling.on("peer-back", ({ peer }) => call?.back(peer));
signaling.on("peer-left", ({ peer, reason }) => {
  call?.left(peer, reason !== "lost");
});

// Stop

/** Ends the call, if there is one, and with it what was seen and could be said. */
function hangUp() {
  call?.close();
  call = null;
  outcome?.over();
  view.showRemote(null);
  chat.open(false);
}

function stop() {
  hangUp();
  signaling.send({ type: "leave" });
  enter("start");
  showStatus("Ready");
}

function rest() {
  delete document.body.dataset.resting;
  clearTimeout(resting);
  if (phase === "call" && mode === "video") {
    resting = setTimeout(() => {
      if (phase === "call") document.body.dataset.resting = "";
    }, REST);
  }
}
/** @type {ReturnType<typeof setTimeout> | undefined} */
let resting;

// Hands

find("#search").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
find("#open-camera").addEventListener("click", openCamera);
for (const name of /** @type {const} */ (["video", "text"])) {
  hook(`mode-${name}`).addEventListener("change", () => choose(name));
}
hook("hide-address").addEventListener("change", ({ target }) => {
  hide(/** @type {HTMLInputElement} */ (target).checked);
  prepared.discard();
  prepared.prepare();
  address().then(view.showAddress);
});
hook("next").addEventListener("click", search);
hook("stop").addEventListener("click", stop);
hook("room-new").addEventListener("click", () => location.assign(roomPath(newRoom())));
find("#choose-devices").addEventListener("click", () => {
  document.body.toggleAttribute("data-choosing");
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.repeat && (phase === "call" || phase === "left")) search();
});
for (const moved of ["pointermove", "pointerdown", "keydown"])
  addEventListener(moved, rest, { passive: true });
addEventListener("pagehide", () => call && keepSeat(signaling, media.wants));
addEventListener("pageshow", ({ persisted }) => persisted && takeSeat());

const before = recall("mode") === "text" ? "text" : "video";
/** @type {HTMLInputElement} */ (hook(`mode-${before}`)).checked = true;
if (seat) media.wants = seat.wants;
choose(before);
view.showSelf(null);
signaling.connect();
address().then(view.showAddress);
online().then(view.showOnline);
