// Elements out of a name, attributes and children; texts are never read as HTML.

export type Child = Node | string | null | undefined | false;
type Value = string | number | boolean | null | undefined | ((event: never) => void);

/** `onclick` and the like are listeners; true is an attribute without a value, false none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, Value> = {},
  ...children: (Child | Child[])[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  made.append(...keep(children));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(
  name: string,
  attributes: Record<string, Value> = {},
  ...children: (Child | Child[])[]
): SVGElement {
  const made = document.createElementNS(SVG, name) as SVGElement;
  setAttributes(made, attributes);
  made.append(...keep(children));
  return made;
}

function setAttributes(element: Element, attributes: Record<string, Value>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value as EventListener);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

function keep(children: (Child | Child[])[]): (Node | string)[] {
  return children.flat().filter((c): c is Node | string => c !== null && c !== undefined && c !== false);
}

export function formatCount(number: number): string {
  return number.toLocaleString("en");
}

/** A number as a table or an axis has it. */
export function formatNumber(number: number): string {
  return Number.isInteger(number) ? number.toLocaleString("en") : number.toLocaleString("en", { maximumFractionDigits: 3 });
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Epoch seconds as `2026-11-29 21:05:00.123`, in a zone. */
export function formatTime(seconds: number, zone: string, parts: "full" | "second" | "minute" | "day" = "full"): string {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  const whole = Math.floor(seconds);
  const found: Record<string, string> = {};
  for (const part of format.formatToParts(whole * 1000)) found[part.type] = part.value;
  const day = `${found["year"]}-${found["month"]}-${found["day"]}`;
  if (parts === "day") return day;
  const minute = `${day} ${found["hour"]}:${found["minute"]}`;
  if (parts === "minute") return minute;
  const millis = Math.floor((seconds - whole) * 1000 + 1e-4);
  const fraction = parts === "full" ? `.${String(millis).padStart(3, "0")}` : "";
  return `${minute}:${found["second"]}${fraction}`;
}

/** `2026-11-29T21:05:00` of a zone's clock -> epoch seconds; NaN for what is no time. */
export function readTime(text: string, zone: string): number {
  const guess = Date.parse(`${text}Z`) / 1000;
  if (Number.isNaN(guess)) return NaN;
  const shown = Date.parse(`${formatTime(guess, zone, "second").replace(" ", "T")}Z`) / 1000;
  const first = guess - (shown - guess);
  const again = Date.parse(`${formatTime(first, zone, "second").replace(" ", "T")}Z`) / 1000;
  return first - (again - guess);
}
