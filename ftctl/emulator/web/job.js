// One job: what it is, its curves as they grow, and what happened to it.

import { ask } from "./api.js";
import { figure, makeChart } from "./chart.js";
import { byId, el, follow, put, when } from "./dom.js";
import { badge, paintBadge, paintBar, progress } from "./jobs.js";

const CHARTS = [
  ["Loss", "loss"], ["Accuracy", "mean_token_accuracy", "%"], ["Mean reward", "reward_mean"],
  ["Reward margin", "reward_margin"],
].map(([title, figure, unit]) => ({
  title, unit, series: [
    { name: "train", key: `train_${figure}` },
    { name: "validation", key: `valid_${figure}` },
    { name: "full validation", key: `full_valid_${figure}`, dots: true },
  ],
}));
const COLUMNS = CHARTS.flatMap(({ title, unit, series }) =>
  series.map(({ name, key }) => ({ key, unit, title: `${title}, ${name}` })));

let shown = null; // the job on view, with all that was fetched for it

export async function paintJob(state, id) {
  const { jobs } = state;
  const place = jobs.findIndex((job) => job.id === id);
  const job = jobs[place];
  if (!job) {
    if (shown?.id !== id || shown.parts) byId("job").replaceChildren(absent(id, jobs.length));
    shown = { id };
    return;
  }
  // After a reset the ids may start anew: a job that goes back is another one.
  const renewed = !shown?.parts || shown.id !== id || shown.job.created_at !== job.created_at
    || job.step < shown.job.step;
  if (renewed) shown = opened(job);
  const view = shown;
  paintHead(view, job);
  const mark = JSON.stringify(job);
  if (view.mark === mark && job.status !== "running") return;
  const [more] = await Promise.all([
    fetchCurve(view, job), fetchEvents(view), fetchWhole(view, jobs[place - 1]),
  ]);
  view.mark = more ? "" : mark;
}

function absent(id, count) {
  if (id !== null) return el("p", { class: "note" }, `There is no job ${id} any more.`);
  if (count) return el("p", { class: "note" }, "Choose a job to see its course.");
  const lines = `export OPENAI_BASE_URL=${location.origin}/v1\nexport OPENAI_API_KEY=embedded`;
  return el("div", { class: "note" }, el("h2", {}, "No jobs yet"),
    el("p", {}, "Any client of the fine-tuning API can start one here:"), el("pre", {}, lines));
}

function opened(job) {
  const charts = CHARTS.map(({ title, series, unit }) => makeChart(title, series, unit));
  const parts = {
    title: el("h2", {}), badge: badge(job.status), bar: el("progress", {}),
    steps: el("span", { class: "quiet" }), error: el("p", { class: "error", role: "alert" }),
    facts: el("dl", {}), charts, table: el("tbody", {}), head: el("tr", {}),
    events: el("ol", { class: "events", tabindex: "0", "aria-label": "Events" }),
  };
  const table = el("details", { hidden: "" }, el("summary", {}, "Figures as a table"),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Figures" },
      el("table", {}, el("thead", {}, parts.head), parts.table)));
  const view = { id: job.id, job, rows: [], parts, mark: "", table };
  table.addEventListener("toggle", () => paintTable(view));
  byId("job").replaceChildren(
    el("a", { class: "back", href: "#view=jobs" }, "‹ All jobs"),
    el("div", { class: "head" }, parts.title, parts.badge),
    el("div", { class: "bar" }, parts.bar, parts.steps), parts.error,
    el("div", { class: "charts" }, ...charts.map((chart) => chart.node)), table, parts.facts,
    el("h3", {}, "Events"), parts.events);
  return view;
}

function paintHead(view, job) {
  const { parts } = view;
  view.job = job;
  put(parts.title, job.suffix || job.id);
  paintBadge(parts.badge, job.status);
  paintBar(parts.bar, job);
  put(parts.steps, progress(job));
  const { code, message, param } = job.error ?? {};
  parts.error.hidden = !message;
  put(parts.error, message ? `${code}${param ? ` (${param})` : ""}: ${message}` : "");
}

/** The figures of the steps since the last time; whether more of them wait. */
async function fetchCurve(view, job) {
  const last = view.rows.at(-1)?.step ?? 0;
  const answer = await ask(`/_ftctl/jobs/${encodeURIComponent(view.id)}/curve?after=${last}`);
  view.rows.push(...answer.data.map((row) => ({ step: row.step, ...row.metrics })));
  for (const { draw } of view.parts.charts) draw(view.rows, job.total_steps);
  view.table.hidden = view.rows.length === 0;
  paintTable(view);
  return answer.has_more;
}

function paintTable(view) {
  if (!view.table.open) return;
  const has = (key) => view.rows.some((row) => Number.isFinite(row[key]));
  const columns = COLUMNS.filter(({ key }) => has(key));
  const head = [{ key: "step", title: "Step" }, ...columns];
  follow(view.parts.head, head, ({ key }) => key,
    ({ title }) => el("th", { scope: "col", class: "number" }, title));
  const names = columns.map(({ key }) => key).join();
  follow(view.parts.table, view.rows, (row) => `${row.step} ${names}`, (row) => el("tr", {},
    el("th", { scope: "row", class: "number" }, String(row.step)),
    ...columns.map(({ key, unit }) => el("td", { class: "number" },
      Number.isFinite(row[key]) ? figure(row[key], unit) : ""))));
}

async function fetchEvents(view) {
  const path = `/v1/fine_tuning/jobs/${encodeURIComponent(view.id)}/events?limit=1000`;
  const { data } = await ask(path);
  const list = view.parts.events;
  const following = list.scrollHeight - list.scrollTop - list.clientHeight < 8;
  follow(list, data.reverse(), (event) => event.id, (event) => el("li", { class: event.level },
    when(event.created_at), el("span", {}, words(event))));
  if (following) list.scrollTop = list.scrollHeight;
}

function words(event) {
  return event.level === "info" ? event.message : `${event.level}: ${event.message}`;
}

/** The job as its clients see it, taken from a list: a retrieval would move a job paced by reads. */
async function fetchWhole(view, newer) {
  const after = newer ? `&after=${encodeURIComponent(newer.id)}` : "";
  const { data } = await ask(`/v1/fine_tuning/jobs?limit=1${after}`);
  const whole = data[0]?.id === view.id ? data[0] : {};
  follow(view.parts.facts, facts({ ...whole, ...view.job }), ([name]) => name, ([name]) =>
    el("div", {}, el("dt", {}, name), el("dd", {})), (node, [, value]) => {
    const held = node.lastChild;
    if (typeof value === "string") put(held, value);
    else if (held.textContent !== value.textContent) held.replaceChildren(value);
  });
}

function facts(job) {
  const moment = (seconds) => (seconds ? when(seconds, true) : null);
  const recipe = job.method?.[job.method.type]?.hyperparameters ?? {};
  const pairs = (values) => Object.entries(values ?? {}).map((pair) => pair.join(" = ")).join(", ");
  return [
    ["Id", job.id], ["Model", job.model], ["Result", job.fine_tuned_model],
    ["Method", job.method?.type], ["Hyperparameters", pairs(recipe)],
    ["Training file", job.training_file], ["Validation file", job.validation_file],
    ["Seed", job.seed === undefined ? null : String(job.seed)], ["Metadata", pairs(job.metadata)],
    ["Trained tokens", job.trained_tokens?.toLocaleString("en")],
    ["Result files", job.result_files?.join(", ")],
    ["Fault", job.fault && JSON.stringify(job.fault)],
    ["Created", moment(job.created_at)], ["Finished", moment(job.finished_at)],
  ].filter(([, value]) => value);
}
