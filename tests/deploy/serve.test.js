// The Worker and its site without the cloud: `npm run serve`, by itself and behind the proxies of docs/self-host.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { which } from "../../scripts/environment.mjs";
import { run } from "../../scripts/process.mjs";
import { variables } from "../../scripts/variables.mjs";
import { family, start } from "../e2e/server.js";
import { proxies } from "./proxy.js";
import { ask, Visitor } from "./visitor.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const SERVE = join(root, "scripts", "serve.mjs");
const SECRET = "secret-nobody-is-told";
const RELAY = { TURN_URLS: "turn:relay.example", TURN_SECRET: SECRET };
/** How many answers with relays an address gets at once (src/core/quota.rs). */
const BURST = 60;
/** How a browser says that a page asks the server that it is from. */
const OWN_PAGE = { "sec-fetch-site": "same-origin" };

/** @type {string} */
let folder;
/** @type {string} */
let data;
/** @type {import("../e2e/server.js").Server} */
let server;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "echomingle-serve-"));
  data = join(folder, "data");
  const made = await run(process.execPath, [SERVE, "--build-only"]);
  assert(made.ok, made.output);
  server = await start({ data, env: RELAY });
});

after(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("the site is answered as npm start answers it", async () => {
  const other = await start();
  try {
    const names = await readdir(join(root, "pages"), { recursive: true });
    const bare = names.filter((name) => name.endsWith(".html")).map((name) => name.slice(0, -5));
    const odd = ["", "r/some-room", "r/", "r", "_headers?a=b", "nothing", "healthz", "v1/stats"];
    const climbing = ["../wrangler.toml", "%2e%2e/wrangler.toml", "lib/../main.js", "/example.com"];
    for (const path of [...names, ...bare, ...odd, ...climbing, "v1/nothing", "v1/match"]) {
      for (const method of ["GET", "HEAD", "POST"]) {
        const of = (/** @type {string} */ address) => ask(`${address}/${path}`, { method });
        const [here, there] = await Promise.all([of(server.address), of(other.address)]);
        assert.deepEqual(comparable(here), comparable(there), `${method} /${path}`);
        const said = path === "v1/stats" ? shape : (/** @type {string} */ body) => body;
        assert(said(here.body) === said(there.body), `${method} /${path}: not the same text`);
      }
    }
    const page = await ask(server.address);
    const { etag = "" } = page.headers;
    assert.match(page.body, /<!doctype html>/i);
    assert.equal((await ask(server.address, { headers: { "if-none-match": etag } })).status, 304);
  } finally {
    await other.stop();
  }
});

/** Statistics without their numbers: who was there before may be told of for a while. @param {string} body */
const shape = (body) => body.replace(/\d+/g, "0");

/**
 * What is said about a file, but for how it is sent, when, how fast it was found, and which version it is.
 *
 * @param {import("./visitor.js").Answer} answer
 */
function comparable({ status, headers }) {
  const ways = ["connection", "content-length", "keep-alive", "transfer-encoding"];
  const chance = [...ways, "cf-cache-status", "date"];
  const rest = Object.entries(headers).filter(([name]) => !chance.includes(name));
  return { status, headers: { ...Object.fromEntries(rest), etag: "etag" in headers } };
}

test("every variable that the Worker reads can be set", async () => {
  const bindings = await readFile(join(root, "src", "shell", "bindings.rs"), "utf8");
  const read = [...bindings.matchAll(/variable\(env, "(\w+)"\)/g)].map(([, name]) => name);
  assert.deepEqual(variables, read.sort());
});

test("a secret comes from the environment, and no list of processes shows it", async () => {
  const { body } = await ask(`${server.address}/v1/ice`, { headers: OWN_PAGE });
  assert.deepEqual(JSON.parse(body).iceServers[0].urls, ["turn:relay.example"]);
  const all = await family(server.pid);
  const lines = await Promise.all(all.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8")));
  assert(lines.some((line) => line.includes("workerd")));
  assert(!lines.join().includes(SECRET));
});

test("what objects keep is for this user alone", async () => {
  const visitor = await Visitor.come(server.address);
  visitor.leave();
  const names = await readdir(data, { recursive: true });
  assert(names.some((name) => name.endsWith(".sqlite")));
  for (const name of ["", ...names])
    assert.equal((await stat(join(data, name))).mode & 0o077, 0, name);
});

test("what is not on this machine's loopback is warned about in words", async () => {
  const other = await start({ data: join(folder, "other"), ip: "0.0.0.0" });
  await other.stop();
  assert.match(other.log(), /without passing the proxy can claim any address/);
  assert.doesNotMatch(server.log(), /without passing the proxy/);
});

test("a misspelt variable is refused with the names there are", async () => {
  const args = [SERVE, "--build-only", "--var", "STUN_URL:stun:example"];
  const { ok, output } = await run(process.execPath, args, { limit: 60 });
  assert(!ok);
  assert.match(output, /Not understood: .* STUN_URL:stun:example\s[\s\S]*STUN_URLS/);
});

test("a page that a proxy serves by https is of the server's own origin", async () => {
  const headers = { "x-forwarded-proto": "https", host: "meet.example" };
  const origin = "https://meet.example";
  const page = await Visitor.come(server.address, { headers, origin });
  page.leave();
  const plain = { host: "meet.example" };
  await assert.rejects(Visitor.come(server.address, { headers: plain, origin }), /403/);
  const foreign = "https://elsewhere.example";
  await assert.rejects(Visitor.come(server.address, { headers, origin: foreign }), /403/);
});

test("who went away and does not come back is lost: alarms go off", async () => {
  const [ana, ben] = await pair(server.address);
  const { id } = await ana.heard("welcome");
  ana.say({ type: "away" });
  ana.leave();
  const left = await ben.heard("peer-left");
  assert.deepEqual([left.peer, left.reason], [id, "lost"]);
  ben.leave();
});

test("a call goes on when the server is started anew", async () => {
  const [ana, ben] = await pair(server.address);
  const { port } = server;
  const since = Date.now();
  await server.stop();
  await Promise.all([ana.gone, ben.gone]);
  const took = Date.now() - since;
  assert(took < 4_000, `to end took ${took} ms`);
  server = await start({ data, env: RELAY, port });
  const again = await Promise.all([ana, ben].map((visitor) => visitor.comeBack(server.address)));
  const [ana2, ben2] = /** @type {[Visitor, Visitor]} */ (again);
  ana2.say({ type: "signal", to: ben2.id, data: { candidates: ["still here"] } });
  const signal = await ben2.heard("signal");
  assert.deepEqual([signal.from, signal.data], [ana.id, { candidates: ["still here"] }]);
  for (const visitor of [ana2, ben2]) visitor.leave();
});

/**
 * @param {string} address
 * @param {import("./visitor.js").Manner} [manner]
 * @returns {Promise<[Visitor, Visitor]>} two who are in a call
 */
async function pair(address, manner) {
  const ana = await Visitor.come(address, manner);
  const ben = await Visitor.come(address, manner);
  for (const visitor of [ana, ben]) visitor.say({ type: "find", mode: "text" });
  for (const visitor of [ana, ben]) await visitor.heard("peer-joined");
  return [ana, ben];
}

for (const proxy of proxies) {
  const skip = which(proxy.name) && which("openssl") ? false : `${proxy.name} is not installed`;
  test(`behind ${proxy.name}, two meet, nobody is somebody else, and nobody is written down`, {
    skip,
  }, async () => {
    const front = await proxy.start(server.port, await mkdtemp(join(folder, "proxy-")));
    try {
      const [ana, ben] = await pair(front.address, { origin: front.address });
      ana.say({ type: "signal", to: ben.id, data: "x".repeat(30_000) });
      assert.equal((await ben.heard("signal")).data.length, 30_000);
      for (const visitor of [ana, ben]) visitor.leave();
      const http = front.address.replace("https", "http");
      const forged = { "x-forwarded-proto": "http" };
      const pretends = Visitor.come(front.address, { headers: forged, origin: http });
      await assert.rejects(pretends, /403/);

      const page = await ask(`${front.address}/r/some-room`, {});
      const direct = await ask(`${server.address}/r/some-room`, {});
      assert.equal(page.body, direct.body);
      const policy = "content-security-policy";
      assert.equal(page.headers[policy], direct.headers[policy]);
      const headers = { "accept-encoding": "gzip" };
      const small = await ask(front.address, { headers });
      assert.equal(small.headers["content-encoding"], "gzip");
      const known = { ...headers, "if-none-match": small.headers.etag ?? "" };
      assert.equal((await ask(front.address, { headers: known })).status, 304);

      // Each with an address of its own, as it claims. They are counted as the one that they come from.
      const count = (/** @type {string} */ address, /** @type {string} */ from) =>
        ask(`${address}/v1/ice`, { headers: { ...OWN_PAGE, "cf-connecting-ip": from } });
      const claims = Array.from({ length: BURST + 20 }, (_, number) => `192.0.2.${number}`);
      const answers = await Promise.all(claims.map((claim) => count(front.address, claim)));
      assert(answers.some(({ status }) => status === 429));
      const own = await Promise.all(claims.map(() => count(server.address, "127.0.0.1")));
      assert(own.filter(({ status }) => status === 429).length > BURST);
      assert.equal((await count(server.address, "192.0.2.0")).status, 200);

      await server.stop();
      assert.equal((await ask(`${front.address}/r/secret-room`)).status, 502);
      server = await start({ data, env: RELAY, port: server.port });
    } finally {
      await front.stop();
    }
    assert.doesNotMatch(front.log(), /some-room|secret-room/);
  });
}

test("a site that asks Turnstile may load it", async () => {
  const key = "1x00000000000000000000AA";
  const made = await run(process.execPath, [SERVE, "--build-only"], {
    env: { TURNSTILE_SITE_KEY: key },
  });
  assert(made.ok, made.output);
  const env = { TURNSTILE_SITE_KEY: key, TURNSTILE_SECRET: SECRET };
  const other = await start({ data: join(folder, "checked"), env });
  try {
    const { headers } = await ask(other.address);
    const policy = headers["content-security-policy"] ?? "";
    for (const kind of ["script-src 'self'", "frame-src"])
      assert(policy.includes(`${kind} https://challenges.cloudflare.com;`), policy);
    const { body } = await ask(`${other.address}/v1/ice`, { headers: OWN_PAGE });
    assert.equal(JSON.parse(body).check, key);
  } finally {
    await other.stop();
  }
});
