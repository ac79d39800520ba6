/** Packs the built Worker, its site and how it is served into one file for workerd, as wrangler.toml says.
 *
 * A program of its own, since wrangler and miniflare take seconds and 200 MB that serving does without. */

import { readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import { root } from "./environment.mjs";
import { main, Problem } from "./problem.mjs";
import { prepareSite } from "./site.mjs";
import { variables } from "./variables.mjs";

/** @import { Service } from "miniflare" */

/** The one that wrangler brings. @type {typeof import("miniflare")} */
const { ASSETS_PLUGIN, buildAssetManifest, serializeConfig, SharedBindings } = createRequire(
  createRequire(import.meta.url).resolve("wrangler"),
)("miniflare");

/** The module that is loaded first. WebSockets go straight to the Worker: one that passes through another worker,
 * such as the one that finds out what is a file of the site, takes 250 KiB more for as long as it is open. */
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

/** Gives out the files of the site, which are bound by their names. */
const SHELF = `
export default {
  fetch: (request, env) => new Response(env[decodeURIComponent(new URL(request.url).pathname)]),
};
`;

/**
 * The site by the workers that Cloudflare serves one with, and `wrangler dev` too.
 *
 * @param {string} name
 * @param {ReturnType<typeof unstable_readConfig>} config
 * @returns {Promise<Service[]>}
 */
async function site(name, { assets, compatibility_date, compatibility_flags }) {
  if (!assets?.directory) throw new Problem("wrangler.toml has no [assets] with a directory.");
  // Pages that ask Turnstile may load it (docs/turnstile.md).
  const directory = process.env.TURNSTILE_SITE_KEY
    ? await prepareSite({ turnstile: true }, join(root, "build", "site-served"))
    : join(root, assets.directory);
  const options = {
    config: {
      name,
      compatibilityDate: compatibility_date,
      compatibilityFlags: compatibility_flags,
      assets: {
        directory,
        hasUserWorker: true,
        htmlHandling: assets.html_handling,
        notFoundHandling: assets.not_found_handling,
        runWorkerFirst: assets.run_worker_first,
      },
    },
  };
  const log = { debug() {}, info() {}, warn: console.warn, error: console.error };
  /** @type {any} */
  const about = { options, log, tmpPath: directory };
  /** @type {any} */
  const services = await ASSETS_PLUGIN.getServices(about);
  const { assetsReverseMap } = await buildAssetManifest(directory);
  const files = Object.values(assetsReverseMap).map(async ({ filePath }) => ({
    name: `/${filePath}`,
    data: await readFile(join(directory, filePath)),
  }));
  // In place of the folder, which changes when the repository is brought up to date.
  const shelf = {
    name: `assets:storage:${name}`,
    worker: {
      modules: [{ name: "shelf.js", esModule: SHELF }],
      compatibilityDate: compatibility_date,
      bindings: await Promise.all(files),
    },
  };
  // And without a worker that only development needs.
  const replaced = [shelf.name, `assets:rpc-proxy:${name}`];
  return [
    shelf,
    ...services.filter((/** @type {Service} */ { name = "" }) => !replaced.includes(name)),
  ];
}

/** @returns {Promise<Buffer>} for `workerd serve --binary`, whose command line says the address and the folder */
async function pack() {
  const config = unstable_readConfig({ config: join(root, "wrangler.toml") });
  const name = config.name ?? "";
  const worker = `core:user:${name}`;
  /** @type {{ name: string, class_name: string }[]} */
  const objects = config.durable_objects.bindings;
  const [script, wasm] = await Promise.all([
    readFile(join(root, "build", "index.js"), "utf8"),
    readFile(join(root, "build", "index_bg.wasm")),
  ]);
  const shared = `export const SharedBindings = ${JSON.stringify(SharedBindings)};`;
  return serializeConfig({
    sockets: [
      {
        name: "http",
        service: { name: worker, entrypoint: "Door" },
        http: { forwardedProtoHeader: "X-Forwarded-Proto" },
      },
    ],
    services: [
      {
        name: worker,
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
            { name: "SITE", service: { name: `assets:router:${name}` } },
            ...objects.map((object) => ({
              name: object.name,
              durableObjectNamespace: { className: object.class_name },
            })),
            ...variables.map((variable) => ({ name: variable, fromEnvironment: variable })),
          ],
        },
      },
      ...(await site(name, config)),
      { name: "objects", disk: { writable: true } },
      // Who grants relays: elsewhere, or on this machine.
      {
        name: "providers",
        network: { allow: ["public", "local"], tlsOptions: { trustBrowserCas: true } },
      },
      // The workers of the site ask nobody.
      { name: "internet", network: { allow: [] } },
    ],
    extensions: [{ modules: [{ name: "miniflare:shared", esModule: shared }] }],
  });
}

await main(async () => {
  const packed = join(root, "build", "serve.bin");
  await writeFile(`${packed}.new`, await pack());
  await rename(`${packed}.new`, packed);
});
