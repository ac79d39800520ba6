// The status page: asks the server how many people are here, and draws it.

import { find, hook, showStatus } from "./page.js";
import { stats } from "./server.js";

/** @import { Stats } from "./lib/protocol.js" */

/** Milliseconds between two questions: more than it takes the server to fall asleep between them. */
const PACE = 15_000;
/** How many answers are drawn: half an hour of them. */
const KEPT = 120;
/** The size of the drawing, in its own units. */
const WIDTH = 600;
const HEIGHT = 160;

/** @type {{ at: number, here: number, talking: number }[]} */
const course = [];
const drawing = hook("course");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

const number = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit" });

async function look() {
  clearTimeout(timer);
  const since = performance.now();
  try {
    const told = await stats();
    showStatus(`Working · ${Math.round(performance.now() - since)} ms`);
    show(told);
  } catch {
    showStatus("The server does not answer", "bad");
  }
  if (!document.hidden) timer = setTimeout(look, PACE);
}

/** @param {Stats} told */
function show({ online, waiting, calls, waits }) {
  hook("online").textContent = number.format(online);
  hook("waiting").textContent = number.format(waiting);
  hook("calls").textContent = number.format(calls);
  course.push({ at: Date.now(), here: online, talking: 2 * calls });
  if (course.length > KEPT) course.shift();
  draw();
  const most = Math.max(1, ...waits);
  for (const [place, people] of waits.entries()) {
    const row = hook("waits").children[place];
    const bar = /** @type {HTMLElement | null | undefined} */ (row?.querySelector(".bar"));
    bar?.style.setProperty("--share", `${people / most}`);
    row?.querySelector("b")?.replaceChildren(number.format(people));
  }
}

function draw() {
  const [first, last] = [course[0], course.at(-1)];
  if (!first || !last) return;
  const most = Math.max(1, ...course.map(({ here }) => here));
  const span = Math.max(1, last.at - first.at);
  for (const kind of /** @type {const} */ (["here", "talking"])) {
    const points = course.map((one) => {
      const x = ((one.at - first.at) / span) * WIDTH;
      return `${x.toFixed(1)},${(HEIGHT - 4 - (one[kind] / most) * (HEIGHT - 8)).toFixed(1)}`;
    });
    // One answer is a point, which no line shows.
    if (points.length === 1) points.push(`${WIDTH},${points[0]?.split(",")[1]}`);
    drawing.querySelector(`.${kind}`)?.setAttribute("points", points.join(" "));
  }
  const here = number.format(last.here);
  const talking = number.format(last.talking);
  drawing.setAttribute("aria-label", `${here} are here and ${talking} of them in calls.`);
  find("#since").textContent = `from ${clock.format(first.at)}`;
  find("#most").textContent = `at most ${number.format(most)}`;
}

// Who does not look asks nothing, and nobody is kept awake.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) look();
  else clearTimeout(timer);
});
look();
