// The built Worker, or the floor, on plain workerd.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../../scripts/environment.mjs";
import { workerd } from "../../../scripts/packages.mjs";

/**
 * @param {string} config its path in the repository
 * @param {object} [options]
 * @param {string} [options.core] the one it is to stay on
 * @param {string} [options.trace] the file to write down in what happens in its objects
 */
export async function start(config, { core, trace } = {}) {
  const disk = await mkdtemp(join(tmpdir(), "echomingle-"));
  const where = ["--socket-addr=http=127.0.0.1:0", `--directory-path=disk=${disk}`];
  const traced = trace ? [`--async-trace=${trace}`] : [];
  const serve = [workerd(), "serve", join(root, config), ...where, ...traced, "--control-fd=1"];
  const pinned = core ? ["taskset", "--cpu-list", core, ...serve] : serve;
  const [command = "", ...rest] = pinned;
  const child = spawn(command, rest, {
    // Without any STUN server nothing leaves this machine.
    env: { PATH: process.env.PATH, STUN_URLS: "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  // Later lines are the Worker's log, which is nobody's business here.
  const lines = createInterface(child.stdout);
  const [first] = await Promise.race([once(lines, "line"), ended]);
  const { port } = JSON.parse(first);
  return {
    port: Number(port),
    /** The CPU time of all its threads up to now (Linux: `/proc/PID/task/TID/schedstat`, in nanoseconds). */
    cpuMillis() {
      const tasks = `/proc/${child.pid}/task`;
      const spent = readdirSync(tasks).map((task) =>
        Number(readFileSync(join(tasks, task, "schedstat"), "utf8").split(" ")[0]),
      );
      return spent.reduce((sum, nanos) => sum + nanos, 0) / 1e6;
    },
    async stop() {
      child.kill();
      await ended;
      await rm(disk, { recursive: true });
    },
  };
}
