/** `npm start`: from a fresh clone to the running site in one command, and again at once when nothing changed. */

import { watch } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build, isBuilt } from "./build.mjs";
import { root } from "./environment.mjs";
import { checkNode } from "./prerequisites.mjs";
import { explain, main, Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { requireFree, serve } from "./server.mjs";
import { everything, setup } from "./setup.mjs";
import { prepareSite } from "./site.mjs";

/** Milliseconds without a further change after which the Worker is built again. */
const QUIET = 200;

/** @returns {import("./server.mjs").Address} */
function address() {
  const options = /** @type {const} */ ({
    ip: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8787" },
    var: { type: "string", multiple: true },
    data: { type: "string" },
  });
  const usage = "npm start -- [--port 8787] [--ip 127.0.0.1] [--data folder] [--var NAME:value]...";
  try {
    const { values } = parseArgs({ options });
    const port = Number(values.port);
    const valid = Number.isInteger(port) && port > 0 && port < 65536;
    // Where nothing is named, what objects keep is in `.wrangler`, from one run to the next.
    const keep = values.data ? ["--persist-to", values.data] : [];
    if (valid) return { ip: values.ip, port, variables: values.var ?? [], options: keep };
  } catch {
    // An unknown option: explained below.
  }
  throw new Problem(`Not understood: ${process.argv.slice(2).join(" ")}`, { hint: usage });
}

/** The page is served as it is on the disk; the Worker must be built again when its sources change. */
function rebuildOnChange(/** @type {Progress} */ progress) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let busy = Promise.resolve();
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      busy = busy.then(() => build(progress)).catch(explain);
    }, QUIET);
  };
  const watchers = [
    watch(join(root, "src"), { recursive: true }, changed),
    // The folder, since an editor may put a new file in place of the old one.
    watch(root, (_, name) => {
      if (name === "Cargo.toml" || name === "Cargo.lock") changed();
    }),
  ];
  // A system out of watches costs this convenience, and not the server.
  for (const watcher of watchers) watcher.on("error", () => watcher.close());
}

await main(async () => {
  checkNode();
  const where = address();
  const since = Date.now();
  await requireFree(where);
  const progress = new Progress();
  await setup(progress, (await isBuilt()) ? ["packages"] : everything);
  await build(progress);
  // The pages as they lie there may load nothing from elsewhere; those that are to ask Turnstile are a copy.
  if (where.variables.some((variable) => /^TURNSTILE_SITE_KEY:./.test(variable))) {
    const site = await prepareSite({ turnstile: true }, join(root, "build", "site-checked"));
    where.options = [...(where.options ?? []), "--assets", site];
  }
  /** @type {Promise<void> | undefined} */
  let ended;
  await progress.task("server", async (step) => {
    ({ ended } = await serve(where, step, (text) => progress.print(text)));
    return "up";
  });
  rebuildOnChange(progress);
  const host = ["127.0.0.1", "0.0.0.0", "::1"].includes(where.ip) ? "localhost" : where.ip;
  const seconds = ((Date.now() - since) / 1000).toFixed(1);
  console.log(
    `\nEchoMingle is at http://${host}:${where.port} (ready in ${seconds} s; Ctrl-C stops it)\n`,
  );
  await ended;
  throw new Problem("The server has stopped.");
});
