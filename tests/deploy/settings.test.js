// What a configuration comes to, in the words that a deployment says first.

import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../scripts/settings.mjs";

const OFF = "Turnstile is off: a program may meet people, too.";
const ALONE =
  "No relay: people whose networks allow no direct way will not connect to each other (docs/turn.md).";

test("nothing that is configured is no mistake", () => {
  assert.deepEqual(explain({}, []), { facts: [ALONE, OFF], mistakes: [] });
});

test("relays are named in the order in which they are asked", () => {
  const variables = { TURN_URLS: "turn:a.example", METERED_APP: "app", TURN_KEY_ID: "id" };
  const secrets = ["METERED_API_KEY", "TURN_SECRET", "TURN_KEY_API_TOKEN"];
  const { facts, mistakes } = explain(variables, secrets);
  assert.deepEqual(facts, ["Relays: Cloudflare, then your own, then metered.ca.", OFF]);
  assert.deepEqual(mistakes, []);
  const both = explain({}, ["TURN_KEY_ID", "TURN_KEY_API_TOKEN"]);
  assert.deepEqual(both.facts, ["Relays: Cloudflare.", OFF]);
});

test("half of a relay, or of Turnstile, is a mistake and has no effect", () => {
  const half = explain({ TURN_KEY_ID: "id", TURNSTILE_SITE_KEY: "0x1" }, ["METERED_SECRET_KEY"]);
  assert.deepEqual(half.facts, [ALONE, OFF]);
  assert.deepEqual(half.mistakes, [
    "TURN_KEY_ID is set, but TURN_KEY_API_TOKEN is not, so it has no effect. Set it: npx wrangler secret put TURN_KEY_API_TOKEN",
    "METERED_SECRET_KEY is set, but METERED_APP is not, so it has no effect. Set it in wrangler.toml under [vars], or with --var METERED_APP:value",
    "TURNSTILE_SITE_KEY is set, but TURNSTILE_SECRET is not, so it has no effect. Set it: npx wrangler secret put TURNSTILE_SECRET",
  ]);
  // As the Worker sees it, what is set to nothing is not set.
  assert.deepEqual(explain({ TURN_KEY_ID: "" }, []).mistakes, []);
});

test("where secrets cannot be looked at, none is said to be missing", () => {
  const { facts, mistakes } = explain({ TURN_URLS: "turn:a.example" }, null);
  assert.deepEqual([facts, mistakes], [["Relays: your own.", OFF], []]);
  assert.deepEqual(explain({}, null).facts, [ALONE, OFF]);
});

test("what hides addresses needs a relay", () => {
  const hidden = { HIDE_ADDRESS: "on" };
  assert.deepEqual(explain(hidden, []).mistakes, [
    "HIDE_ADDRESS is on and there is no relay: nobody will be connected to anybody.",
  ]);
  const { facts, mistakes } = explain({ ...hidden, TURN_URLS: "turn:a.example" }, ["TURN_SECRET"]);
  assert.deepEqual(mistakes, []);
  assert.deepEqual(facts, [
    "Relays: your own.",
    "HIDE_ADDRESS is on: every call uses a relay.",
    OFF,
  ]);
});

test("a secret that anybody can read is a mistake; a server open to all is a choice", () => {
  const variables = { TURN_URLS: "turn:a.example", TURN_SECRET: "s", ALLOWED_ORIGINS: "a, *" };
  const { facts, mistakes } = explain(variables, ["TURNSTILE_SITE_KEY", "TURNSTILE_SECRET"]);
  assert.deepEqual(mistakes, [
    "TURN_SECRET is a secret and is configured where others can read it. Take it out there, and: npx wrangler secret put TURN_SECRET",
  ]);
  assert.deepEqual(facts, [
    "Relays: your own.",
    "Turnstile checks who comes.",
    "ALLOWED_ORIGINS has a * alone: pages of every site may use this server.",
  ]);
});
