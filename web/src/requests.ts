// Requests to the server: the CSRF token goes with each; what fails is told.
import { showToast } from "./toasts";

export function findCsrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}

export class RequestError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly body: unknown,
  ) {
    super(message);
  }
}

/** Asks the server for JSON. Throws RequestError with the server's own words. */
export async function requestJson<T>(
  url: string,
  options: { method?: string; body?: unknown; signal?: AbortSignal } = {},
): Promise<T> {
  const { method = "GET", body, signal } = options;
  const headers: Record<string, string> = { accept: "application/json" };
  if (method !== "GET") headers["x-csrf-token"] = findCsrfToken();
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (answer.status === 401) location.assign("/login");
  const text = await answer.text();
  const value: unknown = text === "" ? null : parseJson(text);
  if (!answer.ok) throw new RequestError(findMessage(value, answer.status), answer.status, value);
  return value as T;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What an answer says of why it is an error, as `{"messages": [{"text": ...}]}`. */
function findMessage(value: unknown, status: number): string {
  const messages = (value as { messages?: { text?: string; help?: string }[] } | null)?.messages;
  const first = messages?.[0];
  if (first?.text) return first.help ? `${first.text} ${first.help}` : first.text;
  return `The server answered ${status}.`;
}

interface HtmxContext {
  request: { headers: Record<string, string>; method: string };
  response?: { raw?: Response; status?: number };
  text?: string;
}

/** Whether what keeps itself up to date (data-live) is to stay as it is: nobody sees it, or somebody
 * has ticked rows or is in the middle of it. */
function mustWait(place: HTMLElement): boolean {
  if (place.dataset["live"] === undefined) return false;
  const busy = place.querySelector("input:checked") !== null || place.contains(document.activeElement);
  return document.hidden || busy || document.querySelector("dialog[open]") !== null;
}

export function startRequests(): void {
  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = (event as CustomEvent<{ ctx: HtmxContext }>).detail;
    ctx.request.headers["X-CSRF-Token"] = findCsrfToken();
    if (event.target instanceof HTMLElement && mustWait(event.target)) event.preventDefault();
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = (event as CustomEvent<{ ctx: HtmxContext }>).detail;
    const status = ctx.response?.status ?? 200;
    if (status < 400) return;
    event.preventDefault();
    showToast(findMessage(parseJson(ctx.text ?? ""), status), "error");
  });
  document.addEventListener("htmx:error", () => {
    showToast("The server cannot be reached.", "error");
  });
}
