// A STUN and TURN server: Debian's coturn, over UDP and TCP, with the credentials of the TURN REST scheme.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { inside } from "./topology.js";

/** How long it may take until it answers, in milliseconds. */
const PATIENCE = 20_000;
/** The port of STUN and TURN (RFC 8489, section 8.1). */
export const PORT = 3478;

/** @typedef {Awaited<ReturnType<typeof startCoturn>>} Coturn */

/**
 * @param {string} namespace where it lives
 * @param {string} address where it listens and relays
 * @param {string} secret that it shares with those who give out credentials
 */
export async function startCoturn(namespace, address, secret) {
  const folder = await mkdtemp(join(tmpdir(), "echomingle-coturn-"));
  const options = {
    "listening-ip": address,
    "relay-ip": address,
    "listening-port": `${PORT}`,
    "static-auth-secret": secret,
    realm: "echomingle",
    userdb: join(folder, "users"),
    pidfile: join(folder, "pid"),
    "log-file": "stdout",
  };
  const flags = ["-n", "--use-auth-secret", "--no-tls", "--no-dtls", "--no-cli"];
  const values = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = spawn("ip", [...inside(namespace), "turnserver", ...flags, ...values], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let log = "";
  child.stdout.on("data", (text) => (log += text));
  child.stderr.on("data", (text) => (log += text));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + PATIENCE;
  while (!(await answers(namespace, address))) {
    if (child.exitCode === null && Date.now() < deadline) {
      await pause(50);
      continue;
    }
    await stop();
    throw new Error(`coturn did not answer:\n${log}`);
  }
  return { stop };
}

/**
 * Asks it for our own address; who is not answered would ask for ever.
 * @param {string} namespace
 * @param {string} address
 * @returns {Promise<boolean>}
 */
function answers(namespace, address) {
  const client = [...inside(namespace), "turnutils_stunclient", "-p", `${PORT}`, address];
  return new Promise((resolve) => {
    execFile("ip", client, { timeout: 1_000 }, (error) => resolve(!error));
  });
}
