// The built Worker, or the floor, on plain workerd.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../../scripts/environment.mjs";
import { workerd } from "../../../scripts/packages.mjs";

/** @param {string} config its path in the repository */
export async function start(config) {
  const disk = await mkdtemp(join(tmpdir(), "echomingle-"));
  const where = ["--socket-addr=http=127.0.0.1:0", `--directory-path=disk=${disk}`];
  const child = spawn(workerd(), ["serve", join(root, config), ...where, "--control-fd=1"], {
    // Without any STUN server nothing leaves this machine.
    env: { STUN_URLS: "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  // Later lines are the Worker's log, which is nobody's business here.
  const lines = createInterface(child.stdout);
  const [first] = await Promise.race([once(lines, "line"), ended]);
  const { port } = JSON.parse(first);
  return {
    port: Number(port),
    async stop() {
      child.kill();
      await ended;
      await rm(disk, { recursive: true });
    },
  };
}
