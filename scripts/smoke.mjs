/** `npm run smoke`: whether what is online works, as far as two programs can tell that behave like pages. */

import { randomUUID } from "node:crypto";
import { on } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { isMain, root } from "./environment.mjs";
import { main, Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { setup } from "./setup.mjs";

/**
 * What is expected to be where.
 *
 * @typedef {object} Target
 * @property {string} signaling origin of the Worker
 * @property {string[]} sites addresses of the site; the Worker's own where there is no other
 * @property {string[]} origins those whose pages may use the Worker, one or more
 * @property {boolean} [open] whether all others may, too
 * @property {string} [version] of the Worker
 * @property {number} patience seconds until all of it has to be online
 */

/** Milliseconds between two looks at what is not online yet. */
const PAUSE = 500;
/** Milliseconds in which somebody answers who is online. */
const LIMIT = 20_000;
/** An origin that nobody has (RFC 2606, section 2). */
const FOREIGN = "https://elsewhere.invalid";
/** Seconds until what was uploaded is online: a new address takes a minute or two. */
export const PATIENCE = 240;

/** @typedef {import("./progress.mjs").Step} Step */

/**
 * Tries everything, even after something failed.
 *
 * @param {Target} target
 * @param {Progress} progress
 */
export async function smoke(target, progress) {
  const deadline = Date.now() + target.patience * 1000;
  const { signaling } = target;
  let checked = false;
  /** @type {[name: string, look: (step: Step) => Promise<string>][]} */
  const looks = [
    ["health", (step) => healthy(target, step, deadline)],
    ...target.sites.map(
      (site) =>
        /** @type {[string, (step: Step) => Promise<string>]} */ ([
          "site",
          (step) => serves(new URL(site).origin, signaling, step, deadline),
        ]),
    ),
    [
      "ICE servers",
      async () => {
        const { check, ...answer } = await ice(target);
        checked = check !== undefined;
        return describe(answer);
      },
    ],
    ["random chat", () => (checked ? guarded(target, "/v1/match") : match(target))],
    ["room", () => (checked ? guarded(target, "/v1/rooms/smoke") : room(target))],
    ["foreign pages", () => foreign(target)],
  ];
  const failures = [];
  for (const [name, look] of looks) {
    try {
      await progress.task(name, look);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      failures.push(`${name}: ${error.message}`);
    }
  }
  if (failures.length > 0) {
    throw new Problem("What is online does not work as it should.", { hint: failures.join("\n") });
  }
}

/**
 * Waits until something is as it should be, as long as there is time.
 *
 * @param {Step} step
 * @param {number} deadline
 * @param {() => Promise<string | null>} look what is still wrong
 */
async function until(step, deadline, look) {
  for (let said = ""; ; ) {
    const wrong = await look().catch((error) => {
      if (error instanceof Problem) return error.message;
      throw error;
    });
    if (wrong === null) return;
    if (Date.now() > deadline) throw new Problem(wrong);
    if (wrong !== said) step.say(`waiting: ${wrong}`);
    said = wrong;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** The address of WebSockets. @param {string} url */
const socketOf = (url) => url.replace(/^http/, "ws");

/**
 * @param {string} url
 * @param {string} [origin]
 * @returns {Promise<{ status: number, ok: boolean, headers: Headers, text: string }>}
 */
async function get(url, origin) {
  const headers = origin ? { origin } : undefined;
  try {
    const response = await fetch(url, {
      ...(headers && { headers }),
      signal: AbortSignal.timeout(LIMIT),
      cache: "no-store",
    });
    const { status, ok } = response;
    return { status, ok, headers: response.headers, text: await response.text() };
  } catch (error) {
    // What `fetch` throws hides why in a cause.
    const { cause, name } = /** @type {any} */ (error);
    throw new Problem(`no answer (${cause?.code ?? cause?.message ?? name})`);
  }
}

/**
 * @param {Target} target
 * @param {Step} step
 * @param {number} deadline
 */
async function healthy({ signaling, origins, version }, step, deadline) {
  let said = "";
  for (const origin of origins) {
    await until(step, deadline, async () => {
      const { status, text } = await get(`${signaling}/healthz`, origin);
      said = text.trim();
      if (status === 403) return `pages of ${origin} may not use it`;
      if (status !== 200 || !/^ok \S+$/.test(said)) return `/healthz answers ${status}, and not ok`;
      return version && said !== `ok ${version}` ? `“${said}”, and ${version} was built` : null;
    });
  }
  return said;
}

/**
 * @param {string} site
 * @param {string} signaling
 * @param {Step} step
 * @param {number} deadline
 */
async function serves(site, signaling, step, deadline) {
  const { origin } = new URL(signaling);
  const own = site === origin;
  const meta = `name="signaling" content="${own ? "" : origin}"`;
  for (const path of ["/", "/r/smoke", "/doctor"]) {
    await until(step, deadline, async () => {
      const { status, headers, text } = await get(site + path);
      if (status !== 200) return `${site}${path} answers ${status}`;
      if (!text.includes(meta)) return `${site}${path} does not name ${origin} as its signaling`;
      const policy = headers.get("content-security-policy");
      if (!policy) return `${site}${path} has no Content-Security-Policy`;
      const connect = policy.split(";").find((part) => part.trim().startsWith("connect-src "));
      const needed = own ? ["'self'"] : [origin, socketOf(origin)];
      const named = connect?.trim().split(/\s+/) ?? [];
      const lacking = needed.find((source) => !named.includes(source));
      return lacking ? `the policy of ${site}${path} does not let it reach ${lacking}` : null;
    });
  }
  return `the pages of ${site} and their policy`;
}

/** @param {Target} target */
async function ice({ signaling, origins: [origin] }) {
  const { status, headers, text } = await get(`${signaling}/v1/ice`, origin);
  const json = headers.get("content-type")?.startsWith("application/json");
  const answer = status === 200 && json ? JSON.parse(text) : null;
  if (Array.isArray(answer?.iceServers)) return answer;
  throw new Problem(`/v1/ice answers ${status}, and no list of servers`);
}

/** @param {{ iceServers: { urls: string[] }[], ttl: number }} answer */
function describe({ iceServers, ttl }) {
  const urls = iceServers.flatMap((server) => server.urls);
  if (urls.some((url) => /^turns?:/.test(url))) return "STUN and a relay";
  // What the Worker says of relays that are configured and fail (src/core/ice.rs).
  if (ttl <= 30)
    throw new Problem("a relay is configured and none could be had; see: npx wrangler tail");
  return urls.length > 0 ? "STUN, no relay" : "none";
}

/** Somebody at the other end of a WebSocket. */
class Visitor {
  /**
   * @param {string} url
   * @param {string} [origin]
   */
  static async open(url, origin) {
    // Not before: it is one of the packages that the set-up brings.
    const { WebSocket } = await import("ws");
    const socket = new WebSocket(socketOf(url), {
      ...(origin && { origin }),
      handshakeTimeout: LIMIT,
    });
    const visitor = new Visitor(socket);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve).once("error", reject);
    }).catch((error) => {
      throw new Problem(`no WebSocket (${error.message})`);
    });
    return visitor;
  }

  /** @param {import("ws").WebSocket} socket */
  constructor(socket) {
    this.socket = socket;
    this.frames = on(socket, "message", {
      close: ["close"],
      signal: AbortSignal.timeout(2 * LIMIT),
    });
  }

  /** @param {import("../pages/lib/protocol.d.ts").ClientMessage} message */
  say(message) {
    this.socket.send(JSON.stringify(message));
  }

  /**
   * @template {import("../pages/lib/protocol.d.ts").ServerMessage["type"]} Type
   * @param {Type} type
   * @returns {Promise<Extract<import("../pages/lib/protocol.d.ts").ServerMessage, { type: Type }>>} the next
   *   message of that type
   */
  async hears(type) {
    for (;;) {
      const { done, value } = await this.frames.next().catch(() => {
        throw new Problem(`${type} did not come in time`);
      });
      if (done) throw new Problem(`the socket was closed before ${type} came`);
      const message = JSON.parse(`${value[0]}`);
      if (message.type === type) return message;
      if (message.type === "error") throw new Problem(`refused: ${message.message}`);
    }
  }

  close() {
    this.socket.terminate();
  }
}

/**
 * Two come in, meet, one says something to the other and leaves.
 *
 * @param {Target} target
 * @param {string} path
 * @param {import("../pages/lib/protocol.d.ts").ClientMessage} hello
 */
async function meet({ signaling, origins }, path, hello) {
  const open = (/** @type {string | undefined} */ origin) => Visitor.open(signaling + path, origin);
  const ana = await open(origins[0]);
  try {
    const ben = await open(origins.at(-1));
    try {
      const welcomes = await Promise.all([ana.hears("welcome"), ben.hears("welcome")]);
      const [anasId, bensId] = [welcomes[0].id, welcomes[1].id];
      const since = performance.now();
      ana.say(hello);
      ben.say(hello);
      const [heard, seen] = await Promise.all([ana.hears("peer-joined"), ben.hears("peer-joined")]);
      if (heard.peer.id !== bensId || seen.peer.id !== anasId)
        throw new Problem("somebody else was met");
      const met = performance.now() - since;
      const data = { smoke: randomUUID() };
      ana.say({ type: "signal", to: bensId, data });
      const signal = await ben.hears("signal");
      if (signal.from !== anasId || !isDeepStrictEqual(signal.data, data))
        throw new Problem("a signal arrived as another");
      ana.say({ type: "leave" });
      const { peer, reason } = await ben.hears("peer-left");
      if (peer !== anasId || reason !== "left") throw new Problem("somebody else left");
      return `two met after ${met.toFixed(0)} ms, a signal arrived, and that one left`;
    } finally {
      ben.close();
    }
  } finally {
    ana.close();
  }
}

/**
 * In a random chat that people use: who names an interest first meets who shares it, and these two share one
 * with nobody.
 *
 * @param {Target} target
 */
function match(target) {
  const interests = [`smoke ${randomUUID().slice(0, 18)}`];
  return meet(target, "/v1/match", { type: "find", mode: "text", interests });
}

/** @param {Target} target */
function room(target) {
  return meet(target, `/v1/rooms/smoke-${randomUUID()}`, { type: "join" });
}

/**
 * With Turnstile it takes a person to get in. That it does is all that a program can find out.
 *
 * @param {Target} target
 * @param {string} path
 */
async function guarded({ signaling, origins: [origin] }, path) {
  await refuses(`${signaling}${path}`, origin, "somebody whom Turnstile has not seen");
  return "Turnstile lets no program in, so nobody met";
}

/** @param {Target} target */
async function foreign({ signaling, open }) {
  const { status } = await get(`${signaling}/v1/ice`, FOREIGN);
  const expected = open ? 200 : 403;
  if (status !== expected) throw new Problem(`/v1/ice answers ${status}, not ${expected}`);
  if (open) return "let in, as ALLOWED_ORIGINS says";
  await refuses(`${signaling}/v1/match`, FOREIGN, "a page of another origin");
  return "refused";
}

/**
 * @param {string} url
 * @param {string | undefined} origin
 * @param {string} whom
 */
async function refuses(url, origin, whom) {
  /** @type {Visitor} */
  let visitor;
  try {
    visitor = await Visitor.open(url, origin);
  } catch (error) {
    if (error instanceof Problem && error.message.includes(" 403")) return;
    throw error;
  }
  visitor.close();
  throw new Problem(`${whom} gets a WebSocket`);
}

/** @returns {Promise<string>} the version that this clone builds */
export async function version() {
  const manifest = await readFile(join(root, "Cargo.toml"), "utf8");
  const found = /^version = "(.*)"$/m.exec(manifest)?.[1];
  if (!found) throw new Problem("Cargo.toml does not say the version.");
  return found;
}

/** @param {string} text on a command line */
export function seconds(text) {
  const number = Number(text);
  if (text.trim() === "" || !(number >= 0)) throw new Error("seconds are expected");
  return number;
}

const USAGE = `npm run smoke -- https://signaling.example.com [--site https://chat.example.com]
What is at the first address has to be of this clone's version; --any-version asks for none.`;

/** @returns {Promise<Target>} */
async function asked() {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: {
        site: { type: "string" },
        "any-version": { type: "boolean", default: false },
        patience: { type: "string", default: "10" },
      },
    });
    const [where, ...others] = positionals;
    if (!where || others.length > 0) throw new Error("one address is needed");
    const signaling = new URL(where).origin;
    const site = new URL(values.site ?? signaling).origin;
    const any = values["any-version"];
    return {
      signaling,
      sites: [site],
      origins: [site],
      ...(!any && { version: await version() }),
      patience: seconds(values.patience),
    };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(`Not understood: ${process.argv.slice(2).join(" ")}`, { hint: USAGE });
  }
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const target = await asked();
    const progress = new Progress();
    await setup(progress, ["packages"]);
    await smoke(target, progress);
    console.log(`\nEchoMingle works at ${target.sites[0]}, its signaling at ${target.signaling}.`);
  });
}
