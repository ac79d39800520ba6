// That the pages hold together: what they name is there, what is there is named, and the rules under which
// they are served (pages/_headers) do not keep anything from working.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const PAGES = new URL("../../pages/", import.meta.url);

/** @param {string} file below pages/ */
const text = (file) => readFileSync(new URL(file, PAGES), "utf8");

/** @param {string} source @param {RegExp} pattern @returns {string[]} what its first group found, each time */
const all = (source, pattern) => [...source.matchAll(pattern)].map(([, found = ""]) => found);

/** @param {string} source of a module, without what is only said in it */
const code = (source) => source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");

/** The hooks that each page has to have. */
const HOOKS = {
  "index.html": [
    "status",
    "local-video",
    "remote-video",
    "mode-video",
    "mode-text",
    "interests",
    "start",
    "next",
    "stop",
    "chat-log",
    "chat-input",
    "chat-send",
    "toggle-mic",
    "toggle-camera",
    "room-new",
    "camera-select",
    "mic-select",
    "camera-flip",
  ],
  "room.html": [
    "status",
    "local-video",
    "chat-log",
    "chat-input",
    "chat-send",
    "toggle-mic",
    "toggle-camera",
    "room-link",
    "tile-local",
    "share-screen",
    "hand",
    "leave",
    "without",
    "again",
    "people",
    "lock",
    "name",
    "camera-select",
    "mic-select",
    "camera-flip",
  ],
  "doctor.html": [
    "status",
    "summary",
    "check-browser",
    "check-server",
    "check-network",
    "check-relay",
    "check-devices",
    "test-devices",
    "report",
    "copy-report",
    "check-again",
  ],
  "status.html": ["status", "online", "waiting", "calls", "course", "waits"],
};

/** A page that is read and does nothing. */
const READ = "privacy.html";

/** What a module names when it is loaded, and what it may fetch only later. */
const AT_ONCE = /(?:\bfrom|\bimport)\s*"([^"]+)"/g;
const EVER = /(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g;

/**
 * The modules that a module needs, and those that they need.
 * @param {string} file
 * @param {RegExp} naming
 * @param {Set<string>} [found]
 */
function imports(file, naming, found = new Set()) {
  for (const name of all(code(text(file)), naming)) {
    assert.match(name, /^\.{1,2}\/.*\.js$/, `${file} imports ${name}`);
    const path = new URL(name, new URL(file, PAGES)).href.slice(PAGES.href.length);
    if (found.has(path)) continue;
    found.add(path);
    imports(path, naming, found);
  }
  return found;
}

/**
 * A module without what no other of these takes of it: each page takes but some of page.js.
 * @param {string} file
 * @param {string[]} modules
 */
function taken(file, modules) {
  const source = code(text(file));
  if (file !== "page.js") return source;
  const others = modules.filter((module) => module !== file).map((module) => code(text(module)));
  const lists = others.flatMap((other) => all(other, /import \{([^}]*)\} from "[^"]*page\.js"/g));
  const names = new Set(lists.flatMap((list) => list.split(",").map((name) => name.trim())));
  const [first = "", ...exported] = source.split(/^export /m);
  assert.ok(exported.length > 5);
  return [first, ...exported.filter((part) => names.has(/\w+ (\w+)/.exec(part)?.[1] ?? ""))].join(
    "\n",
  );
}

/** @param {string} file a page, without what is only said in it */
const markup = (file) => text(file).replace(/<!--[\s\S]*?-->/g, "");

const sites = Object.entries(HOOKS).map(([file, hooks]) => {
  const html = markup(file);
  const [script = ""] = all(html, /<script type="module" src="\/([^"]+)"><\/script>/g);
  const modules = [script, ...imports(script, AT_ONCE)];
  const later = [...imports(script, EVER)].filter((module) => !modules.includes(module));
  const source = [...modules, ...later].map((m, _, every) => taken(m, every)).join("\n");
  return { file, html, hooks, script, modules, later, source };
});

const files = readdirSync(PAGES, { recursive: true, encoding: "utf8" });

test("every page is looked at", () => {
  assert.deepEqual(
    files.filter((file) => file.endsWith(".html")).sort(),
    [...sites.map(({ file }) => file), READ].sort(),
  );
});

test("every module is needed by a page", () => {
  const needed = new Set(sites.flatMap(({ modules, later }) => [...modules, ...later]));
  assert.deepEqual(files.filter((file) => file.endsWith(".js")).sort(), [...needed].sort());
});

test("every style sheet is used by a page", () => {
  const pages = [...sites.map(({ html }) => html), markup(READ)];
  const used = new Set(pages.flatMap((html) => all(html, /rel="stylesheet" href="\/([^"]+)"/g)));
  assert.deepEqual(files.filter((file) => file.endsWith(".css")).sort(), [...used].sort());
});

test("all pages name the same signaling, once, for a deployment to fill in", () => {
  for (const { file, html } of sites) {
    assert.equal(all(html, /(<meta name="signaling" content="">)/g).length, 1, file);
    assert.equal(all(html, /(name="signaling")/g).length, 1, file);
  }
});

for (const { file, html, hooks, script, modules, source } of sites) {
  test(`${file} fetches at once every module that its script needs, and no other`, () => {
    const preloads = all(html, /<link rel="modulepreload" href="\/([^"]+)">/g);
    assert.ok(preloads.length > 2);
    assert.deepEqual(preloads.toSorted(), modules.filter((module) => module !== script).toSorted());
    assert.equal(preloads.length, all(html, /(modulepreload)/g).length);
  });

  test(`${file} has neither script nor style of its own, which its policy forbids`, () => {
    assert.match(text("_headers"), /script-src 'self'; style-src 'self';/);
    assert.equal(all(html, /(<script\b)/g).length, 1);
    assert.doesNotMatch(html, /<style\b|\sstyle=|\son\w+=|javascript:/i);
    for (const forbidden of [
      /\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write/,
      /\beval\(|new Function|\.cssText|setAttribute\("(?:style|on)/,
    ]) {
      assert.equal(source.match(forbidden)?.[0], undefined);
    }
  });

  test(`every hook and every id of ${file} is there once`, () => {
    for (const name of ["data-testid", "id"]) {
      const found = all(html, new RegExp(`\\s${name}="([^"]*)"`, "g"));
      assert.deepEqual(found.toSorted(), [...new Set(found)].sort());
      for (const value of found) assert.match(value, /^[a-z][a-z-]*$/);
    }
  });

  test(`${file} has the hooks that it is known by`, () => {
    const found = new Set(all(html, /\sdata-testid="([^"]*)"/g));
    for (const hook of hooks) assert.ok(found.has(hook), hook);
  });

  test(`${file} has what its script looks for`, () => {
    const wanted = [
      ...all(source, /\bhook\("([^"]+)"\)/g).map((name) => ` data-testid="${name}"`),
      ...all(source, /\bfind\("#([^"]+)"/g).map((name) => ` id="${name}"`),
      ...all(source, /\[data-testid="([\w-]+)"\]/g).map((name) => ` data-testid="${name}"`),
    ];
    assert.ok(wanted.length > 5);
    for (const attribute of wanted) assert.ok(html.includes(attribute), attribute);
  });

  test(`every class that the script of ${file} looks for is there`, () => {
    const classes = new Set(all(html, /\sclass="([^"]*)"/g).flatMap((names) => names.split(" ")));
    const wanted = all(source, /\b(?:find|querySelector|querySelectorAll)\("\.([\w-]+)"/g);
    if (file !== "doctor.html") assert.ok(wanted.length > 0);
    for (const name of wanted) assert.ok(classes.has(name), name);
  });
}

for (const file of [...Object.keys(HOOKS), READ]) {
  const html = markup(file);

  test(`${file} names every file by its whole path, for it is served at several, and each is there`, () => {
    const named = all(html, /\s(?:href|src|action|poster|srcset)="([^"]*)"/g);
    assert.ok(named.length > 5);
    for (const name of named) {
      assert.match(name, /^\/(?!\/)/, name);
      const path = name.slice(1).replace(/#.*/, "");
      // A page is served without the end of its name.
      const there = ["", ".html"].some((end) => existsSync(new URL(path + end, PAGES)));
      assert.ok(there, name);
    }
    assert.doesNotMatch(html, /<base\b/);
  });
}

test("the page that is read has no script, style or form, and is a link away from every other", () => {
  assert.doesNotMatch(markup(READ), /<(?:script|style|form|input|button)\b|\sstyle=|\son\w+=/i);
  for (const { file, html } of sites) assert.match(html, /<a [^>]*href="\/privacy"/, file);
});

test("the page on privacy says what it has to say in ten lines", () => {
  const lines = all(markup(READ), /<li[^>]*>\s*<svg[^>]*>.*<\/svg>\s*<div><h2>([^<]+)<\/h2>/g);
  assert.equal(lines.length, 10);
  assert.equal(new Set(lines).size, 10);
});

/** The icons of a page and its script. @param {string} html @param {string} source */
function icons(html, source) {
  const calls = all(source, /\b(?:icon|note|showSwitch)\(([^;]*)\)/g);
  // `showSwitch(button, on, on ? "one" : "other")`: its last argument; the others name no icon.
  const named = calls.flatMap((call) => all(call.replace(/hook\("[^"]*"\)/g, ""), /"([^"]+)"/g));
  const lists = all(source, /\["\w+", "([\w-]+)", "[A-Z]/g);
  return { inHtml: all(html, /\/icons\.svg#([\w-]+)/g), inScript: [...named, ...lists] };
}

test("every icon that is named is there, and every one that is there is named", () => {
  const svg = text("icons.svg");
  const there = all(svg, /<symbol id="([^"]+)" viewBox="0 0 24 24">/g);
  assert.equal(there.length, all(svg, /(<symbol)/g).length);
  assert.equal(new Set(there).size, there.length);
  const used = new Set();
  for (const { html, source } of [...sites, { html: markup(READ), source: "" }]) {
    const { inHtml, inScript } = icons(html, source);
    for (const name of inHtml) {
      assert.ok(there.includes(name), name);
      used.add(name);
    }
    // Beside an icon stands what it is called, which begins with a capital letter.
    for (const name of inScript.filter((word) => /^[a-z]/.test(word))) {
      assert.ok(there.includes(name), name);
      used.add(name);
    }
  }
  assert.deepEqual([...used].sort(), there.toSorted());
});
