// The pace of time, the buttons that move a clock which stands, and the reset.

import { ask } from "./api.js";
import { byId, put, when } from "./dom.js";

let clock = {};
let state = {};

export function startClock(act) {
  byId("pace").addEventListener("change", (event) => {
    const kind = event.target.value;
    act(() => ask("/_ftctl/clock", "PUT", { kind }));
  });
  byId("advance").addEventListener("click", (event) => {
    const seconds = Number(event.target.value);
    if (seconds) act(() => ask("/_ftctl/clock/advance", "POST", { seconds }));
  });
  byId("reset").addEventListener("click", async () => {
    if (await confirmed()) act(() => ask("/_ftctl/reset", "POST", {}));
  });
}

export function paintClock(nowClock, nowState) {
  clock = nowClock;
  state = nowState;
  const select = byId("pace");
  if (document.activeElement !== select && select.value !== clock.kind) select.value = clock.kind;
  byId("advance").hidden = clock.kind !== "hand";
  const told = detail();
  if (byId("now").textContent !== told.textContent) byId("now").replaceChildren(told);
}

function detail() {
  if (clock.kind === "hand") return when(clock.now, true);
  const words = {
    real: clock.speed === 1 ? "" : `× ${clock.speed}`,
    reads: clock.reads === 1 ? "each read a stage" : `${clock.reads} reads a stage`,
  };
  return document.createTextNode(words[clock.kind] ?? "");
}

export function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function confirmed() {
  const dialog = byId("confirm");
  const { jobs, files, models } = state.counts ?? {};
  put(byId("confirm-text"), `This deletes ${counted(jobs ?? 0, "job")}, ${counted(files ?? 0, "file")}`
    + ` and ${counted(models ?? 0, "model")}, for every program that uses this API.`
    + " There is no way back.");
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
