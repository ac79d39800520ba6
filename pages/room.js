// A room, as a person goes through it: let the camera on, be in, talk, and go.

import { permittedWays } from "./address.js";
import { Call, tidy } from "./call.js";
import { Chat } from "./chat.js";
import { DOUBTFUL, explainDelay } from "./delay.js";
import { Devices } from "./devices.js";
import { Signaling } from "./lib/signaling.js";
import { canShare, copy, newRoom, roomOf, roomPath, send } from "./link.js";
import { Media, Meter } from "./media.js";
import { recall, remember } from "./memory.js";
import {
  ASKING,
  find,
  hook,
  hush,
  mention,
  mentionProblem,
  showDevices,
  showLost,
  showNotice,
  showStatus,
  showSwitch,
} from "./page.js";
import { People } from "./people.js";
import { keepSeat, takeSeat } from "./seat.js";
import { onAdmitted, protocols, socketUrl } from "./server.js";
import { Tiles } from "./tiles.js";
import { beckon } from "./tone.js";

/** @import { Reason, Said } from "./call.js" */
/** @import { Finding } from "./diagnosis.js" */
/** @import { Problem } from "./media.js" */

/** `entering`: not in yet, the camera is being asked for; `outside`: not in, and told why. */
/** @typedef {"entering" | "inside" | "outside"} Phase */

/** How often it is looked who speaks, in milliseconds. */
const LISTEN_EVERY = 100;
/** How often it is said who is missed, in milliseconds. */
const MISSED_EVERY = 10_000;
/** And how often at most: by then the server has noticed, or it still hears of them. */
const MISSED_TIMES = 9;
/** How long after the last key a name is taken for written, in milliseconds. */
const WRITTEN = 500;
/** Where the chat fits beside the faces. */
const WIDE = matchMedia("(min-width: 1000px)");

const room = roomOf(location.pathname);
/** Where we were when the page was loaded anew. */
const seat = takeSeat();
const signaling = new Signaling(socketUrl(`/v1/rooms/${room}`), seat?.token, protocols);
const media = new Media();
const tiles = new Tiles(find(".tiles"), (id, height) => call?.tell({ type: "watch", height }, id));
const people = new People(find("#people"), {
  askToMute(peer) {
    signaling.send({ type: "ask-to-mute", peer });
    mention(`${tiles.name(peer)} was asked to mute.`);
  },
  remove(peer) {
    signaling.send({ type: "remove", peer });
  },
});
const chat = new Chat(find(".chat"), {
  say: (text) => call?.tell({ type: "chat", text }) ?? false,
  typing: (on) => call?.tell({ type: "typing", on }),
});
const devices = new Devices(media, { failed: mentionProblem, switched: announce });
const local = /** @type {HTMLVideoElement} */ (hook("local-video"));
const nameInput = /** @type {HTMLInputElement} */ (hook("name"));

/** @type {Phase} */
let phase = "entering";
/** @type {Call | null} */
let call = null;
let me = "";
/** How the room stands, as the server told it last. */
let host = "";
let locked = false;
let hand = false;
/** Whose connection was lost, while the server has not said so. @type {Map<string, number>} */
const missed = new Map();
/** Why somebody is not reached, where that is known. @type {Map<string, Finding>} */
const findings = new Map();
/** Whom the server has said to be gone, while the connection is still there. @type {Set<string>} */
const told = new Set();
/** @type {MediaStreamTrack | null} */
let screen = null;
/** @type {Meter | null} */
let meter = null;

/** @param {Phase} next */
function enter(next) {
  phase = next;
  document.body.dataset.phase = next;
  tiles.arrange(next === "inside");
}

// Before the door

async function open() {
  if (!room) {
    const advice = "The name of a room has letters, digits, - and _, and not more than 64 of them.";
    return tell("There is no such room", advice, "New room", () =>
      location.assign(roomPath(newRoom())),
    );
  }
  enter("entering");
  // Who is on the way back waits for no camera: the seat is kept for seconds only.
  if (signaling.token) join();
  // Who went in without comes back without.
  if (!media.wants.microphone && !media.wants.camera) return joining || join();
  if (!joining) {
    showStatus("Waiting for your camera", "busy");
    find("#notice").hidden = false;
    showNotice(ASKING, null);
  }
  try {
    await media.open();
  } catch (problem) {
    // Meanwhile the person may have gone in without.
    if (phase !== "entering" || joining) return;
    showStatus("No camera", "bad");
    const { title, advice } = /** @type {Problem} */ (problem);
    return showNotice({ title, advice: `${advice}, then press Try again.` }, "Try again");
  }
  showSelf();
  call?.use("audio", media.track("microphone"));
  call?.use("video", media.track("camera"));
  if (!joining) join();
}

let joining = false;

function join() {
  joining = true;
  showStatus("Opening the room", "busy");
  find("#notice").hidden = true;
  if (signaling.connected) ask();
  else signaling.connect();
}

function ask() {
  const name = nameInput.value;
  signaling.send({ type: "join", ...(name && { name }) });
}

signaling.on("welcome", ({ id }) => {
  me = id;
  host = "";
  if (!joining) return;
  begin();
  ask();
});

/** Whoever was here before is told of anew. */
function begin() {
  hangUp();
  call = new Call({
    ways: permittedWays,
    tracks: { audio: media.track("microphone"), video: media.track("camera") },
    send: (to, data) => signaling.send({ type: "signal", to, data }),
    listener: {
      onstream: (id, stream) => tiles.play(id, stream),
      onscreen: (id, stream) => tiles.show(id, stream),
      onstate: greet,
      onmessage: hear,
      ongone: lose,
    },
  });
  call.show(screen);
}

/** The server has us where we were, with those who are still there. */
signaling.on("resumed", ({ id, peers }) => {
  me = id;
  if (!joining) return;
  // A page that was loaded anew has never heard of them.
  if (!call) begin();
  for (const { id, name } of peers) if (!call?.has(id)) tiles.add(id, name);
  call?.resumed(peers);
  // The seat was still before the door.
  if (phase !== "inside" && peers.length === 0) ask();
  refresh();
});

signaling.on("room", (state) => {
  if (!joining) return;
  const entered = phase !== "inside";
  const promoted = host !== "" && host !== state.host && state.host === me;
  ({ host, locked } = state);
  if (entered) {
    enter("inside");
    if (WIDE.matches) openSide(true);
    chat.open(true);
  }
  if (promoted) mention("You are the host now.");
  refresh();
});

signaling.on("error", ({ code }) => {
  if (code === "room-full") {
    tell(
      "The room is full",
      "Everybody it has place for is in it. Try again when somebody has left.",
    );
  } else if (code === "room-locked") {
    tell(
      "The room is locked",
      "Its host lets nobody in right now. Ask to be let in, then try again.",
    );
  } else if (code === "rate-limited" && joining && phase === "entering") {
    tell("That was quick", "The room opens again in some seconds. Try then.");
  }
});

signaling.on("lost", () => {
  if (!joining) return;
  showLost(signaling, (title, advice) => {
    if (phase === "entering") tell(title, advice);
  });
});

onAdmitted(() => signaling.check());

// Inside

signaling.on("peer-joined", ({ peer }) => {
  tiles.add(peer.id, peer.name);
  call?.add(peer);
  setTimeout(explain, DOUBTFUL, peer.id, call);
  refresh();
  beckon(true);
});

signaling.on("signal", ({ from, data }) => call?.receive(from, data));

signaling.on("peer-away", ({ peer }) => call?.away(peer));
signaling.on("peer-back", ({ peer }) => call?.back(peer));

signaling.on("peer-left", ({ peer, reason }) => {
  if (peer === me)
    return leave("You were removed from the room", "Ask the host before you come back.");
  if (reason === "removed" && host === me) {
    const advice = `${tiles.name(peer)} was removed. The link still works.`;
    mention(advice, locked ? undefined : { label: "Lock the room", act: () => lock(true) });
  }
  missed.delete(peer);
  findings.delete(peer);
  told.add(peer);
  call?.left(peer, reason !== "lost");
  // Whom we never had a connection to is gone with this word alone.
  if (!call?.has(peer)) {
    told.delete(peer);
    tiles.remove(peer);
    refresh();
  }
});

signaling.on("asked-to-mute", () => {
  if (media.wants.microphone)
    mention("The host asks you to mute.", { label: "Mute", act: () => mute() });
});

/** @param {string} id @param {Call | null} before */
async function explain(id, before) {
  const explained = call === before ? await explainDelay(call, id) : null;
  const there = tiles.people.some(([other]) => other === id);
  if (!explained || call !== before || !there) return;
  const { finding, copyReport } = explained;
  findings.set(id, finding);
  // Where it has been given up the tile says so.
  if (call?.has(id)) tiles.cover(id, finding.what);
  mention(inFull(finding), { label: "Copy report", act: copyReport });
}

/** @param {Finding} finding */
const inFull = ({ what, advice }) => `${what}. ${advice}`;

/** @type {Record<"connected" | "unstable" | "away", string>} */
const COVERS = {
  connected: "",
  unstable: "The connection is unstable",
  away: "Back in a moment",
};

/** @param {string} id @param {keyof typeof COVERS} state */
function greet(id, state) {
  tiles.cover(id, COVERS[state]);
  if (state !== "connected") return;
  missed.delete(id);
  const finding = findings.get(id);
  if (finding) hush(inFull(finding));
  findings.delete(id);
  call?.tell({ type: "state", ...own() }, id);
  tiles.watch(id);
}

/** @param {string} id @param {Said} message */
function hear(id, message) {
  const name = tiles.name(id);
  switch (message.type) {
    case "chat":
      chat.add("you", message.text, name);
      if (document.body.dataset.side === "closed") {
        showUnread(true);
        mention(`${name}: ${message.text}`, { label: "Answer", act: () => openSide(true, true) });
      }
      return;
    case "typing":
      return chat.typing(message.on, name);
    case "state": {
      const { type, ...state } = message;
      const raised = state.hand && !tiles.people.find(([other]) => other === id)?.[1].hand;
      tiles.describe(id, state);
      if (raised) mention(`${tiles.name(id)} raises a hand.`);
      refresh();
    }
  }
}

// A network that went away tells nobody: the server looks for those whom somebody misses.
setInterval(() => {
  for (const [peer, times] of missed) {
    if (times === MISSED_TIMES) missed.delete(peer);
    else if (signaling.send({ type: "missing", peer })) missed.set(peer, times + 1);
  }
}, MISSED_EVERY);

/** @param {string} id @param {Reason} reason */
function lose(id, reason) {
  if (!told.delete(id)) missed.set(id, 0);
  if (reason === "unreachable") {
    // If it is in the room, everybody else may see it.
    return tiles.cover(id, "Your networks do not connect");
  }
  if (reason === "lost") chat.add("note", `The connection to ${tiles.name(id)} was lost.`);
  tiles.remove(id);
  refresh();
}

/** What others are told of us. */
function own() {
  return { ...media.state, name: tidy(nameInput.value), hand, screen: screen !== null };
}

/** Everything that follows from who is here and how we are. */
function refresh() {
  const others = tiles.people.map(([id, state]) => ({ id, ...state }));
  const { name, microphone } = own();
  people.show([{ id: me, name, microphone, hand }, ...others], host);
  if (phase !== "inside") return;
  const count = others.length + 1;
  showStatus(count === 1 ? "Only you are here" : `Room · ${count} people`);
  const hosting = host === me;
  const button = hook("lock");
  button.hidden = !hosting;
  showSwitch(button, locked, locked ? "lock" : "lock-open");
  find("span", button).textContent = locked ? "Locked" : "Lock";
  button.title = locked ? "Let people in again" : "Let nobody in any more";
  find("#locked").hidden = hosting || !locked;
}

/** Says how we are, here and to the others. */
function announce() {
  call?.tell({ type: "state", ...own() });
  showDevices(media.wants);
  find("#own-hand").toggleAttribute("hidden", !hand);
  showOwn();
  refresh();
}

function showOwn() {
  tiles.own({ camera: media.state.camera, mirrored: media.mirrored });
}

function showSelf() {
  if (local.srcObject !== media.stream) local.srcObject = media.stream;
  meter?.close();
  const track = media.track("microphone");
  meter = track && new Meter(track);
  devices.refresh();
  announce();
}

media.onchange = (device, track) => {
  call?.use(device === "camera" ? "video" : "audio", track);
  showSelf();
};
media.onlost = mentionProblem;

setInterval(() => {
  if (document.hidden || phase !== "inside") return;
  for (const id of call?.speaking() ?? []) tiles.speak(id);
  // At -34 dB of full scale, as with the others (SPEECH in call.js).
  const loud = media.state.microphone && (meter?.level ?? 0) > 0.4;
  if (loud) tiles.speak();
}, LISTEN_EVERY);

// Out

/** Ends the call, if there is one. */
function hangUp() {
  call?.close();
  call = null;
  missed.clear();
  told.clear();
  findings.clear();
  tiles.clear();
}

/** @param {string} title @param {string} advice */
function leave(title, advice) {
  joining = false;
  hangUp();
  stopScreen();
  signaling.disconnect();
  media.close();
  meter?.close();
  meter = null;
  chat.open(false);
  hand = false;
  hook("hand").ariaPressed = "false";
  tell(title, advice, "Come back", open);
}

/**
 * Tells why one is not inside.
 * @param {string} title
 * @param {string} advice
 * @param {string} [action]
 * @param {() => void} [act]
 */
function tell(title, advice, action = "Try again", act = join) {
  showStatus(title);
  find("#told-title").textContent = title;
  find("#told-advice").textContent = advice;
  const again = find("#again");
  again.textContent = action;
  again.onclick = act;
  hush();
  openSide(false);
  enter("outside");
}

// Hands

/** @param {boolean} on */
function lock(on) {
  signaling.send({ type: "lock", on });
}

function mute() {
  if (media.wants.microphone) hook("toggle-mic").click();
}

/** @param {boolean} open @param {boolean} [writing] */
function openSide(open, writing = false) {
  document.body.dataset.side = open ? "open" : "closed";
  hook("people").ariaExpanded = String(open);
  if (open) {
    showUnread(false);
    chat.showLast();
  }
  if (writing) chat.focus();
}

/** @param {boolean} unread whether something was said that was not seen */
function showUnread(unread) {
  hook("people").toggleAttribute("data-unread", unread);
}

async function showScreen() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { ideal: 10, max: 15 }, width: { max: 1920 }, height: { max: 1080 } },
      audio: false,
    });
    const [track] = stream.getVideoTracks();
    if (!track || phase !== "inside") return track?.stop();
    track.contentHint = "detail";
    track.onended = stopScreen;
    screen = track;
  } catch (error) {
    // Who thinks better of it need not be told.
    if (!(error instanceof Error) || error.name !== "NotAllowedError")
      mention("Your screen cannot be shown. Choose a window, or another screen.");
    return;
  }
  share();
}

function stopScreen() {
  if (!screen) return;
  screen.onended = null;
  screen.stop();
  screen = null;
  share();
}

function share() {
  call?.show(screen);
  showSwitch(hook("share-screen"), screen !== null, "monitor-up");
  hook("share-screen").ariaLabel = screen ? "Stop showing your screen" : "Show your screen";
  announce();
}

hook("share-screen").hidden = !navigator.mediaDevices?.getDisplayMedia;
hook("share-screen").addEventListener("click", () => (screen ? stopScreen() : showScreen()));
hook("hand").addEventListener("click", () => {
  hand = !hand;
  hook("hand").ariaPressed = String(hand);
  announce();
});
hook("leave").addEventListener("click", () => {
  signaling.send({ type: "leave" });
  leave("You left the room", "The link still leads here.");
});
hook("lock").addEventListener("click", () => lock(!locked));
hook("people").addEventListener("click", () => openSide(document.body.dataset.side === "closed"));
find("#close-side").addEventListener("click", () => openSide(false));
find("#open-camera").addEventListener("click", open);
find("#without").addEventListener("click", () => {
  media.close();
  media.wants = { microphone: false, camera: false };
  showSelf();
  join();
});

/** @type {ReturnType<typeof setTimeout> | undefined} */
let writing;
nameInput.addEventListener("input", () => {
  clearTimeout(writing);
  writing = setTimeout(() => {
    remember("name", tidy(nameInput.value));
    if (phase === "inside") ask();
    announce();
  }, WRITTEN);
});
nameInput.addEventListener("keydown", (event) => event.key === "Enter" && nameInput.blur());

const link = new URL(roomPath(room ?? ""), location.href).href;
/** @type {HTMLAnchorElement} */ (hook("room-link")).href = link;
hook("room-link").textContent = link.replace(/^https?:\/\//, "");
hook("room-link").addEventListener("click", (event) => {
  event.preventDefault();
  copyLink();
});
async function copyLink() {
  const copied = await copy(link);
  mention(copied ? "The link is on the clipboard." : `Copy it by hand: ${link}`);
}
for (const button of document.querySelectorAll(".copy")) button.addEventListener("click", copyLink);
for (const button of document.querySelectorAll(".share")) {
  /** @type {HTMLElement} */ (button).hidden = !canShare();
  button.addEventListener("click", () => send(link));
}
// Whoever closes the page may only load it anew.
addEventListener("pagehide", () => joining && keepSeat(signaling, media.wants));
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

const known = recall("name");
nameInput.value = typeof known === "string" ? tidy(known) : "";
if (seat) media.wants = seat.wants;
open();
