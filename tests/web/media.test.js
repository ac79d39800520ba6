// Camera and microphone of a page, over their whole life, with devices that are played: what people are
// told when they do not come, and what is open at any time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { devices, Media, Meter } from "../../pages/media.js";
import { Machine, play } from "./machine.js";

/** @import { TestContext } from "node:test" */
/** @import { Device as Kind, Problem } from "../../pages/media.js" */
/** @import { Device } from "./machine.js" */

/** Every error of `getUserMedia` that says what is the matter (section 10.3.1). */
const TELLING = [
  "NotAllowedError",
  "NotFoundError",
  "NotReadableError",
  "OverconstrainedError",
  "SecurityError",
];
/** Those that do not, and one of a later version. */
const DUMB = ["AbortError", "InvalidStateError", "TypeError", "UnheardOfError"];

/** @type {Device[]} */
const [MIC, OTHER_MIC, CAMERA, SECOND, THIRD, FRONT, BACK] = /** @type {any} */ ([
  { id: "mic", kind: "audio" },
  { id: "other-mic", kind: "audio" },
  { id: "camera", kind: "video" },
  { id: "second", kind: "video" },
  { id: "third", kind: "video" },
  { id: "front", kind: "video", facing: "user" },
  { id: "back", kind: "video", facing: "environment" },
]);

/**
 * A page and the machine that it runs on.
 * @param {TestContext} t
 * @param {...(Device | undefined)} plugged in
 */
function page(t, ...plugged) {
  const machine = new Machine(t, ...plugged.filter((device) => device !== undefined));
  return { machine, ...visit(machine) };
}

/** The page, opened once more on the same machine. @param {Machine} machine */
function visit(machine) {
  const media = new Media();
  /** @type {string[]} what the page is told */
  const heard = [];
  /** @type {Problem[]} */
  const lost = [];
  media.onchange = (device, track) => {
    const told = `${device}: ${/** @type {any} */ (track)?.device.id ?? "none"}`;
    heard.push(told);
    machine.log.push(told);
    if (track) assert.equal(track.readyState, "live");
    else assert.equal(media.wants[device], false, "it is shown as on");
    assert.equal(media.track(device), track);
  };
  media.onlost = (problem) => lost.push(problem);
  return { media, heard, lost };
}

/** Such a page whose devices are open. @param {TestContext} t @param {...(Device | undefined)} plugged */
async function opened(t, ...plugged) {
  const parts = page(t, ...plugged);
  await parts.media.open();
  parts.machine.log.length = 0;
  parts.machine.asked.length = 0;
  return parts;
}

/** @param {Media} media @param {Kind} device @returns {string | null} the id of the one that is open */
function used(media, device) {
  const track = /** @type {any} */ (media.track(device));
  if (track) assert.equal(track.readyState, "live", "a track that is over is kept");
  return track?.device.id ?? null;
}

/** @param {unknown} problem @returns {Problem} */
function helps(problem) {
  const { title, advice, ...more } = /** @type {Problem} */ (problem);
  assert.deepEqual(more, {});
  assert.match(title, /^[A-Z].*[a-z]$/);
  // The pages go on with what to press.
  assert.match(advice, /^[A-Z].*[a-z]$/);
  assert.doesNotMatch(`${title} ${advice}`, /Error|undefined|null|words of the browser/);
  assert.doesNotMatch(`${title} ${advice}`, /Text only|Join without|Try again/);
  return { title, advice };
}

/** What somebody is told. @param {Promise<unknown>} action @returns {Promise<Problem>} */
async function told(action) {
  try {
    await action;
  } catch (problem) {
    return helps(problem);
  }
  return assert.fail("nobody was told anything");
}

// What people are told

for (const name of [...TELLING, ...DUMB]) {
  test(`who meets ${name} is told what to do, for the camera, the microphone and both`, async (t) => {
    const { machine, media, heard } = page(t, MIC, CAMERA);
    machine.fails = () => name;
    const both = await told(media.open());
    assert.equal(media.stream, null);
    assert.deepEqual(media.state, { microphone: false, camera: false });
    assert.deepEqual(media.wants, { microphone: true, camera: true }, "it can be tried again");
    assert.deepEqual(heard, []);

    const camera = await told(media.toggle("camera").then(() => media.toggle("camera")));
    const mic = await told(media.toggle("microphone").then(() => media.toggle("microphone")));
    assert.match(both.title, /camera (and|or) microphone/);
    assert.match(camera.title, /camera/);
    assert.doesNotMatch(camera.title, /microphone/);
    assert.match(mic.title, /microphone/);
    assert.doesNotMatch(mic.title, /camera/);
    assert.deepEqual(media.wants, { microphone: false, camera: false });
    assert.equal(media.stream, null);
  });
}

test("something that is thrown and is not even an error is told of, too", async (t) => {
  const { media } = page(t);
  play(t, navigator, "mediaDevices", { getUserMedia: () => Promise.reject("no") });
  await told(media.open());
});

test("each thing that can be the matter has its own words", async (t) => {
  for (const devices of /** @type {const} */ (["both", "camera", "microphone"])) {
    /** @type {Problem[]} */
    const problems = [];
    for (const name of [...TELLING, "UnheardOfError"]) {
      const { machine, media } = page(t, MIC, CAMERA);
      machine.fails = () => name;
      const asking =
        devices === "both" ? media.open() : media.toggle(devices).then(() => media.toggle(devices));
      problems.push(await told(asking));
    }
    play(t, navigator, "mediaDevices", undefined);
    problems.push(await told(new Media().open()));
    for (const part of /** @type {const} */ (["title", "advice"])) {
      const words = problems.map((problem) => problem[part]);
      assert.equal(new Set(words).size, words.length, `${devices}: ${words.join("\n")}`);
    }
  }
});

test("an error that nobody knows is told like any other that nobody knows", async (t) => {
  const words = new Set();
  for (const name of DUMB) {
    const { machine, media } = page(t, MIC, CAMERA);
    machine.fails = () => name;
    words.add(JSON.stringify(await told(media.open())));
  }
  assert.equal(words.size, 1);
});

test("who opens the page without https is told so", async (t) => {
  play(t, navigator, "mediaDevices", undefined);
  const media = new Media();
  assert.match((await told(media.open())).advice, /https/);
  assert.match((await told(media.choose("camera", "camera"))).advice, /https/);
  assert.deepEqual(await devices(), { microphone: [], camera: [] });
});

test("who is not allowed is asked once, and told where to allow it", async (t) => {
  const { machine, media } = page(t, MIC, CAMERA);
  machine.fails = () => "NotAllowedError";
  assert.match((await told(media.open())).advice, /address bar/);
  assert.equal(machine.asked.length, 1);
});

test("who allowed it after all is asked anew, and all is open", async (t) => {
  const { machine, media } = page(t, MIC, CAMERA);
  machine.fails = () => "NotAllowedError";
  await told(media.open());
  machine.fails = () => null;
  assert.equal(await media.open(), media.stream);
  assert.deepEqual(media.state, { microphone: true, camera: true });
});

// Opening

test("camera and microphone are asked for at once, and once", async (t) => {
  const { machine, media, heard } = page(t, MIC, CAMERA);
  const [one, other] = await Promise.all([media.open(), media.open()]);
  assert.equal(one, other);
  assert.equal(await media.open(), one);
  assert.equal(media.stream, one);
  assert.deepEqual(machine.log, ["audio and video asked for", "mic is given", "camera is given"]);
  assert.deepEqual(media.state, { microphone: true, camera: true });
  assert.deepEqual(heard, [], "whoever opens gets them by opening");
});

test("at first the camera that looks at its person is asked for, and a voice without echo", async (t) => {
  const { machine, media } = page(t, MIC, BACK, FRONT);
  await media.open();
  assert.equal(used(media, "camera"), "front");
  assert.deepEqual(machine.asked, [
    {
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" },
    },
  ]);
});

for (const why of ["NotFoundError", "NotReadableError"]) {
  for (const [missing, there] of /** @type {const} */ ([
    ["video", "microphone"],
    ["audio", "camera"],
  ])) {
    test(`where there is no ${missing} (${why}), there is still the ${there}`, async (t) => {
      const { machine, media, heard } = page(t, MIC, CAMERA);
      machine.fails = (wanted) => (wanted[missing] ? why : null);
      assert.equal(await media.open(), media.stream);
      const expected = { microphone: there === "microphone", camera: there === "camera" };
      assert.deepEqual(media.state, expected);
      assert.deepEqual(media.wants, expected);
      assert.deepEqual(heard, []);
      assert.equal(machine.open("audio").length + machine.open("video").length, 1);
    });
  }
}

test("who has no camera and gets one can turn it on", async (t) => {
  const { machine, media, heard } = await opened(t, MIC);
  assert.deepEqual(media.wants, { microphone: true, camera: false });
  machine.plug({ id: "new", kind: "video" });
  await media.toggle("camera");
  assert.deepEqual(heard, ["camera: new"]);
  assert.deepEqual(media.state, { microphone: true, camera: true });
});

test("devices that come after they were given back are let go", async (t) => {
  const { machine, media } = page(t, MIC, CAMERA);
  machine.hold();
  const opening = told(media.open());
  media.close();
  await machine.answer();
  await opening;
  assert.equal(media.stream, null);
  assert.equal(machine.given.length, 2);
  assert.deepEqual([...machine.open("audio"), ...machine.open("video")], []);
});

test("who turns back to video while still being asked gets the camera", async (t) => {
  const { machine, media } = page(t, MIC, CAMERA);
  machine.hold();
  const first = media.open().catch(() => null);
  media.close();
  const second = media.open();
  await machine.answer();
  await first;
  assert.equal(await second, media.stream);
  assert.equal(machine.given.length, 4);
  assert.deepEqual(machine.open("video"), ["camera"]);
  assert.deepEqual(machine.open("audio"), ["mic"]);
  assert.equal(used(media, "camera"), "camera");
});

test("what came too late does not make the page ask once more", async (t) => {
  const { machine, media } = page(t, MIC, CAMERA);
  machine.hold();
  const late = told(media.open());
  media.close();
  const second = media.open();
  await machine.answerFirst();
  await late;
  const third = media.open();
  await machine.answer();
  assert.equal(await second, await third);
  assert.equal(machine.asked.length, 2);
  assert.equal(machine.most, 1);
});

test("all that was open is let go when it is given back, and can be opened again", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA);
  const before = media.stream;
  media.close();
  assert.equal(media.stream, null);
  assert.deepEqual(machine.log, ["mic is let go", "camera is let go"]);
  assert.deepEqual(media.state, { microphone: false, camera: false });
  assert.notEqual(await media.open(), before);
  assert.deepEqual(media.state, { microphone: true, camera: true });
});

// On and off

test("a camera that is turned off is let go, and the page is told", async (t) => {
  const { machine, media, heard } = await opened(t, MIC, CAMERA);
  const { stream } = media;
  await media.toggle("camera");
  assert.deepEqual(machine.log, ["camera is let go", "camera: none"]);
  assert.deepEqual(machine.open("video"), []);
  assert.deepEqual(machine.open("audio"), ["mic"]);
  assert.equal(media.stream, stream);
  assert.deepEqual(stream?.getVideoTracks(), []);
  assert.deepEqual(heard, ["camera: none"]);
  assert.deepEqual(media.wants, { microphone: true, camera: false });
  assert.deepEqual(media.state, { microphone: true, camera: false });
});

test("a camera that is turned on again comes into the same stream, and the page is told", async (t) => {
  const { machine, media, heard } = await opened(t, MIC, CAMERA);
  const { stream } = media;
  await media.toggle("camera");
  await media.toggle("camera");
  assert.deepEqual(heard, ["camera: none", "camera: camera"]);
  assert.equal(media.stream, stream);
  assert.equal(stream?.getVideoTracks().length, 1);
  assert.equal(media.track("camera")?.enabled, true);
  assert.deepEqual(media.state, { microphone: true, camera: true });
  assert.equal(machine.most, 1);
  assert.deepEqual(machine.asked.map(Object.keys), [["video"]], "the microphone is not asked for");
});

test("the camera that was chosen is the one that is turned on again", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND);
  await media.choose("camera", "second");
  await media.toggle("camera");
  await media.toggle("camera");
  assert.equal(used(media, "camera"), "second");
  assert.deepEqual(machine.asked.at(-1)?.video, machine.asked.at(-2)?.video);
  assert.deepEqual(machine.asked.at(-1)?.video?.deviceId, { exact: "second" });
});

test("a microphone that is muted stays open, and says nothing", async (t) => {
  const { machine, media, heard } = await opened(t, MIC, CAMERA);
  const track = media.track("microphone");
  const muting = media.toggle("microphone");
  assert.equal(track?.enabled, false, "at once");
  await muting;
  assert.equal(media.track("microphone"), track);
  assert.deepEqual(machine.open("audio"), ["mic"]);
  assert.deepEqual(media.state, { microphone: false, camera: true });
  const unmuting = media.toggle("microphone");
  assert.equal(track?.enabled, true, "no word is lost");
  await unmuting;
  assert.deepEqual(machine.log, []);
  assert.deepEqual(heard, []);
  assert.deepEqual(media.state, { microphone: true, camera: true });
});

test("the picture is gone at once, before the camera is", async (t) => {
  const { media } = await opened(t, MIC, CAMERA);
  const track = media.track("camera");
  const hiding = media.toggle("camera");
  assert.equal(track?.enabled, false);
  assert.equal(media.state.camera, false);
  await hiding;
});

for (const [times, last] of /** @type {const} */ ([
  [2, true],
  [3, false],
  [4, true],
  [7, false],
])) {
  test(`a camera that is switched ${times} times at once ends ${last ? "on" : "off"}`, async (t) => {
    const { machine, media } = await opened(t, MIC, CAMERA);
    await Promise.all(Array.from({ length: times }, () => media.toggle("camera")));
    assert.deepEqual(machine.open("video"), last ? ["camera"] : []);
    assert.equal(media.wants.camera, last);
    assert.equal(media.state.camera, last);
    assert.equal(media.stream?.getVideoTracks().length, last ? 1 : 0);
    assert.equal(machine.most, 1);
  });
}

test("a camera that is switched while it is being opened ends as it was wanted last", async (t) => {
  for (const times of [1, 2, 3, 4]) {
    const { machine, media } = await opened(t, MIC, CAMERA);
    await media.toggle("camera");
    machine.hold();
    const opening = media.toggle("camera");
    await machine.idle();
    const all = Array.from({ length: times }, () => media.toggle("camera"));
    await machine.answer();
    await Promise.all([opening, ...all]);
    const on = times % 2 === 0;
    assert.deepEqual(machine.open("video"), on ? ["camera"] : [], `${times} times`);
    assert.equal(media.wants.camera, on);
    assert.equal(media.state.camera, on);
    if (on) assert.equal(media.track("camera")?.enabled, true);
    assert.equal(machine.most, 1);
    assert.equal(machine.asked.length, 1, "asked once");
  }
});

test("who hides while still being asked is not seen, and not asked twice", async (t) => {
  const { machine, media, heard } = page(t, MIC, CAMERA);
  machine.hold();
  const opening = media.open();
  const hiding = media.toggle("camera");
  const muting = media.toggle("microphone");
  await machine.answer();
  await Promise.all([opening, hiding, muting]);
  assert.deepEqual(machine.open("video"), []);
  assert.deepEqual(media.state, { microphone: false, camera: false });
  assert.equal(media.track("microphone")?.enabled, false);
  assert.equal(machine.asked.length, 1);
  assert.deepEqual(heard, []);
  await media.toggle("camera");
  assert.deepEqual(machine.open("video"), ["camera"]);
  assert.deepEqual(heard, ["camera: camera"]);
});

test("who hides while still being asked is told once where nothing comes of it", async (t) => {
  const { machine, media } = page(t, MIC, CAMERA);
  machine.fails = () => "NotAllowedError";
  machine.hold();
  const opening = told(media.open());
  const hiding = media.toggle("camera");
  await machine.answer();
  await opening;
  await hiding;
  assert.equal(machine.asked.length, 1);
  assert.deepEqual(media.wants, { microphone: true, camera: false });
});

test("who mutes while still being asked stays muted where there is no camera", async (t) => {
  const { machine, media } = page(t, MIC);
  machine.hold();
  const opening = media.open();
  const muting = media.toggle("microphone");
  await machine.answer();
  await Promise.all([opening, muting]);
  assert.deepEqual(media.wants, { microphone: false, camera: false });
  assert.equal(media.track("microphone")?.enabled, false);
});

test("who hides and comes back while still being asked is seen, and not asked twice", async (t) => {
  const { machine, media } = page(t, MIC, CAMERA);
  machine.hold();
  const all = [media.open(), media.toggle("camera"), media.toggle("camera")];
  await machine.answer();
  await Promise.all(all);
  assert.equal(machine.asked.length, 1);
  assert.deepEqual(media.state, { microphone: true, camera: true });
  assert.equal(media.track("camera")?.enabled, true);
  assert.equal(machine.most, 1);
});

test("a camera that does not come when it is turned on is off, and all is told", async (t) => {
  const { machine, media, heard } = await opened(t, MIC, CAMERA);
  await media.toggle("camera");
  machine.fails = () => "NotReadableError";
  const problem = await told(media.toggle("camera"));
  assert.match(problem.title, /the camera$/);
  assert.deepEqual(media.wants, { microphone: true, camera: false });
  assert.deepEqual(heard, ["camera: none", "camera: none"]);
  machine.fails = () => null;
  await media.toggle("camera");
  assert.deepEqual(media.state, { microphone: true, camera: true });
});

test("who came in without devices can turn each of them on", async (t) => {
  const { machine, media, heard } = page(t, MIC, CAMERA);
  media.close();
  media.wants = { microphone: false, camera: false };
  await media.toggle("camera");
  const { stream } = media;
  assert.deepEqual(stream?.getTracks().length, 1);
  await media.toggle("microphone");
  assert.equal(media.stream, stream);
  assert.deepEqual(media.state, { microphone: true, camera: true });
  assert.deepEqual(heard, ["camera: camera", "microphone: mic"]);
  assert.deepEqual(machine.asked.map(Object.keys), [["video"], ["audio"]]);
});

// Choosing

test("the old camera is let go before another one is asked for, and the page is told", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND);
  const { stream } = media;
  await media.choose("camera", "second");
  assert.deepEqual(machine.log, [
    "camera is let go",
    "video asked for",
    "second is given",
    "camera: second",
  ]);
  assert.equal(media.stream, stream);
  assert.deepEqual(stream?.getVideoTracks(), [media.track("camera")]);
  assert.equal(machine.most, 1);
  const { width, height, deviceId } = machine.asked[0]?.video ?? {};
  assert.deepEqual(
    [width, height, deviceId],
    [{ ideal: 1280 }, { ideal: 720 }, { exact: "second" }],
  );
});

test("another microphone hears as the one before: in full, or muted", async (t) => {
  const { machine, media, heard } = await opened(t, MIC, OTHER_MIC, CAMERA);
  await media.choose("microphone", "other-mic");
  assert.equal(media.track("microphone")?.enabled, true);
  await media.toggle("microphone");
  let enabled;
  media.onchange = (_, track) => (enabled = track?.enabled);
  await media.choose("microphone", "mic");
  assert.equal(used(media, "microphone"), "mic");
  assert.equal(media.track("microphone")?.enabled, false);
  assert.equal(enabled, false, "before anybody can hear it");
  assert.deepEqual(media.wants, { microphone: false, camera: true });
  assert.deepEqual(machine.open("audio"), ["mic"]);
  assert.deepEqual(heard, ["microphone: other-mic"]);
  assert.equal(machine.asked[0]?.audio?.echoCancellation, true);
});

test("a camera that is chosen while it is off is the one that is turned on", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND);
  await media.toggle("camera");
  await media.choose("camera", "second");
  assert.deepEqual(machine.asked, []);
  assert.deepEqual(machine.open("video"), []);
  await media.toggle("camera");
  assert.equal(used(media, "camera"), "second");
});

test("of several that are chosen at once the last is used, and never two are open", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND, THIRD);
  await Promise.all(["second", "third", "camera", "third"].map((id) => media.choose("camera", id)));
  assert.equal(used(media, "camera"), "third");
  assert.deepEqual(machine.open("video"), ["third"]);
  assert.equal(machine.most, 1);
});

test("a camera that is hidden while another one is asked for is not seen", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND);
  machine.hold();
  const choosing = media.choose("camera", "second");
  await machine.idle();
  const hiding = media.toggle("camera");
  await machine.answer();
  await Promise.all([choosing, hiding]);
  assert.deepEqual(machine.open("video"), []);
  assert.equal(media.state.camera, false);
  assert.ok(
    machine.given.every(
      (track) => track.kind === "audio" || track === machine.given[1] || !track.enabled,
    ),
    "it is seen for a moment",
  );
});

test("where a change fails, the one before goes on, and it is told why", async (t) => {
  const { machine, media, heard } = await opened(t, MIC, CAMERA, SECOND);
  machine.fails = ({ video }) => (video?.deviceId?.exact === "second" ? "NotReadableError" : null);
  const problem = await told(media.choose("camera", "second"));
  assert.match(problem.title, /Another program/);
  assert.equal(used(media, "camera"), "camera");
  assert.deepEqual(heard, ["camera: camera"]);
  assert.deepEqual(media.wants, { microphone: true, camera: true });
  assert.deepEqual(machine.open("video"), ["camera"]);
  await media.toggle("camera");
  await media.toggle("camera");
  assert.equal(used(media, "camera"), "camera", "the choice that failed is forgotten");
});

test("a microphone that cannot be changed while it is muted stays muted", async (t) => {
  const { media } = await opened(t, MIC, CAMERA);
  await media.toggle("microphone");
  await told(media.choose("microphone", "gone"));
  assert.equal(used(media, "microphone"), "mic");
  assert.equal(media.track("microphone")?.enabled, false);
});

test("where the one before fails, too, there is none, and the first reason is told", async (t) => {
  for (const [device, id] of /** @type {const} */ ([
    ["camera", "second"],
    ["microphone", "other-mic"],
  ])) {
    const { machine, media, heard, lost } = await opened(t, MIC, OTHER_MIC, CAMERA, SECOND);
    let times = 0;
    machine.fails = () => (times++ === 0 ? "SecurityError" : "NotReadableError");
    const problem = await told(media.choose(device, id));
    assert.match(problem.title, new RegExp(`may not use the ${device}`));
    assert.equal(times, 2);
    assert.deepEqual(heard, [`${device}: none`]);
    assert.deepEqual(lost, [], "who chose is told once");
    assert.equal(media.wants[device], false);
    assert.equal(media.state[device], false);
    machine.fails = () => null;
    await media.toggle(device);
    assert.equal(media.state[device], true);
  }
});

test("after a failed change the next one works", async (t) => {
  const { media } = await opened(t, MIC, CAMERA, SECOND);
  const failed = told(media.choose("camera", "gone"));
  const next = media.choose("camera", "second");
  await failed;
  await next;
  assert.equal(used(media, "camera"), "second");
});

// Turning to the other side

test("on a phone the camera turns to the other side, and back", async (t) => {
  const { machine, media } = await opened(t, MIC, FRONT, BACK);
  await media.flip();
  assert.equal(used(media, "camera"), "back");
  await media.flip();
  assert.equal(used(media, "camera"), "front");
  assert.deepEqual(
    machine.asked.map(({ video }) => video?.facingMode),
    [{ exact: "environment" }, { exact: "user" }],
  );
  assert.equal(machine.most, 1);
});

test("where no camera says which way it looks, the next one is used, and after the last the first", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND, THIRD);
  for (const id of ["second", "third", "camera", "second"]) {
    await media.flip();
    assert.equal(used(media, "camera"), id);
    assert.deepEqual(machine.asked.at(-1)?.video?.deviceId, { exact: id });
  }
  assert.equal(machine.most, 1);
});

test("turning twice at once is turning twice", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND, THIRD);
  await Promise.all([media.flip(), media.flip()]);
  assert.equal(used(media, "camera"), "third");
  assert.deepEqual(machine.open("video"), ["third"]);
});

test("where the other side does not open, the camera stays as it was", async (t) => {
  const { machine, media } = await opened(t, MIC, FRONT, BACK);
  machine.fails = ({ video }) =>
    video?.facingMode?.exact || video?.deviceId?.exact === "back" ? "NotReadableError" : null;
  await told(media.flip());
  assert.equal(used(media, "camera"), "front");
  assert.equal(media.mirrored, true);
});

test("where no camera looks the other way, the next one is used", async (t) => {
  const { media } = await opened(t, MIC, FRONT, CAMERA);
  await media.flip();
  assert.equal(used(media, "camera"), "camera");
  await media.flip();
  assert.equal(used(media, "camera"), "front");
});

test("people see themselves as in a mirror, but not what the camera on the back sees", async (t) => {
  const { media } = page(t, MIC, FRONT, BACK);
  assert.equal(media.mirrored, true);
  await media.open();
  assert.equal(media.mirrored, true);
  await media.flip();
  assert.equal(media.mirrored, false);
  await media.toggle("camera");
  assert.equal(media.mirrored, true);
  const desktop = await opened(t, MIC, CAMERA);
  assert.equal(desktop.media.mirrored, true);
});

// Unplugged

for (const [device, gone, left] of /** @type {const} */ ([
  ["camera", "camera", "second"],
  ["microphone", "mic", "other-mic"],
])) {
  test(`a ${device} that is unplugged is replaced by another one`, async (t) => {
    const { machine, media, heard, lost } = await opened(t, MIC, OTHER_MIC, CAMERA, SECOND);
    await machine.unplug(gone);
    assert.equal(used(media, device), left);
    assert.deepEqual(heard, [`${device}: ${left}`]);
    assert.deepEqual(lost, []);
    assert.deepEqual(media.state, { microphone: true, camera: true });
    assert.equal(media.stream?.getTracks().length, 2);
  });

  test(`a ${device} that was chosen and is unplugged is replaced by another one`, async (t) => {
    const { machine, media, lost } = await opened(t, MIC, OTHER_MIC, CAMERA, SECOND);
    await media.choose(device, left);
    await machine.unplug(left);
    assert.equal(used(media, device), gone);
    assert.deepEqual(lost, []);
  });

  test(`where there is no other ${device}, it is told that it is gone`, async (t) => {
    const { machine, media, heard, lost } = await opened(t, MIC, CAMERA);
    await machine.unplug(gone);
    assert.equal(lost.length, 1);
    assert.match(helps(lost[0]).title, new RegExp(`No ${device}`));
    assert.deepEqual(heard, [`${device}: none`]);
    assert.equal(media.wants[device], false);
    assert.equal(media.state[device], false);
    assert.equal(media.stream?.getTracks().length, 1);
    machine.plug({ id: "new", kind: device === "camera" ? "video" : "audio" });
    await media.toggle(device);
    assert.equal(used(media, device), "new");
  });
}

test("a muted microphone that is unplugged is not replaced before it is wanted", async (t) => {
  const { machine, media, lost } = await opened(t, MIC, OTHER_MIC, CAMERA);
  await media.toggle("microphone");
  await machine.unplug("mic");
  assert.equal(media.track("microphone"), null);
  assert.deepEqual(machine.asked, []);
  assert.deepEqual(lost, []);
  await media.toggle("microphone");
  assert.equal(used(media, "microphone"), "other-mic");
  assert.equal(media.track("microphone")?.enabled, true);
});

test("a camera that was chosen and is unplugged while it is off is replaced when it is turned on", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND);
  await media.choose("camera", "second");
  await media.toggle("camera");
  await machine.unplug("second");
  await media.toggle("camera");
  assert.equal(used(media, "camera"), "camera");
});

test("what happens to a camera that was let go is nothing to the page", async (t) => {
  const { machine, media, heard, lost } = await opened(t, MIC, CAMERA, SECOND);
  const old = machine.given[1];
  const ended = old?.onended;
  await media.choose("camera", "second");
  heard.length = 0;
  assert.equal(old?.onended, null);
  ended?.();
  await machine.idle();
  assert.equal(used(media, "camera"), "second");
  assert.deepEqual([heard, lost], [[], []]);
});

test("what is unplugged after all was given back stays away", async (t) => {
  const { machine, media, heard, lost } = await opened(t, MIC, CAMERA, SECOND);
  const ended = machine.given[1]?.onended;
  media.close();
  ended?.();
  await machine.idle();
  assert.deepEqual([heard, lost, machine.asked], [[], [], []]);
  assert.equal(media.stream, null);
});

// Given back in the middle of something

for (const [what, change] of /** @type {[string, (media: Media) => Promise<void>][]} */ ([
  ["another camera is asked for", (media) => media.choose("camera", "second")],
  ["another microphone is asked for", (media) => media.choose("microphone", "other-mic")],
  ["the camera turns to the other side", (media) => media.flip()],
  ["the camera is turned on", (media) => media.toggle("camera").then(() => media.toggle("camera"))],
])) {
  test(`what was given back while ${what} is let go when it comes`, async (t) => {
    const { machine, media, heard } = await opened(t, MIC, OTHER_MIC, CAMERA, SECOND);
    machine.hold();
    const changing = change(media);
    await machine.idle();
    assert.equal(machine.asked.length, 1);
    heard.length = 0;
    media.close();
    await machine.answer();
    await changing;
    assert.equal(machine.given.length, 3);
    assert.deepEqual([...machine.open("audio"), ...machine.open("video")], []);
    assert.equal(media.stream, null);
    assert.deepEqual(heard, []);
  });
}

test("what was given back while a change fails stays given back", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND);
  machine.fails = ({ video }) => (video?.deviceId?.exact === "second" ? "NotReadableError" : null);
  machine.hold();
  const changing = media.choose("camera", "second").catch(() => {});
  await machine.idle();
  media.close();
  await machine.answer();
  await changing;
  assert.deepEqual(machine.open("video"), []);
  assert.equal(media.stream, null);
});

test("a change that waits for its turn is not made after all was given back", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND, THIRD);
  machine.hold();
  const first = media.choose("camera", "second").catch(() => {});
  const second = media.choose("camera", "third").catch(() => {});
  await machine.idle();
  media.close();
  await machine.answer();
  await Promise.all([first, second]);
  assert.deepEqual(machine.open("video"), []);
  assert.equal(media.stream, null);
});

test("a camera that was just turned on is not opened after all was given back", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA);
  await media.toggle("camera");
  const showing = media.toggle("camera").catch(() => {});
  media.close();
  await showing;
  await machine.idle();
  assert.deepEqual(machine.open("video"), []);
  assert.equal(media.stream, null);
});

test("what comes late does not disturb what was opened since", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND);
  machine.hold();
  const changing = media.choose("camera", "second");
  await machine.idle();
  media.close();
  const opening = media.open();
  await machine.answer();
  await Promise.all([changing, opening]);
  assert.equal(media.stream?.getTracks().length, 2);
  assert.equal(machine.open("video").length, 1);
  assert.equal(machine.open("audio").length, 1);
  assert.notEqual(used(media, "camera"), null);
});

// Remembered

test("what was used last is asked for on the next visit, if it is there", async (t) => {
  const { machine, media } = await opened(t, MIC, OTHER_MIC, CAMERA, SECOND);
  await media.choose("camera", "second");
  await media.choose("microphone", "other-mic");
  media.close();
  const next = visit(machine);
  machine.asked.length = 0;
  await next.media.open();
  assert.deepEqual(machine.asked[0]?.video?.deviceId, { ideal: "second" });
  assert.deepEqual(machine.asked[0]?.audio?.deviceId, { ideal: "other-mic" });
  assert.equal(machine.asked[0]?.video?.facingMode, undefined);
  assert.equal(used(next.media, "camera"), "second");
  assert.equal(used(next.media, "microphone"), "other-mic");
  next.media.close();

  await machine.unplug("second");
  const last = visit(machine);
  await last.media.open();
  assert.equal(used(last.media, "camera"), "camera");
});

test("the side to which the camera was turned is remembered as well", async (t) => {
  const { machine, media } = await opened(t, MIC, FRONT, BACK);
  await media.flip();
  media.close();
  const next = visit(machine);
  await next.media.open();
  assert.equal(used(next.media, "camera"), "back");
  assert.equal(next.media.mirrored, false);
});

test("what the first visit got by itself is remembered, too, and what failed is not", async (t) => {
  const { machine, media } = await opened(t, MIC, CAMERA, SECOND);
  assert.deepEqual(
    [...machine.stored],
    [
      ["microphone", '"mic"'],
      ["camera", '"camera"'],
    ],
  );
  await told(media.choose("camera", "gone"));
  assert.equal(machine.stored.get("camera"), '"camera"');
});

for (const [what, value] of [
  ["not JSON", "{"],
  ["a number", "7"],
  ["a constraint", '{"exact":"x"}'],
  ["null", "null"],
]) {
  test(`what is stored and is ${what} is not asked for`, async (t) => {
    const machine = new Machine(t, /** @type {Device} */ (MIC), /** @type {Device} */ (CAMERA));
    machine.stored.set("camera", String(value)).set("microphone", String(value));
    await new Media().open();
    assert.equal(machine.asked[0]?.video?.deviceId, undefined);
    assert.equal(machine.asked[0]?.video?.facingMode, "user");
    assert.equal(machine.asked[0]?.audio?.deviceId, undefined);
  });
}

test("where nothing may be stored, all works without", async (t) => {
  const { machine } = page(t, MIC, CAMERA, SECOND);
  const forbidden = () => {
    throw new DOMException("", "SecurityError");
  };
  play(t, globalThis, "localStorage", { getItem: forbidden, setItem: forbidden });
  const media = new Media();
  await media.open();
  await media.choose("camera", "second");
  assert.deepEqual(machine.open("video"), ["second"]);
});

// What there is

test("the devices that there are come by their kind", async (t) => {
  const { machine } = page(t, MIC, OTHER_MIC, CAMERA);
  const { microphone, camera } = await devices();
  assert.deepEqual(
    microphone.map(({ deviceId }) => deviceId),
    ["mic", "other-mic"],
  );
  assert.deepEqual(
    camera.map(({ deviceId }) => deviceId),
    ["camera"],
  );
  assert.deepEqual(machine.asked, [], "nobody is asked");
});

for (const [state, expected] of /** @type {const} */ ([
  ["granted", true],
  ["prompt", false],
  ["denied", false],
])) {
  test(`a camera that is ${state} can ${expected ? "" : "not "}be opened without asking`, async (t) => {
    /** @type {unknown[]} */
    const queries = [];
    play(t, navigator, "permissions", {
      query: async (/** @type {unknown} */ query) => queries.push(query) && { state },
    });
    assert.equal(await Media.allowed(), expected);
    assert.deepEqual(queries, [{ name: "camera" }]);
  });
}

test("a browser that cannot say what is allowed has to ask", async (t) => {
  assert.equal(await Media.allowed(), false);
  play(t, navigator, "permissions", {
    query: () => Promise.reject(new TypeError("'camera' is not a PermissionName")),
  });
  assert.equal(await Media.allowed(), false);
});

// How loud

/** A sound card whose every sample is as loud. @param {TestContext} t */
function sound(t) {
  const card = { sample: 0, open: 0, heard: /** @type {unknown[]} */ ([]) };
  play(
    t,
    globalThis,
    "MediaStream",
    class {
      /** @param {unknown[]} tracks */
      constructor(tracks) {
        this.tracks = tracks;
      }
    },
  );
  play(
    t,
    globalThis,
    "AudioContext",
    class {
      constructor() {
        card.open++;
      }
      /** @param {{ tracks: unknown[] }} stream */
      createMediaStreamSource({ tracks }) {
        return { connect: (/** @type {unknown} */ node) => card.heard.push([tracks, node]) };
      }
      async close() {
        card.open--;
      }
    },
  );
  const Analyser = class {
    /** @param {unknown} context @param {{ fftSize: number }} options */
    constructor(context, { fftSize }) {
      assert.ok(context);
      this.fftSize = fftSize;
    }
    /** @param {Float32Array} samples */
    getFloatTimeDomainData(samples) {
      samples.forEach((_, place) => {
        samples[place] = place % 2 ? card.sample : -card.sample;
      });
    }
  };
  play(t, globalThis, "AnalyserNode", Analyser);
  return { card, Analyser };
}

test("silence is nothing, speech is between, and louder than that is no more than all", (t) => {
  const { card, Analyser } = sound(t);
  const track = /** @type {any} */ ({ kind: "audio" });
  const meter = new Meter(track);
  const [[tracks, node]] = /** @type {any} */ (card.heard);
  assert.deepEqual(tracks, [track]);
  assert.ok(node instanceof Analyser);
  for (const [decibels, level] of /** @type {const} */ ([
    [Number.NEGATIVE_INFINITY, 0],
    [-60, 0],
    [-50, 0],
    [-40, 0.25],
    [-30, 0.5],
    [-20, 0.75],
    [-10, 1],
    [0, 1],
  ])) {
    card.sample = 10 ** (decibels / 20);
    const off = Math.abs(meter.level - level);
    assert.ok(off < 0.001, `${decibels} dB: ${meter.level} instead of ${level}`);
  }
  assert.equal(card.open, 1);
  meter.close();
  assert.equal(card.open, 0);
});
