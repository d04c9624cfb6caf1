// The list of jobs.

import { counted } from "./clock.js";
import { byId, el, follow, put, set, when } from "./dom.js";

export function paintJobs(state, chosen) {
  const { jobs } = state;
  const { files, models } = state.counts;
  put(byId("jobs-count"), String(jobs.length));
  put(byId("counts"), [counted(jobs.length, "job"), counted(files, "file"),
    counted(models, "model")].join(" · "));
  follow(byId("jobs"), jobs, (job) => job.id, make, (node, job) => update(node, job, chosen));
  set(byId("jobs-view"), "class", chosen === null ? "none-chosen" : null);
}

/** The status in words, with a mark that colour only repeats. */
export function badge(status) {
  const node = el("span", {});
  paintBadge(node, status);
  return node;
}

export function paintBadge(node, status) {
  set(node, "class", `badge ${status}`);
  put(node, status === "validating_files" ? "validating files" : status);
}

export function progress(job) {
  if (job.total_steps) return `step ${job.step} of ${job.total_steps}`;
  return "no steps yet";
}

export function paintBar(bar, job) {
  set(bar, "max", job.total_steps || 1);
  set(bar, "value", job.total_steps ? job.step : 0);
  set(bar, "aria-label", progress(job));
}

function make(job) {
  return el("li", {}, el("a", { href: `#${new URLSearchParams({ job: job.id })}` },
    el("span", { class: "row" }, el("strong", {}), badge(job.status)),
    el("span", { class: "row quiet" }, el("span", { class: "model" }), when(job.created_at)),
    el("progress", {}),
    el("span", { class: "result" })));
}

function update(node, job, chosen) {
  const link = node.firstChild;
  set(link, "aria-current", job.id === chosen ? "true" : null);
  put(link.querySelector("strong"), job.suffix || job.id);
  paintBadge(link.querySelector(".badge"), job.status);
  put(link.querySelector(".model"), job.model);
  const bar = link.querySelector("progress");
  bar.hidden = !["running", "paused"].includes(job.status);
  paintBar(bar, job);
  put(link.querySelector(".result"), job.fine_tuned_model ?? job.error?.message ?? "");
}
