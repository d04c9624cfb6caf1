// Asks the embedded API; knows the key.

const STORE = "ftctl-key";
let key = sessionStorage.getItem(STORE);

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function useKey(text) {
  key = text;
  sessionStorage.setItem(STORE, text);
}

/** The JSON answer. Refused has the API's own words, or the status 0 when nobody answers. */
export async function ask(path, method = "GET", body = undefined) {
  const headers = { authorization: `Bearer ${key || "page"}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  let response, text, value;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(30000),
    });
    text = await response.text();
  } catch {
    throw new Refused(0, "The embedded API does not answer. What is shown may be old;"
      + " asking again.");
  }
  try {
    value = text ? JSON.parse(text) : null;
  } catch {
    throw new Refused(response.status, `${method} ${path} was answered with no JSON.`);
  }
  if (!response.ok) {
    throw new Refused(response.status, value?.error?.message ?? `Status ${response.status}`);
  }
  return value;
}
