/** Tells workerd what wrangler.toml says: the Worker, its objects, and the site as Cloudflare's own code serves it.
 *
 * A program of its own, since wrangler and miniflare take 200 MB that nobody needs once it is done. */

import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import { root } from "./environment.mjs";
import { main, Problem } from "./problem.mjs";
import { variables } from "./variables.mjs";

/** As the installed wrangler has it, of which these are the workers that `wrangler dev` puts before ours.
 * @type {typeof import("miniflare")} */
const { ASSETS_PLUGIN, serializeConfig, SharedBindings } = createRequire(
  createRequire(import.meta.url).resolve("wrangler"),
)("miniflare");

/** The module that is loaded first. WebSockets go straight to the Worker: one that passes through another worker,
 * such as the one that finds out what is a file of the site, costs 250 KiB more for as long as it is open. */
const DOOR = `
import Worker from "./index.js";
export * from "./index.js";
export default Worker;
export class Door extends Worker {
  fetch(request) {
    const socket = request.headers.get("upgrade")?.toLowerCase() === "websocket";
    return socket ? super.fetch(request) : this.env.SITE.fetch(request);
  }
}
`;

/**
 * @param {string} folder where the files of the site are, while the server runs
 * @param {ReturnType<typeof unstable_readConfig>} config
 */
async function site(folder, config) {
  const { name = "", compatibility_date: compatibilityDate, assets } = config;
  if (!assets?.directory) throw new Problem("wrangler.toml has no [assets] with a directory.");
  // A copy, since these are described once, and those change when the repository is brought up to date.
  await rm(folder, { recursive: true, force: true });
  await cp(join(root, assets.directory), folder, { recursive: true, preserveTimestamps: true });
  const options = {
    config: {
      name,
      compatibilityDate,
      compatibilityFlags: config.compatibility_flags,
      assets: {
        directory: folder,
        hasUserWorker: true,
        htmlHandling: assets.html_handling,
        notFoundHandling: assets.not_found_handling,
        runWorkerFirst: assets.run_worker_first,
      },
    },
  };
  const quiet = { debug() {}, info() {}, warn: console.warn, error: console.error };
  const services = await ASSETS_PLUGIN.getServices(
    /** @type {any} */ ({ options, log: quiet, tmpPath: folder }),
  );
  // One that hands on what `wrangler dev` alone has, by experimental means.
  return /** @type {import("miniflare").Service[]} */ (services).filter(
    (service) => service.name !== `assets:rpc-proxy:${name}`,
  );
}

/**
 * @param {string} folder
 * @returns {Promise<Buffer>} the configuration for `workerd serve --binary`; the address comes from its command line
 */
async function describe(folder) {
  const config = unstable_readConfig({ config: join(root, "wrangler.toml") });
  const name = config.name ?? "";
  const [user, router] = [`core:user:${name}`, `assets:router:${name}`];
  /** @type {{ name: string, class_name: string }[]} */
  const objects = config.durable_objects.bindings;
  const [script, wasm] = await Promise.all([
    readFile(join(root, "build", "index.js"), "utf8"),
    readFile(join(root, "build", "index_bg.wasm")),
  ]);
  /** @type {import("miniflare").Worker_Binding[]} what is set when the server starts comes before `[vars]` */
  const configured = [...new Set([...variables, ...Object.keys(config.vars)])].map((variable) =>
    variable in process.env || !(variable in config.vars)
      ? { name: variable, fromEnvironment: variable }
      : { name: variable, text: String(config.vars[variable]) },
  );
  return serializeConfig({
    sockets: [
      {
        name: "http",
        service: { name: user, entrypoint: "Door" },
        http: { forwardedProtoHeader: "X-Forwarded-Proto" },
      },
    ],
    services: [
      {
        name: user,
        worker: {
          modules: [
            { name: "door.js", esModule: DOOR },
            { name: "index.js", esModule: script },
            { name: "index_bg.wasm", wasm },
          ],
          compatibilityDate: config.compatibility_date,
          compatibilityFlags: config.compatibility_flags,
          durableObjectNamespaces: objects.map(({ class_name: className }) => ({
            className,
            uniqueKey: className,
            enableSql: true,
          })),
          durableObjectStorage: { localDisk: "objects" },
          globalOutbound: { name: "providers" },
          bindings: [
            { name: "SITE", service: { name: router } },
            ...objects.map((object) => ({
              name: object.name,
              durableObjectNamespace: { className: object.class_name },
            })),
            ...configured,
          ],
        },
      },
      ...(await site(join(folder, "site"), config)),
      { name: "objects", disk: { path: join(folder, "objects"), writable: true } },
      // Who grants relays: elsewhere, or on this machine.
      {
        name: "providers",
        network: { allow: ["public", "local"], tlsOptions: { trustBrowserCas: true } },
      },
      // The workers of the site ask nobody.
      { name: "internet", network: { allow: [] } },
    ],
    extensions: [
      {
        modules: [
          {
            name: "miniflare:shared",
            esModule: `export const SharedBindings = ${JSON.stringify(SharedBindings)};`,
          },
        ],
      },
    ],
  });
}

await main(async () => {
  const [folder = ""] = process.argv.slice(2);
  await writeFile(join(folder, "workerd.bin"), await describe(folder));
});
