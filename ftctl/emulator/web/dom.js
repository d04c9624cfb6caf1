// Elements from values. Text only ever goes in as text: nothing here reads HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element; children are nodes or texts, null for none. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

export function byId(id) {
  return document.getElementById(id);
}

/** Set the text, but leave a node alone that has it: selections and screen readers stay calm. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function set(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

const known = new WeakMap();

/** Make the parent's children those of the items; the node of a key stays the same node. */
export function follow(parent, items, keyOf, make, update) {
  const before = known.get(parent) ?? new Map();
  const now = new Map(items.map((item) => [keyOf(item), item]));
  for (const [key, node] of before) if (!now.has(key)) node.remove();
  const after = new Map();
  let place = parent.firstChild;
  for (const [key, item] of now) {
    const node = before.get(key) ?? make(item);
    update?.(node, item);
    // A node in its place is not moved: moving would take the focus from it.
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
    after.set(key, node);
  }
  known.set(parent, after);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** A moment in Unix seconds as an element, in the reader's own time zone. */
export function when(seconds, withDate = false) {
  const moment = new Date(seconds * 1000);
  if (Number.isNaN(moment.getTime())) return el("time", {}, String(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const parts = [moment.getHours(), moment.getMinutes(), moment.getSeconds()];
  const days = [moment.getFullYear(), moment.getMonth() + 1, moment.getDate()];
  const date = days.map(two).join("-");
  const time = parts.map(two).join(":");
  const attributes = { datetime: moment.toISOString(), title: `${date} ${time}` };
  return el("time", attributes, withDate ? `${date} ${time}` : time);
}
