// The proxies of docs/self-host, as they stand there but for names, ports and the certificate.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../scripts/process.mjs";
import { freePort } from "../e2e/server.js";
import { ask } from "./visitor.js";

const examples = fileURLToPath(new URL("../../docs/self-host", import.meta.url));
/** How long it may take until it answers, in milliseconds. */
const PATIENCE = 60_000;

/** @typedef {{ front: number, plain: number, back: number, folder: string }} Place */

export const proxies = [
  {
    name: "caddy",
    /** @param {Place} place */
    async start({ front, back, folder }) {
      const edited = edit(await readFile(join(examples, "Caddyfile"), "utf8"), [
        [
          "\nmeet.example.com {",
          `\nhttps://localhost:${front} {\nbind 127.0.0.1\ntls cert.pem key.pem`,
        ],
        ["127.0.0.1:8080", `127.0.0.1:${back}`],
      ]);
      const file = join(folder, "Caddyfile");
      await writeFile(file, edited);
      return ["run", "--config", file, "--adapter", "caddyfile"];
    },
  },
  {
    name: "nginx",
    /** @param {Place} place */
    async start({ front, plain, back, folder }) {
      const name = "/etc/letsencrypt/live/meet.example.com";
      const edited = edit(await readFile(join(examples, "nginx.conf"), "utf8"), [
        ["listen 80;", `listen 127.0.0.1:${plain};`],
        ["listen [::]:80;", ""],
        ["listen 443 ", `listen 127.0.0.1:${front} `],
        ["listen [::]:443 ssl http2;", ""],
        [`${name}/fullchain.pem`, join(folder, "cert.pem")],
        [`${name}/privkey.pem`, join(folder, "key.pem")],
        ["127.0.0.1:8080", `127.0.0.1:${back}`],
        ["/var/log/nginx/error.log", "stderr"],
      ]);
      const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
      const folders = kinds.map((kind) => `${kind}_temp_path ${join(folder, kind)};`).join("\n");
      const file = join(folder, "main.conf");
      const outer = `daemon off;\npid ${join(folder, "pid")};\nerror_log stderr;\nevents {}\n`;
      await writeFile(file, `${outer}http {\n${folders}\n${edited}\n}\n`);
      return ["-p", folder, "-e", "stderr", "-c", file];
    },
  },
].map(({ name, start }) => ({
  name,
  /**
   * @param {number} back the server's port
   * @param {string} folder for what it needs
   */
  async start(back, folder) {
    const make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"];
    const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
    const { ok, output } = await run("openssl", [...make, ...files]);
    if (!ok) throw new Error(output);
    const [front, plain] = [await freePort(), await freePort()];
    const args = await start({ front, plain, back, folder });
    const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
    const child = spawn(name, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (log += text));
    const ended = once(child, "exit");
    const stop = async () => {
      child.kill("SIGTERM");
      await ended;
    };
    const address = `https://localhost:${front}`;
    const deadline = Date.now() + PATIENCE;
    while ((await ask(`${address}/healthz`).catch(() => undefined))?.status !== 200) {
      if (child.exitCode === null && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      if (child.exitCode === null) await stop();
      throw new Error(`${name} does not answer:\n${log}`);
    }
    return { address, stop, log: () => log };
  },
}));

/**
 * @param {string} text
 * @param {string[][]} changes each of which is made once
 */
function edit(text, changes) {
  for (const [before = "", after = ""] of changes) {
    if (text.split(before).length !== 2) throw new Error(`there should be one: ${before}`);
    text = text.replace(before, after);
  }
  return text;
}
