// The journal of requests, and the faults that the API was told to make.

import { ask } from "./api.js";
import { counted } from "./clock.js";
import { byId, el, follow, put, when } from "./dom.js";

export function startRequests(act) {
  byId("clear").addEventListener("click", () => act(() => ask("/_ftctl/journal", "DELETE")));
}

export function paintRequests(journal) {
  const entries = [...journal.data].reverse();
  byId("no-requests").hidden = entries.length > 0;
  byId("clear").disabled = entries.length === 0;
  follow(byId("requests"), entries, (entry) => entry.number, row);
}

function row(entry) {
  const path = entry.body
    ? el("details", {}, el("summary", {}, entry.path), el("pre", {}, pretty(entry.body)))
    : entry.path;
  return el("tr", { class: entry.status >= 400 ? "bad" : "" },
    el("td", {}, when(entry.at)), el("td", {}, entry.method), el("td", { class: "path" }, path),
    el("td", {}, String(entry.status ?? "none")), el("td", { class: "number" },
      entry.milliseconds.toFixed(1)),
    el("td", {}, entry.fault ?? ""), el("td", { class: "quiet" }, entry.request_id));
}

export function paintFaults(faults) {
  const rules = faults.faults;
  put(byId("faults-count"), rules.length ? String(rules.length) : "");
  byId("no-faults").hidden = rules.length > 0;
  const keyed = rules.map(({ met, ...rule }, place) => ({ met, place, text: pretty(rule) }));
  follow(byId("faults"), keyed, ({ place, text }) => place + text,
    ({ text }) => el("li", {}, el("pre", {}, text), el("p", {})),
    (node, { met }) => put(node.lastChild, `met ${counted(met, "time")}`));
}

function pretty(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 1).replace(/\n\s*/g, " ");
}
