// What of a deployment can be shown without an account: all of it by the dry run, and the uploads by the real
// wrangler to a stand-in for Cloudflare's API (cloudflare.js).

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { environment } from "../../scripts/environment.mjs";
import { prepareSite } from "../../scripts/site.mjs";
import { freePort } from "../e2e/server.js";
import { cloudflare } from "./cloudflare.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
/** How long a deployment may take, in milliseconds: it is built already. */
const PATIENCE = 240_000;
const PAGES = join(root, "pages");

/**
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ code: number, said: string }>} with what it printed
 */
async function deploy(args, env = {}) {
  const script = join(root, "scripts", "deploy.mjs");
  const options = { cwd: root, env: { ...process.env, ...env }, timeout: PATIENCE };
  try {
    const { stdout, stderr } = await run(process.execPath, [script, ...args], options);
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = /** @type {any} */ (error);
    return { code, said: stdout + stderr };
  }
}

/**
 * @param {string} said
 * @param {RegExp[]} patterns in the order in which they have to come
 */
function inOrder(said, patterns) {
  let rest = said;
  for (const pattern of patterns) {
    const place = rest.search(pattern);
    assert(place >= 0, `${pattern} does not come (any more) in:\n${said}`);
    rest = rest.slice(place).replace(pattern, "");
  }
}

const TRIED = [/✓ health/, /✓ site/, /✓ ICE servers/, /✓ random chat/, /✓ room/, /✓ foreign pages/];

test("the dry run does all but the uploads, and tries the Worker on this machine", async () => {
  const args = ["--dry-run", "--project", "meet", "--signaling", "https://signal.example"];
  const { code, said } = await deploy(args);
  assert.equal(code, 0, said);
  inOrder(said, [
    /No relay: /,
    /Turnstile is off/,
    /ALLOWED_ORIGINS:https:\/\/meet\.pages\.dev,https:\/\/\*\.meet\.pages\.dev/,
    /LOBBY \(LobbyObject\)/,
    ...TRIED,
    /nothing was uploaded/,
  ]);
  const page = await readFile(join(root, "build", "site", "index.html"), "utf8");
  assert.match(page, /name="signaling" content="https:\/\/signal\.example"/);
  for (const file of ["index.js", "site/_headers", "dry-run/index.js"]) {
    assert.ok((await stat(join(root, "build", file))).size > 0, file);
  }
});

test("the dry run of all in one has nothing to do with Pages", async () => {
  const { code, said } = await deploy(["--dry-run", "--all-in-one"]);
  assert.equal(code, 0, said);
  inOrder(said, [...TRIED, /nothing was uploaded/]);
  assert.doesNotMatch(said, /pages\.dev|ALLOWED_ORIGINS/);
});

test("the whole way with a site on Pages, by the real wrangler: what is asked, sent and tried", async () => {
  const port = await freePort();
  const [site, signaling] = [`https://localhost:${port}`, `https://127.0.0.1:${port}`];
  const origins = `${site},https://chat.example,https://embedded.example,https://*.localhost:${port}`;
  const api = await cloudflare({ secrets: ["TURN_SECRET"], made: `localhost:${port}`, url: site });
  const folder = await mkdtemp(join(tmpdir(), "echomingle-online-"));
  /** @type {Awaited<ReturnType<typeof online>> | undefined} */
  let server;
  try {
    // Online is a server of this machine, which wrangler gives a certificate that nobody signed.
    await prepareSite({ signaling }, folder);
    server = await online(port, ["--assets", folder, "--var", `ALLOWED_ORIGINS:${origins}`]);
    const env = { ...api.env, NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const extra = ["--origin", "https://embedded.example/", "--var", "TURNSTILE_SITE_KEY:0x1"];
    const args = ["--project", "meet", "--signaling", signaling, "--patience", "20", ...extra];
    api.account.project = {
      subdomain: `localhost:${port}`,
      domains: [`localhost:${port}`, "chat.example"],
      branch: "main",
    };
    const { code, said } = await deploy(args, env);
    assert.equal(code, 0, said);
    inOrder(said, [
      /✓ account .*ana@example\.com/,
      /✓ secrets .*TURN_SECRET/,
      /! TURN_SECRET is set, but TURN_URLS is not, so it has no effect/,
      /! TURNSTILE_SITE_KEY is set, but TURNSTILE_SECRET is not.*wrangler secret put TURNSTILE_SECRET/,
      /▸ wrangler deploy /,
      /▸ wrangler pages deploy /,
      ...TRIED,
      new RegExp(`EchoMingle is at ${site}, its signaling at ${signaling}`),
      /The configuration has mistakes/,
    ]);
    assert.deepEqual(api.changes(), [
      "PUT /workers/scripts/echomingle",
      "POST /workers/scripts/echomingle/subdomain",
      "POST /pages/projects/meet/deployments",
    ]);
    const worker = uploadOf(api, "PUT /workers/scripts/echomingle");
    const metadata = JSON.parse(/name="metadata"\r\n\r\n(.*)\r\n/.exec(worker)?.[1] ?? "");
    const { bindings, assets, keep_bindings: kept } = metadata;
    const text = (/** @type {string} */ name) =>
      bindings.find((/** @type {any} */ binding) => binding.name === name)?.text;
    assert.deepEqual(text("ALLOWED_ORIGINS").split(",").sort(), origins.split(",").sort());
    assert.equal(text("TURNSTILE_SITE_KEY"), "0x1");
    assert(kept.includes("secret_text"), "secrets would be lost");
    assert.deepEqual(assets.config.run_worker_first, ["/v1/*", "/healthz"]);
    assert.match(assets.config._headers, /frame-src https:\/\/challenges\.cloudflare\.com/);
    const pages = uploadOf(api, "POST /pages/projects/meet/deployments");
    assert.match(pages, /name="branch"\r\n\r\nmain\r\n/);
    assert(pages.includes(`connect-src 'self' ${signaling} wss://127.0.0.1:${port};`), pages);
    assert.match(pages, /frame-src https:\/\/challenges\.cloudflare\.com/);
  } finally {
    await server?.stop();
    await api.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

test("the whole way with all in one: the Worker carries the site, and Pages is not asked", async () => {
  const port = await freePort();
  const signaling = `https://127.0.0.1:${port}`;
  const api = await cloudflare({ secrets: null });
  const server = await online(port, []);
  try {
    const env = { ...api.env, NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const args = ["--all-in-one", "--signaling", signaling, "--patience", "20"];
    const { code, said } = await deploy(args, env);
    assert.equal(code, 0, said);
    inOrder(said, [/✓ secrets .*echomingle was not online before/, ...TRIED, /EchoMingle is at/]);
    assert(!api.heard.some(({ request }) => request.includes("/pages/")));
    const worker = uploadOf(api, "PUT /workers/scripts/echomingle");
    assert.match(worker, /"_headers":"[^"]*connect-src 'self';/);
    assert.doesNotMatch(worker, /"name":"ALLOWED_ORIGINS"/);
  } finally {
    await server.stop();
    await api.stop();
  }
});

test("a project that is made may have another address than its name says; the Worker's is in the site", async () => {
  const api = await cloudflare({ made: "meet-9ab.pages.dev", refuses: /^POST .*\/deployments/ });
  try {
    const { code, said } = await deploy(["--project", "meet"], api.env);
    assert.equal(code, 1);
    inOrder(said, [/not today/, /The site was not uploaded\. The Worker is online/]);
    const worker = uploadOf(api, "PUT /workers/scripts/echomingle");
    assert(worker.includes('"https://meet-9ab.pages.dev,https://*.meet-9ab.pages.dev"'), worker);
    const page = await readFile(join(root, "build", "site", "room.html"), "utf8");
    assert(page.includes('content="https://echomingle.ana.workers.dev"'), page);
  } finally {
    await api.stop();
  }
});

/** @type {[name: string, account: Partial<import("./cloudflare.js").Account>, said: RegExp[], changes: string[]][]} */
const FAILURES = [
  [
    "who one is",
    { refuses: /^GET \/(user|accounts|memberships)/ },
    [/not today/, /✗ Cloudflare does not say who you are/, /wrangler login/],
    [],
  ],
  [
    "the list of secrets",
    { refuses: /\/secrets/ },
    [/not today/, /✗ Cloudflare does not say which secrets are set/, /Nothing was changed/],
    [],
  ],
  [
    "a project",
    { refuses: /^POST \/pages\/projects$/ },
    [/not today/, /✗ The Pages project meet could not be made/, /--project another-name/],
    ["POST /pages/projects"],
  ],
  [
    "the Worker",
    { refuses: /^PUT / },
    [/not today/, /✗ The Worker was not deployed; what was online before still is/],
    ["POST /pages/projects", "PUT /workers/scripts/echomingle"],
  ],
];

for (const [what, account, said, changes] of FAILURES) {
  test(`where Cloudflare refuses ${what}, the deployment stops and says so`, async () => {
    const api = await cloudflare(account);
    try {
      const result = await deploy(["--project", "meet"], api.env);
      assert.equal(result.code, 1);
      inOrder(result.said, said);
      assert.deepEqual(api.changes(), changes);
    } finally {
      await api.stop();
    }
  });
}

test("without an account the first thing that is said is how to log in", async () => {
  const api = await cloudflare();
  try {
    const { code, said } = await deploy([], { ...api.env, CLOUDFLARE_API_TOKEN: "" });
    assert.equal(code, 1);
    inOrder(said, [/✗ You are not logged in to Cloudflare/, /npx wrangler login/]);
    assert.deepEqual(api.heard, []);
  } finally {
    await api.stop();
  }
});

test("a site that became a preview only is no success; its domains may use the Worker", async () => {
  const domains = ["chat.example", "meet.pages.dev"];
  const project = { subdomain: "meet.pages.dev", domains, branch: "trunk" };
  const api = await cloudflare({ project });
  try {
    const { code, said } = await deploy(["--project", "meet"], api.env);
    assert.equal(code, 1);
    inOrder(said, [
      /The site is at https:\/\/4f2a\.meet\.pages\.dev only/,
      /branch of meet is not main/,
    ]);
  } finally {
    await api.stop();
  }
});

test("a preview leaves the Worker alone; where what is online does not answer, the way back is said", async () => {
  const project = { subdomain: "meet.pages.dev", domains: ["meet.pages.dev"], branch: "main" };
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const api = await cloudflare({ project, url: nobody });
  try {
    const args = ["--project", "meet", "--preview", "blue", "--signaling", nobody];
    const { code, said } = await deploy([...args, "--patience", "1"], api.env);
    assert.equal(code, 1);
    inOrder(said, [
      /✗ What is online does not work as it should/,
      /health: no answer \(ECONNREFUSED\)/,
      /room: no WebSocket/,
      /npx wrangler rollback/,
    ]);
    assert.deepEqual(api.changes(), ["POST /pages/projects/meet/deployments"]);
    const pages = uploadOf(api, "POST /pages/projects/meet/deployments");
    assert.match(pages, /name="branch"\r\n\r\nblue\r\n/);
  } finally {
    await api.stop();
  }
});

test("what is not understood is explained and nothing is done", async () => {
  const wrong = [
    ["--force"],
    ["--preview", "blue"],
    ["--var", "NAME"],
    ["--origin", "chat"],
    ["--patience", "long"],
  ];
  for (const args of wrong) {
    const { code, said } = await deploy(args);
    assert.equal(code, 1);
    assert.match(said, new RegExp(`^\\s*✗ Not understood: ${args.join(" ")}\\s+npm run deploy`));
  }
});

/**
 * @param {{ heard: import("./cloudflare.js").Heard[] }} api
 * @param {string} request
 * @returns {string} what was sent with the only such request
 */
function uploadOf({ heard }, request) {
  const found = heard.filter((each) => each.request.replace(/\?.*/, "") === request);
  assert.equal(found.length, 1, request);
  return `${found[0]?.body}`;
}

/**
 * @param {number} port
 * @param {string[]} options of `wrangler dev`, which stands in for what is online
 */
async function online(port, options) {
  const program = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  const where = ["--local-protocol", "https", "--ip", "127.0.0.1", "--port", `${port}`];
  const quiet = ["--inspector-port=0", "--show-interactive-dev-session=false"];
  const args = [program, "dev", ...where, ...quiet, ...options];
  const child = spawn(process.execPath, args, { cwd: root, env: environment() });
  const ended = once(child, "exit");
  let log = "";
  const up = Promise.withResolvers();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => {
      log += text;
      if (log.includes("Ready on")) up.resolve(null);
    });
  }
  child.once("exit", () => up.reject(new Error(`ended: ${log}`)));
  const timer = setTimeout(() => up.reject(new Error(`not up: ${log}`)), PATIENCE);
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  await up.promise.catch(async (error) => {
    await stop();
    throw error;
  });
  clearTimeout(timer);
  return { stop };
}

/**
 * Prepares a site and tells how its pages and headers differ from pages/.
 *
 * @param {import("../../scripts/site.mjs").Deployment} deployment
 * @returns {Promise<Record<string, { before: string, after: string }>>} the files that are not the same
 */
async function prepared(deployment) {
  const folder = await mkdtemp(join(tmpdir(), "echomingle-site-"));
  try {
    await prepareSite(deployment, folder);
    const names = await readdir(folder, { recursive: true });
    assert.deepEqual(names.sort(), (await readdir(PAGES, { recursive: true })).sort());
    const files = names.filter((name) => /[._]/.test(name));
    const pairs = await Promise.all(
      files.map(async (name) => {
        const [before, after] = await Promise.all(
          [PAGES, folder].map((where) => readFile(join(where, name), "utf8")),
        );
        return /** @type {const} */ ([name, { before: before ?? "", after: after ?? "" }]);
      }),
    );
    return Object.fromEntries(pairs.filter(([, { before, after }]) => before !== after));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("a site apart from its Worker has the Worker's address in its pages and its policy, and no other change", async () => {
  const changed = await prepared({ signaling: "https://signal.example/" });
  const pages = (await readdir(PAGES)).filter((name) => name.endsWith(".html"));
  /** @type {string[]} */
  const connecting = [];
  for (const name of pages) {
    const text = await readFile(join(PAGES, name), "utf8");
    if (text.includes("signaling")) connecting.push(name);
  }
  assert.deepEqual(Object.keys(changed).sort(), ["_headers", ...connecting].sort());
  for (const name of connecting) {
    const { before, after } = /** @type {any} */ (changed[name]);
    assert.match(after, /<meta name="signaling" content="https:\/\/signal\.example">/);
    assert.equal(after.replace("https://signal.example", ""), before);
  }
  const { before, after } = /** @type {any} */ (changed._headers);
  const added = " https://signal.example wss://signal.example";
  assert(after.includes(`connect-src 'self'${added};`), after);
  assert.equal(after.replace(added, ""), before);
});

test("a site on its Worker's origin is what lies in pages/", async () => {
  assert.deepEqual(await prepared({}), {});
});

test("Turnstile may be loaded where it is used, and nowhere else", async () => {
  const { _headers: headers, ...others } = await prepared({ turnstile: true });
  assert.deepEqual(others, {});
  const policy = /** @type {string[]} */ (
    headers?.after.match(/Content-Security-Policy: (.*)/)?.[1]?.split("; ")
  );
  const added = policy.filter((directive) => !headers?.before.includes(directive));
  assert.deepEqual(added, [
    "frame-src https://challenges.cloudflare.com",
    "script-src 'self' https://challenges.cloudflare.com",
  ]);
});
