// A relay on this machine: coturn, with credentials by a shared secret, as docs/turn.md sets it up.

import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How long it may take until it listens, in milliseconds. */
const PATIENCE = 30_000;

/**
 * @param {{ port: number, secret: string, udp?: boolean }} options without `udp` it is reached over TCP
 *   alone, and what comes over UDP vanishes, as in a network that lets none out
 * @returns {Promise<{ stop: () => Promise<void> }>}
 */
export async function startRelay({ port, secret, udp = true }) {
  const folder = await mkdtemp(join(tmpdir(), "echomingle-relay-"));
  const hole = udp ? null : createSocket("udp4");
  if (hole) {
    hole.bind(port, "127.0.0.1");
    await once(hole, "listening");
  }
  const child = spawn(
    process.env.TURNSERVER_BIN ?? "turnserver",
    [
      "-n",
      "--no-cli",
      "--no-tls",
      "--no-dtls",
      ...(udp ? [] : ["--no-udp"]),
      "--listening-ip=127.0.0.1",
      "--relay-ip=127.0.0.1",
      // Both ends are on this machine.
      "--allow-loopback-peers",
      `--listening-port=${port}`,
      "--realm=echomingle",
      "--use-auth-secret",
      `--static-auth-secret=${secret}`,
      "--log-file=stdout",
      `--pidfile=${join(folder, "pid")}`,
      `--userdb=${join(folder, "users")}`,
    ],
    { stdio: "ignore" },
  );
  const ended = once(child, "exit");
  const stop = async () => {
    hole?.close();
    if (child.kill("SIGTERM")) await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const since = Date.now();
  while (!(await listens(port))) {
    if (child.exitCode !== null || Date.now() - since > PATIENCE) {
      await stop();
      throw new Error(`the relay did not start (${child.exitCode})`);
    }
  }
  return { stop };
}

/** @param {number} port @returns {Promise<boolean>} after a moment, if not */
async function listens(port) {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    await new Promise((next) => setTimeout(next, 50));
    return false;
  } finally {
    socket.destroy();
  }
}
