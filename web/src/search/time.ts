// The time that a search looks at: presets, times relative to now, two moments, or all of it.
import { formatTime, h, readTime } from "../dom";

export interface TimeRange {
  earliest: string;
  latest: string;
}

const PRESETS: readonly (readonly [string, string, string])[] = [
  ["Last 15 minutes", "-15m", ""],
  ["Last 60 minutes", "-60m", ""],
  ["Last 4 hours", "-4h", ""],
  ["Last 24 hours", "-24h", ""],
  ["Last 7 days", "-7d", ""],
  ["Last 30 days", "-30d", ""],
  ["Today", "@d", ""],
  ["Yesterday", "-1d@d", "@d"],
  ["This week", "@w0", ""],
  ["All time", "", ""],
];

const EPOCH = /^\d+(\.\d+)?$/;

export function nameRange(range: TimeRange, zone: string): string {
  const preset = PRESETS.find(([, e, l]) => e === range.earliest && (l === range.latest || (l === "" && range.latest === "now")));
  if (preset) return preset[0];
  const from = nameEnd(range.earliest, zone, "the beginning");
  return `${from} – ${nameEnd(range.latest, zone, "now")}`;
}

function nameEnd(text: string, zone: string, open: string): string {
  if (text === "" || text === "now") return open;
  return EPOCH.test(text) ? formatTime(Number(text), zone, "second") : text;
}

export interface TimePicker {
  place: HTMLElement;
  read(): TimeRange;
  write(range: TimeRange): void;
}

export function makeTimePicker(start: TimeRange, zone: string, chosen: (range: TimeRange) => void): TimePicker {
  let range = start;
  const words = h("span", {});
  const button = h("button", { type: "button", class: "button time-button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => toggle() }, words);
  const earliest = h("input", { class: "code", id: "time-earliest", placeholder: "-24h@h", autocomplete: "off", spellcheck: "false" });
  const latest = h("input", { class: "code", id: "time-latest", placeholder: "now", autocomplete: "off", spellcheck: "false" });
  const from = h("input", { type: "datetime-local", step: "1", id: "time-from" });
  const to = h("input", { type: "datetime-local", step: "1", id: "time-to" });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const presets = h(
    "div",
    { class: "time-presets", role: "group", "aria-label": "Presets" },
    PRESETS.map(([name, e, l]) => h("button", { type: "button", class: "time-preset", onclick: () => choose({ earliest: e, latest: l }) }, name)),
  );
  const relative = h(
    "form",
    { class: "time-form", onsubmit: (event: Event) => { event.preventDefault(); choose({ earliest: earliest.value.trim(), latest: latest.value.trim() }); } },
    h("h3", {}, "Relative to now"),
    h("label", { for: "time-earliest" }, "Earliest"), earliest,
    h("label", { for: "time-latest" }, "Latest"), latest,
    h("button", { class: "button small" }, "Apply"),
  );
  const between = h(
    "form",
    { class: "time-form", onsubmit: (event: Event) => { event.preventDefault(); chooseBetween(); } },
    h("h3", {}, `Between (${zone})`),
    h("label", { for: "time-from" }, "From"), from,
    h("label", { for: "time-to" }, "To"), to,
    problem,
    h("button", { class: "button small" }, "Apply"),
  );
  const panel = h("div", { class: "time-panel", role: "dialog", "aria-label": "Time range", hidden: true }, presets, relative, between);
  const place = h("div", { class: "time-picker" }, button, panel);

  function toggle(open = panel.hidden): void {
    panel.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    earliest.value = range.earliest;
    latest.value = range.latest;
    from.value = EPOCH.test(range.earliest) ? formatTime(Number(range.earliest), zone, "second").replace(" ", "T") : "";
    to.value = EPOCH.test(range.latest) ? formatTime(Number(range.latest), zone, "second").replace(" ", "T") : "";
    problem.hidden = true;
    for (const one of presets.children) {
      one.setAttribute("aria-pressed", String(one.textContent === words.textContent));
    }
    presets.querySelector<HTMLElement>("[aria-pressed=true]")?.focus();
  }

  function chooseBetween(): void {
    const [e, l] = [readTime(from.value, zone), readTime(to.value, zone)];
    problem.hidden = !(Number.isNaN(e) || Number.isNaN(l) || e >= l);
    problem.textContent = "Give two times, the first one earlier.";
    if (problem.hidden) choose({ earliest: String(e), latest: String(l) });
  }

  function choose(next: TimeRange): void {
    write(next);
    toggle(false);
    button.focus();
    chosen(next);
  }

  function write(next: TimeRange): void {
    range = next;
    words.textContent = nameRange(range, zone);
    button.setAttribute("aria-label", `Time range: ${words.textContent}`);
  }

  document.addEventListener("pointerdown", (event) => {
    if (!panel.hidden && event.target instanceof Node && !place.contains(event.target)) toggle(false);
  });
  place.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) {
      toggle(false);
      button.focus();
    }
  });
  write(start);
  return { place, read: () => range, write };
}
