// One chart: lines over steps, with axes, a legend and a read-out under the pointer or by keys.

import { el, put, set, svg } from "./dom.js";

const HEIGHT = 200;
const LEFT = 44, RIGHT = 12, TOP = 10, BOTTOM = 24;

/** `series`: name, key, dots?. The chart hides while none of them has a figure. */
export function makeChart(title, series, unit) {
  const plot = svg("svg", { role: "img", height: HEIGHT });
  const readOut = el("output", {});
  const pick = el("input", { type: "range", class: "pick", "aria-label": `${title}: step` });
  const legends = series.map((one, place) =>
    el("span", { class: `legend s${place}${one.dots ? " dots" : ""}` }, one.name));
  const head = el("figcaption", {}, el("h3", {}, title), ...legends);
  const frame = el("div", { class: "plot" }, pick, plot);
  const node = el("figure", {}, head, frame, readOut);
  const chart = { rows: [], end: 1, steps: [], at: null };

  const paint = () => {
    const shown = series.map((one) => chart.rows.filter((row) => Number.isFinite(row[one.key])));
    chart.steps = [...new Set(shown.flat().map((row) => row.step))].sort((a, b) => a - b);
    node.hidden = chart.steps.length === 0;
    if (node.hidden || !frame.clientWidth) return;
    shown.forEach((rows, place) => { legends[place].hidden = rows.length === 0; });
    const scale = scales(frame.clientWidth, chart, series, shown);
    set(plot, "width", scale.width);
    set(plot, "aria-label", summary(title, series, shown, unit));
    plot.replaceChildren(...axes(scale, unit),
      ...series.flatMap((one, place) => line(shown[place], one, place, scale)),
      ...mark(chart, series, scale));
    set(pick, "max", chart.steps.length - 1);
    put(readOut, told(chart, series, unit));
    chart.scale = scale;
  };
  const choose = (place, spoken) => {
    chart.at = place === null ? null : chart.steps[place];
    if (place !== null) pick.value = place;
    paint();
    if (spoken) set(pick, "aria-valuetext", readOut.textContent);
  };
  frame.addEventListener("pointermove", (event) => {
    if (!chart.scale) return;
    const x = event.clientX - frame.getBoundingClientRect().left;
    choose(nearest(chart.steps, chart.scale.step(x)), false);
  });
  frame.addEventListener("pointerleave", () => choose(null, false));
  pick.addEventListener("focus", () => choose(chart.steps.length - 1, true));
  pick.addEventListener("input", () => choose(Number(pick.value), true));
  pick.addEventListener("blur", () => choose(null, false));
  new ResizeObserver(paint).observe(frame);
  const draw = (rows, end) => {
    Object.assign(chart, { rows, end });
    paint();
  };
  return { node, draw };
}

/** About five round numbers from `low` to at least `high`. */
export function ticks(low, high, whole = false) {
  const rough = (high - low || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  let gap = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough * 0.999);
  if (whole) gap = Math.max(1, Math.round(gap));
  const first = Math.floor(low / gap + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / gap - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, place) => (first + place) * gap);
}

/** Two rows, the least and the greatest, stand for each bunch that no eye could tell apart. */
export function thinned(rows, key, most) {
  if (rows.length <= most) return rows;
  const size = Math.ceil((2 * rows.length) / most);
  const kept = [rows[0]];
  for (let from = 1; from < rows.length - 1; from += size) {
    const bunch = rows.slice(from, Math.min(from + size, rows.length - 1));
    const sorted = [...bunch].sort((a, b) => a[key] - b[key]);
    const ends = new Set([sorted[0], sorted.at(-1)]);
    kept.push(...bunch.filter((row) => ends.has(row)));
  }
  return [...kept, rows.at(-1)];
}

function scales(width, chart, series, shown) {
  const values = shown.flatMap((rows, place) => rows.map((row) => row[series[place].key]));
  const [least, most] = extent(values);
  const ys = ticks(Math.min(0, least), least === 0 && most === 0 ? 1 : Math.max(0, most));
  const end = Math.max(chart.end, chart.steps.at(-1), 2);
  const [low, high] = [ys[0], ys.at(-1)];
  const across = width - LEFT - RIGHT;
  const down = HEIGHT - TOP - BOTTOM;
  return {
    width, ys, end,
    x: (step) => LEFT + ((step - 1) / (end - 1)) * across,
    y: (value) => TOP + ((high - value) / (high - low)) * down,
    step: (x) => 1 + ((x - LEFT) / across) * (end - 1),
  };
}

function extent(values) {
  return values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Infinity, -Infinity]);
}

function axes({ width, ys, end, x, y }, unit) {
  const across = ys.flatMap((value) => [
    svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, short(value, unit)),
  ]);
  const steps = ticks(1, end, true).filter((step) => step > 1 && step <= end);
  const along = [1, ...steps].map((step, place, all) => svg("text", {
    x: x(step), y: HEIGHT - 6,
    "text-anchor": place === all.length - 1 && step === end ? "end" : "middle",
  }, String(step)));
  return [...across, ...along];
}

function line(rows, { key, dots }, place, { x, y, width }) {
  if (rows.length === 0) return [];
  const points = thinned(rows, key, Math.max(200, width)).map((row) =>
    [x(row.step).toFixed(1), y(row[key]).toFixed(1)]);
  const path = svg("path", { class: `line s${place}`, d: `M${points.join("L")}` });
  const [lastX, lastY] = points.at(-1);
  const marks = dots ? points : [[lastX, lastY]];
  return [path, ...marks.map(([cx, cy]) =>
    svg("circle", { class: `dot s${place}`, cx, cy, r: dots ? 4 : 2.5 }))];
}

function mark(chart, series, { x, y }) {
  if (chart.at === null) return [];
  const row = chart.rows.find((one) => one.step === chart.at);
  if (!row) return [];
  const at = x(row.step);
  const dots = series.flatMap(({ key }, place) => Number.isFinite(row[key])
    ? [svg("circle", { class: `dot s${place}`, cx: at, cy: y(row[key]), r: 4.5 })] : []);
  return [svg("line", { class: "rule", x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM }), ...dots];
}

function nearest(steps, wanted) {
  let best = 0;
  steps.forEach((step, place) => {
    if (Math.abs(step - wanted) < Math.abs(steps[best] - wanted)) best = place;
  });
  return best;
}

/** What stands under the chart: the figures of the chosen step, or else of the latest. */
function told(chart, series, unit) {
  const step = chart.at ?? chart.steps.at(-1);
  const parts = series.flatMap(({ name, key }) => {
    const row = chart.rows.findLast((one) => one.step <= step && Number.isFinite(one[key]));
    if (!row) return [];
    const earlier = row.step < step ? ` (step ${row.step})` : "";
    return [`${name} ${figure(row[key], unit)}${earlier}`];
  });
  return `Step ${step}: ${parts.join(", ")}`;
}

function summary(title, series, shown, unit) {
  const parts = series.flatMap(({ name, key }, place) => {
    const rows = shown[place];
    if (rows.length === 0) return [];
    const [first, last] = [rows[0], rows.at(-1)];
    return [`${name} from ${figure(first[key], unit)} at step ${first.step}`
      + ` to ${figure(last[key], unit)} at step ${last.step}`];
  });
  return `${title}: ${parts.join("; ")}`;
}

export function figure(value, unit) {
  return unit === "%" ? `${(value * 100).toFixed(1)} %` : String(Number(value.toPrecision(4)));
}

function short(value, unit) {
  const number = Number((unit === "%" ? value * 100 : value).toPrecision(6));
  if (unit === "%") return `${number} %`;
  return number && Math.abs(number) < 0.001 ? number.toExponential() : String(number);
}
