// The page: follows the embedded API by asking once a second, and shows what the address names.

import { ask, Refused, useKey } from "./api.js";
import { paintClock, startClock } from "./clock.js";
import { byId, put, set } from "./dom.js";
import { paintFaults, paintRequests, startRequests } from "./requests.js";
import { paintJob } from "./job.js";
import { paintJobs } from "./jobs.js";

const SECOND = 1000;
let timer = 0;
let running = false;
let again = false;
let failures = 0;

/** The place that the address names; a key in it is taken and struck out at once. */
function place() {
  const named = new URLSearchParams(location.hash.slice(1));
  const key = named.get("key");
  if (key !== null) {
    useKey(key);
    named.delete("key");
    history.replaceState(null, "", `#${named}`);
  }
  const job = named.get("job");
  return { job, view: job === null ? named.get("view") ?? "jobs" : "jobs" };
}

/** Ask for everything that is on view, and show it; never two rounds at once. */
export async function refresh() {
  again = running;
  if (running) return;
  running = true;
  clearTimeout(timer);
  try {
    await round();
    failures = 0;
    put(byId("link"), "Live");
    set(byId("link"), "class", "live");
  } catch (error) {
    failures += 1;
    if (error.status === 401) await askKey();
    else tell(error);
  }
  running = false;
  const calm = document.hidden ? 15 * SECOND : SECOND;
  timer = setTimeout(refresh, again ? 0 : Math.max(calm, Math.min(failures, 10) * SECOND));
}

async function round() {
  const { job, view } = place();
  for (const name of ["jobs", "requests", "faults"]) {
    byId(`${name}-view`).hidden = name !== view;
    set(document.querySelector(`nav a[href="#view=${name}"]`), "aria-current",
      name === view ? "page" : null);
  }
  const [state, clock, faults] = await Promise.all(
    ["state", "clock", "faults"].map((name) => ask(`/_ftctl/${name}`)));
  paintClock(clock, state);
  paintFaults(faults);
  paintJobs(state, job);
  if (view === "requests") paintRequests(await ask("/_ftctl/journal?limit=200"));
  if (view === "jobs") await paintJob(state, job);
  byId("trouble").hidden = true;
}

function tell(error) {
  const ours = !(error instanceof Refused);
  if (ours) console.error(error);
  put(byId("link"), error.status === 0 ? "Not answering" : ours ? "Failed" : "Refused");
  set(byId("link"), "class", "lost");
  put(byId("trouble"), ours ? `This page has a bug: ${error.message}` : error.message);
  byId("trouble").hidden = false;
}

function askKey() {
  put(byId("link"), "Key needed");
  set(byId("link"), "class", "lost");
  const dialog = byId("ask");
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      if (byId("key").value) useKey(byId("key").value);
      byId("key").value = "";
      failures = 0;
      again = true;
      resolve();
    }, { once: true });
  });
}

/** Do something, and show at once what came of it. */
export async function act(deed) {
  try {
    await deed();
  } catch (error) {
    tell(error);
    return;
  }
  await refresh();
}

addEventListener("hashchange", refresh);
addEventListener("visibilitychange", refresh);
startClock(act);
startRequests(act);
refresh();
