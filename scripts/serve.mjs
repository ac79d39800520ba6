/** `npm run serve`: the built Worker and its site on workerd, to be put behind a proxy that speaks TLS. */

import { mkdir, readdir } from "node:fs/promises";
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

const USAGE = `npm run serve -- [--port 8080] [--ip 127.0.0.1] [--data .objects] [--no-build] [--var NAME:value]...

--data      the folder for what objects keep, made if it is not there
--no-build  serve what is in build/ as it is; needs no Rust
--var       one of ${variables.join(", ")}
            Secrets are better set in the environment, where no list of processes shows them.`;

function wanted() {
  const options = /** @type {const} */ ({
    data: { type: "string", default: process.env.STATE_DIRECTORY ?? join(root, ".objects") },
    ip: { type: "string", default: "127.0.0.1" },
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
        noBuild: values["no-build"],
      };
  } catch {
    // An unknown option: explained below.
  }
  throw new Problem(`Not understood: ${process.argv.slice(2).join(" ")}`, { hint: USAGE });
}

/**
 * Makes the folder, for this user alone: the keys that tokens are signed with are in it.
 *
 * @param {string} folder
 */
async function claim(folder) {
  const found = await readdir(folder).catch(() => /** @type {string[]} */ ([]));
  if (found.length > 0 && !found.includes("objects")) {
    throw new Problem(`${folder} holds other things already.`, {
      hint: "Name a folder that is empty or not there: --data FOLDER",
    });
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await mkdir(join(folder, "objects"), { recursive: true, mode: 0o700 });
}

await main(async () => {
  checkNode();
  const { address, data, env, noBuild } = wanted();
  const { ip, port } = address;
  const since = Date.now();
  await requireFree(address);
  const progress = new Progress();
  if (!noBuild) {
    await setup(progress, (await isBuilt()) ? ["packages"] : everything);
    await build(progress);
  }
  await claim(data);
  /** @type {Promise<void> | undefined} */
  let ended;
  await progress.task("server", async (step) => {
    step.say("starting");
    await step.run(node(), [join(root, "scripts", "workerd.mjs"), data], { env });
    const socket = `--socket-addr=http=${isIPv6(ip) ? `[${ip}]` : ip}:${port}`;
    const args = ["serve", "--binary", join(data, "workerd.bin"), socket];
    ({ ended } = await launch(address, workerd(), args, { env, grace: GRACE, inherit: true }));
    return "up";
  });
  const own = ["127.0.0.1", "::1", "localhost"].includes(ip);
  if (!own) {
    console.log(
      `\nWhoever reaches ${ip}:${port} without passing the proxy can claim any address and to come by https.\nLet only the proxy reach it.`,
    );
  }
  const seconds = ((Date.now() - since) / 1000).toFixed(1);
  const host = own ? "localhost" : ip;
  console.log(
    `\nEchoMingle is at http://${host}:${port} (ready in ${seconds} s; Ctrl-C stops it)\n`,
  );
  await ended;
  throw new Problem("The server has stopped.");
});
