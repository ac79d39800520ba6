// Where a site asks who comes: whoever passes the check, once, meets people as anywhere else, and whoever does not
// is told what to do. Turnstile itself is played (turnstile.js); where it is not used nothing of it is loaded.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { meet, stage } from "./stage.js";
import { ALWAYS_FAILS, ALWAYS_PASSES, Script, SITE_KEY, verify } from "./turnstile.js";

/** @import { Person } from "./browsers.js" */
/** @import { Course } from "./turnstile.js" */

const siteverify = await verify();
after(() => siteverify.stop());

/** @param {string} secret */
const checking = (secret) =>
  stage({
    TURNSTILE_SITE_KEY: SITE_KEY,
    TURNSTILE_SECRET: secret,
    TURNSTILE_API: siteverify.url,
  });

/**
 * Somebody for whom the check takes this course.
 * @param {ReturnType<typeof stage>} scene
 * @param {Course} [course]
 * @param {string} [path]
 */
async function comes(scene, course = "passes", path = "/") {
  const script = new Script(course);
  const person = await scene.visitor("chromium", { path, ready: (page) => script.serve(page) });
  return { person, script };
}

/** @param {Person} person @returns {Promise<unknown>} */
const pass = (person) =>
  person.page.evaluate(() => JSON.parse(sessionStorage.getItem("pass") ?? "null"));

/** Waits until somebody is let in. @param {Person} person */
const isLetIn = (person) =>
  person.waitFor(() => (sessionStorage.getItem("pass")?.length ?? 0) > 20);

describe("where whoever is checked passes", () => {
  const scene = checking(ALWAYS_PASSES);

  test("two pass once, unseen, and meet; neither a reload nor a server that was away asks again", async () => {
    const before = siteverify.asked();
    const [{ person: ana, script }, { person: ben }] = await Promise.all([
      comes(scene),
      comes(scene),
    ]);
    await meet(ana, ben);
    assert.equal(siteverify.asked() - before, 2);
    assert.equal(await ana.page.$('[data-testid="check"]'), null);
    const given = await pass(ana);

    await ana.page.reload({ waitUntil: "load" });
    await Promise.all([ana.sees(), ben.sees()]);
    await ana.reads("status", "Connected");
    await scene.without(() => ana.sees());
    await ana.click("next");
    await ben.reads("status", "The stranger left");
    await ben.click("next");
    await Promise.all([ana.sees(), ben.sees()]);
    assert.equal(await pass(ana), given);
    assert.equal(siteverify.asked() - before, 2);
    assert.equal(script.asked, 1);
  });

  test("a room lets in who has passed", async () => {
    const [{ person: ana }, { person: ben }] = await Promise.all([
      comes(scene, "passes", "/r/kitchen"),
      comes(scene, "passes", "/r/kitchen"),
    ]);
    await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
  });

  test("a pass that is good no more is made anew, without a word", async () => {
    const { person: ana, script } = await comes(scene);
    await isLetIn(ana);
    await ana.page.evaluate(() => sessionStorage.setItem("pass", '"of-yesterday"'));
    await ana.page.reload({ waitUntil: "load" });
    await isLetIn(ana);
    await ana.reads("status", "Ready");
    assert.equal(script.asked, 2);
  });

  test("who is asked something sees it, and is let in once that is done", async () => {
    const { person: ana } = await comes(scene, "asks");
    await ana.reads("check", "One check first");
    await ana.click("start");
    await ana.reads("status", "One check first");
    await ana.click("widget");
    await ana.reads("status", "Looking for someone");
    assert.equal(await ana.page.$('[data-testid="check"]'), null);
  });

  test("a check that is not loaded is explained, and can be tried again", async () => {
    const { person: ana, script } = await comes(scene, "blocked");
    await ana.reads("check", "The check cannot be loaded");
    await ana.reads("check", "Allow it, then try again.");
    await ana.reads("status", "The check did not work");
    await ana.click("start");
    await ana.reads("status", "The check did not work");
    script.course = "passes";
    await tryAgain(ana);
    await ana.reads("status", "Looking for someone");
  });

  test("a check that fails is explained, by what Cloudflare calls it", async () => {
    const { person: ana } = await comes(scene, "fails", "/r/kitchen");
    await ana.reads("check", "The check did not work");
    await ana.reads("check", "600010");
    await ana.reads("status", "The check did not work");
  });

  test("the connection doctor passes the check, too, or says that it does not", async () => {
    const { person: ana } = await comes(scene, "passes", "/doctor");
    await ana.reads("check-server", "The server answers");
    const { person: ben } = await comes(scene, "blocked", "/doctor");
    await ben.reads("check-server", "The check of this site did not let you in");
  });
});

describe("where nobody passes", () => {
  const scene = checking(ALWAYS_FAILS);

  test("who is refused is told so in words, and may try again", async () => {
    const { person: ana } = await comes(scene);
    await ana.reads("check", "The check did not take you for a person.");
    const [answer] = await Promise.all([
      ana.page.waitForResponse((response) => response.url().endsWith("/v1/pass")),
      tryAgain(ana),
    ]);
    assert.equal(answer.status(), 403);
    await ana.reads("status", "The check did not work");
    // What the browser says of it by itself.
    ana.complaints = ana.complaints.filter((complaint) => !/status of 403/.test(complaint));
    assert(!scene.log().includes("lobby-awake"), "nobody was let in");
  });
});

describe("where there is no check", () => {
  const scene = stage();

  test("nothing of it is loaded, and nothing of it may be", async () => {
    /** @type {string[]} */
    const asked = [];
    const ana = await scene.visitor("chromium", {
      ready: async (page) => page.on("request", (request) => asked.push(request.url())),
    });
    await ana.click("start");
    await ana.reads("status", "Looking for someone");
    assert.ok(asked.length > 20);
    for (const url of asked) {
      assert.equal(new URL(url).origin, scene.address, url);
      assert.doesNotMatch(url, /pass/);
    }
    const { headers } = await fetch(scene.address);
    assert.doesNotMatch(headers.get("content-security-policy") ?? "", /challenges/);
  });
});

/** @param {Person} person */
async function tryAgain(person) {
  const button = await person.page.waitForSelector('[data-testid="check"] button:not([hidden])');
  await button?.click();
}
