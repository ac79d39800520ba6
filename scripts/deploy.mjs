/** `npm run deploy`: the Worker goes online, then the site, which is told where the Worker is; then both are tried. */

import { createServer } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import {
  account,
  configuration,
  deployPages,
  deployWorker,
  pagesProject,
  secrets,
} from "./cloudflare.mjs";
import { root } from "./environment.mjs";
import { main, Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { serve } from "./server.mjs";
import { explain, listed } from "./settings.mjs";
import { everything, setup } from "./setup.mjs";
import { prepareSite } from "./site.mjs";
import { PATIENCE, seconds, smoke, version } from "./smoke.mjs";

const USAGE = `npm run deploy -- [--dry-run] [--project echomingle | --all-in-one] [--origin https://chat.example.com]...
  [--signaling https://signaling.example.com] [--preview branch] [--var NAME:value]... [--patience seconds]
docs/deploy.md says what each of them means.`;

/** Where the Worker is taken to be in a dry run. */
const SOMEWHERE = "https://signaling.example.com";
const folder = join(root, "build");

function options() {
  try {
    const { values } = parseArgs({
      options: {
        "all-in-one": { type: "boolean", default: false },
        "dry-run": { type: "boolean", default: false },
        origin: { type: "string", multiple: true, default: [] },
        patience: { type: "string", default: `${PATIENCE}` },
        preview: { type: "string" },
        project: { type: "string", default: "echomingle" },
        signaling: { type: "string" },
        var: { type: "string", multiple: true, default: [] },
      },
    });
    const [preview, signaling] = [values.preview, values.signaling];
    if (preview && (values["all-in-one"] || !signaling)) throw new Error("of what?");
    return {
      allInOne: values["all-in-one"],
      dryRun: values["dry-run"],
      origins: values.origin.map((text) => new URL(text).origin),
      patience: seconds(values.patience),
      preview,
      project: values.project,
      signaling: signaling && new URL(signaling).origin,
      variables: Object.fromEntries(values.var.map(parted)),
    };
  } catch {
    throw new Problem(`Not understood: ${process.argv.slice(2).join(" ")}`, { hint: USAGE });
  }
}

/** @param {string} variable */
function parted(variable) {
  const [, name, value] = /^(\w+):(.*)$/s.exec(variable) ?? [];
  if (name === undefined || value === undefined) throw new Error("NAME:value is expected");
  return [name, value];
}

/** @typedef {ReturnType<typeof options>} Options */

/**
 * What is to be deployed, and where.
 *
 * @typedef {object} Plan
 * @property {string[]} hosts of the site on Pages, its own first; none where all is in one
 * @property {number} mistakes in the configuration, which were named
 * @property {string[]} origins whose pages may use the Worker
 * @property {boolean} open whether all others may, too
 * @property {boolean} turnstile
 * @property {Record<string, string>} variables that wrangler.toml does not have
 */

/**
 * @param {Options} chosen
 * @param {Progress} progress
 * @returns {Promise<Plan>}
 */
async function plan(chosen, progress) {
  const { name, vars } = await configuration();
  const all = { ...vars, ...chosen.variables };
  const names = chosen.dryRun ? null : await secretNames(progress, name);
  const { facts, mistakes } = explain(all, names);
  for (const fact of facts) console.log(`  · ${fact}`);
  for (const mistake of mistakes) console.log(`  ! ${mistake}`);
  if (!names) console.log("  · Secrets were not looked at: that takes an account.");
  const hosts = chosen.allInOne ? [] : await hostsOf(chosen);
  const origins = [...hosts.map((host) => `https://${host}`), ...chosen.origins];
  const previews = hosts.slice(0, 1).map((host) => `https://*.${host}`);
  const configured = listed(all.ALLOWED_ORIGINS);
  const allowed = [...new Set([...configured, ...origins, ...previews])];
  return {
    hosts,
    mistakes: mistakes.length,
    origins,
    open: allowed.includes("*"),
    turnstile: Boolean(all.TURNSTILE_SITE_KEY || names?.includes("TURNSTILE_SITE_KEY")),
    variables: {
      ...chosen.variables,
      ...(allowed.length > 0 && { ALLOWED_ORIGINS: allowed.join() }),
    },
  };
}

/**
 * @param {Progress} progress
 * @param {string} worker its name
 * @returns {Promise<string[]>} the names of the secrets that are set
 */
async function secretNames(progress, worker) {
  await progress.task("account", account);
  /** @type {string[]} */
  let names = [];
  await progress.task("secrets", async () => {
    const found = await secrets();
    names = found ?? [];
    if (!found) return `none: ${worker} was not online before`;
    return names.length > 0 ? names.join(", ") : "none";
  });
  return names;
}

/** @param {Options} chosen */
async function hostsOf({ dryRun, project }) {
  return dryRun ? [`${project}.pages.dev`] : await pagesProject(project);
}

/** @param {Plan} planned */
async function workerArguments({ turnstile, variables }) {
  const assets = await prepareSite({ turnstile }, join(folder, "worker-site"));
  const pairs = Object.entries(variables).map(([name, value]) => `${name}:${value}`);
  return ["--assets", assets, ...pairs.flatMap((pair) => ["--var", pair])];
}

/**
 * @param {Options} chosen
 * @param {Plan} planned
 * @param {Progress} progress
 */
async function upload(chosen, planned, progress) {
  const { allInOne, patience, preview } = chosen;
  const { hosts, origins, open, turnstile } = planned;
  const online = preview ? undefined : await deployWorker(await workerArguments(planned));
  const signaling = chosen.signaling ?? online;
  if (!signaling) {
    throw new Problem("The Worker is online, but its address was not printed.", {
      hint: `Say it: ${USAGE}`,
    });
  }
  const sites = allInOne ? [signaling] : hosts.slice(0, 1).map((host) => `https://${host}`);
  if (!allInOne) {
    const site = await prepareSite({ signaling, turnstile }, join(folder, "site"));
    const { url, environment } = await deployPages(site, chosen.project, preview ?? "main");
    if (!preview && environment !== "production") {
      throw new Problem(`The site is at ${url} only, as a preview.`, {
        hint: `The production branch of ${chosen.project} is not main. Change that in the dashboard (the project's Settings, Branch control).`,
      });
    }
    if (preview) sites.length = 0;
    sites.push(new URL(url).origin);
  }
  console.log("");
  const target = {
    signaling,
    sites: [...new Set(sites)],
    origins: [...new Set([...sites, ...origins])],
    open,
    ...(!preview && { version: await version() }),
    patience,
  };
  await smoke(target, progress).catch((error) => {
    if (!(error instanceof Problem)) throw error;
    const back = "Back to the Worker that was online before: npx wrangler rollback";
    throw new Problem(error.message, { hint: `${error.hint}\n${back}` });
  });
  return `EchoMingle is at ${target.sites[0]}, its signaling at ${signaling}.`;
}

/**
 * All but the uploads. In place of what would be online, a server on this machine is tried.
 *
 * @param {Options} chosen
 * @param {Plan} planned
 * @param {Progress} progress
 */
async function rehearse(chosen, planned, progress) {
  const { allInOne, signaling = SOMEWHERE } = chosen;
  const { hosts, origins, open, turnstile, variables } = planned;
  const place = join(folder, "dry-run");
  const args = await workerArguments(planned);
  await deployWorker([...args, "--dry-run", "--outdir", place]);
  const port = await freePort();
  const local = `http://127.0.0.1:${port}`;
  let site = join(folder, "worker-site");
  let uploaded = site;
  if (!allInOne) {
    uploaded = await prepareSite({ signaling, turnstile }, join(folder, "site"));
    site = await prepareSite({ signaling: local, turnstile }, join(place, "site"));
  }
  const address = {
    ip: "127.0.0.1",
    port,
    variables: Object.entries(variables).map(([name, value]) => `${name}:${value}`),
    options: ["--assets", site, "--persist-to", join(place, "state")],
  };
  console.log("");
  await progress.task("server", async (step) => {
    await serve(address, step, () => {});
    return "on this machine, in place of what would be online";
  });
  const previews = hosts.slice(0, 1).map((host) => `https://a-preview.${host}`);
  const pages = [...origins, ...previews];
  const target = {
    signaling: local,
    // To a browser another origin, at which the same server answers.
    sites: [allInOne ? local : `http://localhost:${port}`],
    origins: pages.length > 0 ? pages : [local],
    open,
    version: await version(),
    patience: chosen.patience,
  };
  await smoke(target, progress);
  const where = allInOne ? "" : `, with ${signaling} as its signaling`;
  return `Dry run: nothing was uploaded. ${uploaded} is the site${where}.`;
}

/** @returns {Promise<number>} a port of this machine that nobody listens on */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

await main(async () => {
  const chosen = options();
  const progress = new Progress();
  await setup(progress, everything);
  await build(progress);
  const planned = await plan(chosen, progress);
  console.log(`\n${await (chosen.dryRun ? rehearse : upload)(chosen, planned, progress)}`);
  if (planned.mistakes > 0)
    console.log("The configuration has mistakes; they were named above (!).");
  process.exit(); // and with it the server of a dry run
});
