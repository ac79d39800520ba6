// A stand-in for Cloudflare's API, which the real wrangler is pointed to. It knows one account and answers what
// wrangler 4.164 asks it when it deploys; what it answers was written down from the API's documentation and from
// what wrangler reads of it. That the real one says the same, only the real one can show.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ACCOUNT = "0123456789abcdef0123456789abcdef";

/**
 * What there is in the account.
 *
 * @typedef {object} Account
 * @property {string[] | null} secrets of the Worker; `null`: there is no Worker yet
 * @property {{ subdomain: string, domains: string[], branch: string } | null} project on Pages
 * @property {string} made the subdomain of a project that is made
 * @property {string} url of the next deployment on Pages
 * @property {RegExp | null} refuses requests that are refused
 */

/** @typedef {{ request: string, body: Buffer }} Heard */

/** @param {Partial<Account>} [given] */
export async function cloudflare(given = {}) {
  /** @type {Account} */
  const account = {
    secrets: [],
    project: null,
    made: "meet.pages.dev",
    url: "https://4f2a.meet.pages.dev",
    refuses: null,
    ...given,
  };
  /** @type {Heard[]} */
  const heard = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const what = `${request.method} ${request.url?.replace(`/accounts/${ACCOUNT}`, "")}`;
    heard.push({ request: what, body });
    const { status, result, error } = answer(account, what, body);
    const text = { success: !error, errors: error ? [error] : [], messages: [], result };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(text));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const home = await mkdtemp(join(tmpdir(), "echomingle-account-"));
  return {
    account,
    heard,
    /** What has wrangler ask here, and find nothing that it knew before. */
    env: {
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}`,
      CLOUDFLARE_API_TOKEN: "a token",
      WRANGLER_CACHE_DIR: join(home, "cache"),
      XDG_CONFIG_HOME: home,
    },
    /** What was changed, in order, whoever's names are in it. */
    changes: () =>
      heard
        .map(({ request }) => request.replace(/\?.*/, ""))
        .filter((request) => !request.startsWith("GET ") && !request.includes("/assets")),
    async stop() {
      server.close();
      server.closeAllConnections();
      await rm(home, { recursive: true, force: true });
    },
  };
}

const MISSING = { status: 404, error: { code: 10007, message: "This Worker does not exist." } };

/**
 * @param {Account} account
 * @param {string} request
 * @param {Buffer} body
 * @returns {{ status: number, result?: unknown, error?: { code: number, message: string } }}
 */
function answer(account, request, body) {
  if (account.refuses?.test(request)) {
    return { status: 400, error: { code: 10000, message: `not today: ${request}` } };
  }
  const { secrets, project } = account;
  const [path] = request.split("?");
  const ok = (/** @type {unknown} */ result) => ({ status: 200, result });
  const deployment = {
    id: "d1",
    url: account.url,
    project_name: "meet",
    environment: project?.branch === branch(body) ? "production" : "preview",
    production_branch: project?.branch,
    aliases: null,
    deployment_trigger: { metadata: {} },
    latest_stage: { name: "deploy", status: "success" },
  };
  const described = project && {
    name: "meet",
    subdomain: project.subdomain,
    domains: project.domains,
    production_branch: project.branch,
    deployment_configs: { production: {}, preview: {} },
    latest_deployment: null,
    created_on: "2026-11-01T00:00:00Z",
  };
  switch (path) {
    case "GET /user":
      return ok({ id: "u", email: "ana@example.com" });
    case "GET /user/tokens/verify":
      return ok({ id: "t", status: "active" });
    case "GET /accounts":
      return ok([{ id: ACCOUNT, name: "Ana" }]);
    case "GET /memberships":
      return ok([{ id: "m", account: { id: ACCOUNT, name: "Ana" }, roles: [] }]);
    case "GET /workers/subdomain":
      return ok({ subdomain: "ana" });
    case "GET /workers/scripts/echomingle/secrets":
      return secrets ? ok(secrets.map((name) => ({ name, type: "secret_text" }))) : MISSING;
    case "GET /workers/services/echomingle":
    case "GET /workers/scripts/echomingle/deployments":
      return MISSING;
    case "GET /workers/scripts/echomingle/settings":
      return ok({ bindings: [] });
    case "POST /workers/scripts/echomingle/assets-upload-session":
      return ok({ jwt: "uploaded", buckets: [] });
    case "PUT /workers/scripts/echomingle":
      account.secrets ??= [];
      return ok({ id: "echomingle", deployment_id: "w1", startup_time_ms: 3 });
    case "GET /workers/workers/echomingle":
      return ok({ id: "w1", name: "echomingle", subdomain: { enabled: true } });
    case "GET /workers/scripts/echomingle/subdomain":
    case "POST /workers/scripts/echomingle/subdomain":
      return ok({ enabled: true, previews_enabled: true });
    case "GET /pages/projects":
      return ok(described ? [described] : []);
    case "POST /pages/projects":
      account.project = { subdomain: account.made, domains: [account.made], branch: "main" };
      return ok({ ...JSON.parse(`${body}`), subdomain: account.made });
    case "GET /pages/projects/meet":
      return ok(described);
    case "GET /pages/projects/meet/upload-token": {
      const claims = Buffer.from(JSON.stringify({ exp: 4_000_000_000 })).toString("base64url");
      return ok({ jwt: `e30.${claims}.x` });
    }
    case "POST /pages/assets/check-missing":
      return ok([]);
    case "POST /pages/assets/upsert-hashes":
      return ok(null);
    case "POST /pages/projects/meet/deployments":
      return ok(deployment);
    case "GET /pages/projects/meet/deployments/d1":
      return ok(deployment);
    default:
      return { status: 404, error: { code: 7003, message: `the stand-in has no ${request}` } };
  }
}

/**
 * @param {Buffer} form
 * @returns {string | undefined}
 */
function branch(form) {
  return /name="branch"\r\n\r\n(.*)\r\n/.exec(`${form}`)?.[1];
}
