// Two hosts behind NATs, and a server on the internet between them: network namespaces of this machine,
// from which no packet reaches any other network.
//
//   ana 10.1.0.2 ── nat-a 10.1.0.1 │ 203.0.113.11 ──┐
//                                                   ├── net ── server 203.0.113.1
//   ben 10.2.0.2 ── nat-b 10.2.0.1 │ 203.0.113.12 ──┘
//
// 203.0.113.0/24 is for examples (RFC 5737).

import { execFileSync } from "node:child_process";

/**
 * What is between the hosts and the internet: one NAT for both; two that keep the port of the host, wherever
 * it sends to; two that take another port for every destination (RFC 4787, section 4.1); two that let no
 * UDP through.
 * @typedef {"same-nat" | "port-preserving" | "symmetric" | "udp-blocked"} Kind
 */
/** @typedef {{ namespace: string, address: string, gateway: string }} Host */
/** @typedef {"net" | "server" | "nat-a" | "nat-b" | "ana" | "ben"} Place */

/** @type {Place[]} */
const PLACES = ["net", "server", "nat-a", "nat-b", "ana", "ben"];

export const SERVER = "203.0.113.1";
const NATS = /** @type {const} */ ({ "nat-a": "203.0.113.11", "nat-b": "203.0.113.12" });
/** A next hop that swallows everything. A packet to a private address vanishes there, as on the internet;
 * were there no route, the sender would hear so, and coturn gives up on a peer then. */
const NOWHERE = "203.0.113.254";

/** Namespaces carry the id of the process that made them: runs do not meet, and those of a dead one are known. */
const OWNED = /^echomingle-(\d+)-/;
/** @param {Place} place */
const name = (place) => `echomingle-${process.pid}-${place}`;

/**
 * The arguments with which `ip` runs a command in a namespace.
 * @param {string} namespace
 */
export const inside = (namespace) => ["netns", "exec", namespace];

/**
 * Needs root. One at a time in a process.
 *
 * @param {Kind} kind
 * @throws {Error} what the system refuses; nothing is left of the topology then
 */
export function build(kind) {
  sweep();
  try {
    for (const place of PLACES) {
      run("ip", ["netns", "add", name(place)]);
      ip(place, "link set lo up");
    }
    bridge("net", "bridge");
    internet("server", SERVER);
    for (const nat of /** @type {const} */ (["nat-a", "nat-b"])) {
      internet(nat, NATS[nat]);
      bridge(nat, "lan");
      translate(nat, kind);
    }
    ip("nat-a", "addr add 10.1.0.1/24 dev lan");
    ip("nat-b", "addr add 10.2.0.1/24 dev lan");
    cable("ana", "lan", "nat-a", "lan");
    const ana = { namespace: name("ana"), address: "10.1.0.2", gateway: "10.1.0.1" };
    plug(ana, ana.address);
    const together = kind === "same-nat";
    cable("ben", "lan", together ? "nat-a" : "nat-b", "lan");
    const ben = together
      ? { namespace: name("ben"), address: "10.1.0.3", gateway: "10.1.0.1" }
      : { namespace: name("ben"), address: "10.2.0.2", gateway: "10.2.0.1" };
    plug(ben, ben.address);
    return { server: name("server"), ana, ben, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/**
 * Pulls the plug of a host: its network is gone at once and it knows.
 * @param {Host} host
 */
export function unplug({ namespace }) {
  batch(namespace, "link set lan down");
}

/**
 * Plugs a host in again, as at another place of the same network.
 * @param {Host} host
 * @param {string} address that nobody else has
 */
export function plug({ namespace, gateway }, address) {
  batch(
    namespace,
    "addr flush dev lan",
    `addr add ${address}/24 dev lan`,
    "link set lan up",
    `route add default via ${gateway}`,
  );
}

function remove() {
  for (const place of PLACES) forget(name(place));
}

/** Removes what runs that were killed have left behind. */
function sweep() {
  for (const namespace of namespaces()) {
    const pid = Number(OWNED.exec(namespace)?.[1]);
    if (pid && !isAlive(pid)) forget(namespace);
  }
}

/** @param {string} namespace */
function forget(namespace) {
  if (namespaces().includes(namespace)) run("ip", ["netns", "del", namespace]);
}

/** @returns {string[]} those of the whole machine */
function namespaces() {
  const list = JSON.parse(run("ip", ["-json", "netns", "list"]) || "[]");
  return list.map((/** @type {{ name: string }} */ { name }) => name);
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** @param {Place} place @param {string} device */
function bridge(place, device) {
  ip(place, `link add ${device} type bridge`, `link set ${device} up`);
}

/**
 * Lays a cable from a device of its own to a bridge at another place.
 * @param {Place} place @param {string} device @param {Place} other @param {string} bridge
 */
function cable(place, device, other, bridge) {
  ip(
    other,
    `link add to-${place} type veth peer name ${device} netns ${name(place)}`,
    `link set to-${place} master ${bridge} up`,
  );
}

/** @param {Place} place @param {string} address its public one */
function internet(place, address) {
  cable(place, "wan", "net", "bridge");
  ip(
    place,
    "link set wan up",
    `addr add ${address}/24 dev wan`,
    `neigh add ${NOWHERE} lladdr 02:00:00:00:00:fe dev wan nud permanent`,
    `route add default via ${NOWHERE}`,
  );
}

/**
 * Makes a NAT. Packets nobody asked for are dropped before they leave a trace, as by a router at home;
 * Linux would remember them and give the next packet that leaves another port, and no hole could be punched.
 * @param {Place} place
 * @param {Kind} kind
 */
function translate(place, kind) {
  const exec = inside(name(place));
  run("ip", [...exec, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
  const rules = `
    table ip nat {
      chain leaving {
        type nat hook postrouting priority srcnat;
        oifname wan masquerade ${kind === "symmetric" ? "random" : ""}
      }
    }
    table ip filter {
      chain arriving {
        type filter hook input priority filter;
        iifname wan ct state new drop
      }
      chain passing {
        type filter hook forward priority filter; policy drop;
        ${kind === "udp-blocked" ? "meta l4proto udp drop" : ""}
        ct state established,related accept
        iifname lan accept
      }
    }`;
  run("ip", [...exec, "nft", "-f", "-"], rules);
}

/** @param {Place} place @param {string[]} commands of ip(8) */
function ip(place, ...commands) {
  batch(name(place), ...commands);
}

/** @param {string} namespace @param {string[]} commands of ip(8) */
function batch(namespace, ...commands) {
  run("ip", ["-n", namespace, "-batch", "-"], commands.join("\n"));
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} [input]
 */
function run(command, args, input = "") {
  return execFileSync(command, args, { input, encoding: "utf8", stdio: "pipe" });
}
