/** `npm run serve`: the built Worker and its site on workerd, to be put behind a proxy that speaks TLS. */

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, isBuilt } from "./build.mjs";
import { node, root } from "./environment.mjs";
import { workerd } from "./packages.mjs";
import { checkNode } from "./prerequisites.mjs";
import { main, Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { launch, requireFree } from "./server.mjs";
import { everything, setup } from "./setup.mjs";
import { variables } from "./variables.mjs";

/** Seconds that requests under way have to end by themselves. Sockets do not, and workerd waits for them: they are
 * cut, and come back to the next server. */
const GRACE = 1;

const packed = join(root, "build", "serve.bin");

const USAGE = `npm run serve -- [--port 8080] [--ip 127.0.0.1] [--data .objects] [--var NAME:value]...
                 [--build-only | --no-build]

--data        the folder for what objects keep, made if it is not there
--var         one of ${variables.join(", ")}
              Secrets belong into the environment, where no list of processes shows them.
--build-only  make ready what is served, and serve nothing
--no-build    serve what was made ready, as it is; needs no Rust`;

function wanted() {
  const options = /** @type {const} */ ({
    data: { type: "string", default: process.env.STATE_DIRECTORY ?? join(root, ".objects") },
    ip: { type: "string", default: "127.0.0.1" },
    "build-only": { type: "boolean", default: false },
    "no-build": { type: "boolean", default: false },
    port: { type: "string", default: "8080" },
    var: { type: "string", multiple: true },
  });
  try {
    const { values } = parseArgs({ options });
    const port = Number(values.port);
    const valid = Number.isInteger(port) && port > 0 && port < 65536;
    const pairs = (values.var ?? []).map((pair) => pair.split(/:(.*)/s).slice(0, 2));
    const known = pairs.every(
      ([name = "", value]) => value !== undefined && variables.includes(name),
    );
    if (valid && known)
      return {
        address: { ip: values.ip, port, variables: [] },
        data: resolve(values.data),
        env: Object.fromEntries(pairs),
        builds: !values["no-build"],
        serves: !values["build-only"],
      };
  } catch {
    // An unknown option: explained below.
  }
  throw new Problem(`Not understood: ${process.argv.slice(2).join(" ")}`, { hint: USAGE });
}

/**
 * Makes all that is served ready: one file.
 *
 * @param {Progress} progress
 * @param {Record<string, string | undefined>} env with what is configured
 */
async function prepare(progress, env) {
  await setup(progress, (await isBuilt()) ? ["packages"] : everything);
  await build(progress);
  await progress.task("pack", async (step) => {
    await step.run(node(), [join(root, "scripts", "pack.mjs")], { env });
    return "packed";
  });
}

await main(async () => {
  checkNode();
  const { address, builds, data, env, serves } = wanted();
  const { ip, port } = address;
  const since = Date.now();
  const progress = new Progress();
  if (serves) await requireFree(address);
  if (builds) await prepare(progress, env);
  if (!serves) return;
  if (!existsSync(packed)) {
    throw new Problem("Nothing is built yet.", { hint: "Try: npm run serve -- --build-only" });
  }
  // What objects keep is for this user alone: the keys that tokens are signed with are in it.
  process.umask(0o077);
  await mkdir(data, { recursive: true });
  /** @type {Promise<void> | undefined} */
  let ended;
  await progress.task("server", async (step) => {
    step.say("starting");
    const socket = `http=${isIPv6(ip) ? `[${ip}]` : ip}:${port}`;
    const where = [`--socket-addr=${socket}`, `--directory-path=objects=${data}`];
    const options = { env, grace: GRACE, inherit: true };
    ({ ended } = await launch(
      address,
      workerd(),
      ["serve", "--binary", packed, ...where],
      options,
    ));
    return "up";
  });
  const own = ["127.0.0.1", "::1", "localhost"].includes(ip);
  if (!own) {
    console.log(`
Who reaches ${ip}:${port} without passing the proxy can claim any address, and to come by https.
Let only the proxy reach it.`);
  }
  const seconds = ((Date.now() - since) / 1000).toFixed(1);
  const host = own ? "localhost" : ip;
  console.log(
    `\nEchoMingle is at http://${host}:${port} (ready in ${seconds} s; Ctrl-C stops it)\n`,
  );
  await ended;
  throw new Problem("The server has stopped.");
});
