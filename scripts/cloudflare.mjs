/** What is asked of Cloudflare and told it: all of it by wrangler, whose answers for programs are read. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { node, root } from "./environment.mjs";
import { Problem } from "./problem.mjs";
import { run } from "./process.mjs";

const LOGIN = `Log in first: npx wrangler login
Without a browser: set CLOUDFLARE_API_TOKEN (and CLOUDFLARE_ACCOUNT_ID where there are several accounts).`;

/**
 * @typedef {object} Wrangled
 * @property {boolean} ok
 * @property {string} output
 * @property {string} stdout
 * @property {any[]} reports what it wrote for programs, by type (Cloudflare Workers: Wrangler,
 *   "WRANGLER_OUTPUT_FILE_PATH")
 */

/**
 * @param {string[]} args
 * @param {{ show?: boolean }} [options] `show`: what it prints
 * @returns {Promise<Wrangled>}
 */
export async function wrangler(args, { show = false } = {}) {
  if (show) console.log(`\n▸ wrangler ${args.join(" ")}`);
  const folder = await mkdtemp(join(tmpdir(), "echomingle-wrangler-"));
  const file = join(folder, "output.ndjson");
  try {
    const program = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
    const result = await run(node(), [program, ...args], {
      env: { WRANGLER_OUTPUT_FILE_PATH: file },
      onOutput: (text) => void (show && process.stdout.write(text)),
    });
    const lines = (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean);
    return { ...result, reports: lines.map((line) => JSON.parse(line)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What was configured in wrangler.toml.
 *
 * @returns {Promise<{ name: string, vars: Record<string, string> }>}
 */
export async function configuration() {
  // Not before: it is one of the packages that the set-up brings.
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const { name, vars } = readConfig({ config: join(root, "wrangler.toml") });
  if (!name) throw new Problem("wrangler.toml gives the Worker no name.");
  const texts = Object.entries(vars).map(([key, value]) => [key, `${value}`]);
  return { name, vars: Object.fromEntries(texts) };
}

/** @returns {Promise<string>} who is logged in */
export async function account() {
  const { ok, output, stdout } = await wrangler(["whoami", "--json"]);
  if (ok) {
    const { email, accounts } = JSON.parse(stdout);
    return email ?? accounts[0]?.name ?? "somebody";
  }
  if (stdout.includes('"loggedIn":false')) {
    throw new Problem("You are not logged in to Cloudflare.", { hint: LOGIN });
  }
  throw new Problem("Cloudflare does not say who you are.", { log: output, hint: LOGIN });
}

/** @returns {Promise<string[] | null>} the names of the Worker's secrets; `null` before it first went online */
export async function secrets() {
  const { ok, output, stdout } = await wrangler(["secret", "list"]);
  if (ok) return JSON.parse(stdout).map((/** @type {{ name: string }} */ { name }) => name);
  if (/Worker "[^"]*" not found/.test(output)) return null;
  throw new Problem("Cloudflare does not say which secrets are set.", {
    log: output,
    hint: "The message above says why. Nothing was changed.",
  });
}

/**
 * @param {string} project
 * @returns {Promise<string[] | null>} the hosts under which it is served, its own first; `null` if there is none
 */
async function domains(project) {
  const { ok, output, stdout } = await wrangler(["pages", "project", "list", "--json"]);
  if (!ok) {
    throw new Problem("Cloudflare does not list your Pages projects.", {
      log: output,
      hint: "An API token needs the permission Cloudflare Pages: Edit. Nothing was changed.",
    });
  }
  /** @type {Record<string, string>[]} */
  const projects = JSON.parse(stdout);
  const found = projects.find((each) => each["Project Name"] === project);
  const hosts = found?.["Project Domains"]?.split(/,\s*/).filter(Boolean) ?? [];
  const own = hosts.find((host) => host.endsWith(".pages.dev"));
  return found ? [...(own ? [own] : []), ...hosts.filter((host) => host !== own)] : null;
}

/**
 * @param {string} project which is made, unless it is there
 * @returns {Promise<string[]>} the hosts under which it is served, its own first. That is not always the
 *   project's name: another account may have had it first
 */
export async function pagesProject(project) {
  const there = await domains(project);
  if (there) return there;
  const { ok, output } = await wrangler(
    ["pages", "project", "create", project, "--production-branch", "main"],
    { show: true },
  );
  const made = ok ? await domains(project) : null;
  if (made) return made;
  throw new Problem(`The Pages project ${project} could not be made.`, {
    log: ok ? output : "",
    hint: "The message above says why. Another name: npm run deploy -- --project another-name",
  });
}

/**
 * @param {string[]} args
 * @returns {Promise<string | undefined>} the address of the Worker, where it has one at workers.dev
 */
export async function deployWorker(args) {
  const { ok, reports } = await wrangler(["deploy", ...args], { show: true });
  if (!ok) {
    throw new Problem("The Worker was not deployed; what was online before still is.", {
      hint: "Mend what the message above names, and run this again.",
    });
  }
  /** @type {string[]} */
  const targets = reports.find(({ type }) => type === "deploy")?.targets ?? [];
  const addresses = targets.map((target) => /^(https:\/\/)?([\w.-]+)/.exec(target)?.[2]);
  const own = addresses.find((host) => host?.endsWith(".workers.dev"));
  return own && `https://${own}`;
}

/**
 * @param {string} folder
 * @param {string} project
 * @param {string} branch
 * @returns {Promise<{ url: string, environment: string, production_branch?: string }>} this deployment
 */
export async function deployPages(folder, project, branch) {
  const args = [folder, "--project-name", project, "--branch", branch];
  const { ok, reports } = await wrangler(["pages", "deploy", ...args], { show: true });
  const report = reports.find(({ type }) => type === "pages-deploy-detailed");
  if (ok && report) return report;
  throw new Problem("The site was not uploaded. The Worker is online, the site is as it was.", {
    hint: "Mend what the message above names, and run this again.",
  });
}
