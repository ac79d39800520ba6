/** Tests of networks make their own, out of namespaces: root may, on most kernels, with some packages of Debian's. */

import { silence } from "./coturn.mjs";
import { install } from "./debian.mjs";
import { isMain, which } from "./environment.mjs";
import { main, Problem } from "./problem.mjs";
import { run } from "./process.mjs";
import { Progress } from "./progress.mjs";

/** Programs, and the packages that have them. */
const NEEDED = { ip: "iproute2", nft: "nftables", turnserver: "coturn" };

/**
 * @param {Progress} progress
 * @returns {Promise<string>} why this machine cannot make networks; empty if it can
 */
export async function obstacle(progress) {
  if (process.platform !== "linux") return "networks of namespaces need Linux.";
  if (process.getuid?.() !== 0) return "making networks needs root.";
  try {
    await progress.task("networks", async (step) => {
      const remark = await provide(step);
      await probe(step);
      return remark;
    });
    return "";
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [error.message, error.log.trim().split("\n").at(-1)].join(" ").trim();
  }
}

/** @param {import("./progress.mjs").Step} step */
async function provide(step) {
  const missing = Object.entries(NEEDED).filter(([program]) => !which(program));
  if (missing.length === 0) return "there";
  const programs = missing.map(([program]) => program).join(", ");
  const packages = missing.map(([, name]) => name);
  await install(
    step,
    packages,
    `Not found: ${programs}.`,
    `install what has the programs ${programs}.`,
  );
  if (packages.includes("coturn")) await silence(step);
  return `installed ${packages.join(", ")}`;
}

/**
 * Tries what a container, or a kernel without some module, refuses even to root.
 *
 * @param {import("./progress.mjs").Step} step
 */
async function probe(step) {
  const name = `echomingle-${process.pid}-probe`;
  const inside = ["netns", "exec", name];
  const nat =
    "table ip nat { chain leaving { type nat hook postrouting priority srcnat; masquerade random; }; }";
  try {
    await step.run("ip", ["netns", "add", name]);
    await step.run("ip", ["-n", name, "link", "add", "lan", "type", "bridge"]);
    await step.run("ip", ["-n", name, "link", "add", "wan", "type", "veth", "peer", "name", "net"]);
    await step.run("ip", [...inside, "nft", `add ${nat}`]);
    await step.run("ip", [...inside, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
  } finally {
    await run("ip", ["netns", "del", name]);
  }
}

if (isMain(import.meta.url))
  await main(async () => console.log((await obstacle(new Progress())) || "Networks can be made."));
