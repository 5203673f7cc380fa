// Rows of a search -> events with their raw text, or a table; and the fields beside them.
import { formatCount, formatNumber, formatTime, h, type Child } from "../dom";
import { drawSparkline, isSparkline, type Cell } from "./chart";

export interface Page {
  fields: string[];
  rows: Cell[][];
}

export interface FieldStatistics {
  name: string;
  count: number;
  distinct: number;
  numeric: boolean;
  least: number | null;
  greatest: number | null;
  mean: number | null;
  top: { value: string; count: number }[];
}

export type AddCondition = (field: string, value: string, not: boolean) => void;

const META = ["host", "source", "sourcetype", "index"];
const LONG_RAW = 360;
const MOST_CELL = 400;
const MOST_VALUES = 6;

export function showCell(name: string, cell: Cell, zone: string): Child {
  if (cell === null) return "";
  if (isSparkline(cell)) return drawSparkline(cell);
  if (Array.isArray(cell)) return showValues(cell.map((v) => String(v ?? "")));
  if (name === "_time" && typeof cell === "number") return formatTime(cell, zone);
  if (typeof cell === "number") return formatNumber(cell);
  return String(cell);
}

function showValues(values: string[]): HTMLElement {
  const list = (some: string[]): HTMLElement => h("span", { class: "values" }, some.map((v) => h("span", {}, v)));
  if (values.length <= MOST_VALUES) return list(values);
  const [first, rest] = [values.slice(0, MOST_VALUES - 1), values.slice(MOST_VALUES - 1)];
  return h("div", {}, list(first), h("details", {}, h("summary", { class: "dim small" }, `${formatCount(rest.length)} more`), list(rest)));
}

export function textOf(cell: Cell): string {
  if (Array.isArray(cell)) return cell.map((v) => String(v ?? "")).join("\n");
  return cell === null ? "" : String(cell);
}

/** Events, each with its time, its text as the log has it, and all its fields behind a button.
    `open` has the numbers of those whose fields are shown. */
export function showEvents(page: Page, zone: string, open: Set<number>, add: AddCondition): HTMLElement {
  const at = (name: string): number => page.fields.indexOf(name);
  const list = h("ol", { class: "events" });
  for (const [number, row] of page.rows.entries()) {
    const raw = textOf(row[at("_raw")] ?? null);
    const time = row[at("_time")];
    const shown = raw || page.fields.map((f, i) => [f, textOf(row[i] ?? null)] as const).filter(([f, v]) => v && !f.startsWith("_")).map(([f, v]) => `${f}=${v}`).join("  ");
    const text = h("pre", { class: "raw" }, shown.length > LONG_RAW ? `${shown.slice(0, LONG_RAW)}…` : shown);
    const details = h("div", { class: "event-fields", hidden: true });
    const button = h("button", { type: "button", class: "event-toggle", "aria-expanded": "false", "aria-label": "All fields of this event" }, "›");
    const unfold = (wanted: boolean): void => {
      if (wanted && !details.firstChild) {
        details.append(showFieldsOf(page, row, zone, add));
        text.textContent = shown;
      }
      details.hidden = !wanted;
      button.setAttribute("aria-expanded", String(wanted));
      if (wanted) open.add(number);
      else open.delete(number);
    };
    button.addEventListener("click", () => unfold(details.hidden !== false));
    if (open.has(number)) unfold(true);
    const meta = META.filter((name) => at(name) >= 0 && row[at(name)] !== null).map((name) => {
      const value = textOf(row[at(name)] ?? null);
      return h("span", { class: "event-meta" }, `${name} `, h("button", { type: "button", class: "value-button", title: `Only ${name}=${value}`, onclick: () => add(name, value, false) }, value));
    });
    list.append(
      h("li", { class: "event" },
        button,
        h("div", { class: "event-time" }, typeof time === "number" ? formatTime(time, zone) : "–"),
        h("div", { class: "event-body" }, text, h("div", { class: "event-metas" }, meta), details),
      ),
    );
  }
  return list;
}

function showFieldsOf(page: Page, row: Cell[], zone: string, add: AddCondition): HTMLElement {
  const body = h("tbody", {});
  page.fields.forEach((name, at) => {
    const cell = row[at] ?? null;
    if (cell === null || name === "_raw" || textOf(cell) === "") return;
    const value = textOf(cell);
    body.append(
      h("tr", {},
        h("th", { scope: "row" }, name),
        h("td", {}, showCell(name, cell, zone)),
        h("td", { class: "shrink nowrap" },
          h("button", { type: "button", class: "button small plain", "aria-label": `Only events with this ${name}`, onclick: () => add(name, value, false) }, "only"),
          h("button", { type: "button", class: "button small plain", "aria-label": `No events with this ${name}`, onclick: () => add(name, value, true) }, "not"),
        ),
      ),
    );
  });
  return h("table", { class: "table field-table" }, body);
}

export interface Sorting {
  field: string;
  down: boolean;
}

/** A table of rows; a click on a head sorts, one on a value searches for it. */
export function showTable(page: Page, zone: string, sorting: Sorting | null, sort: (field: string) => void, add: AddCondition): HTMLElement {
  const hidden = (name: string): boolean => name.startsWith("_") && name !== "_time" && name !== "_raw";
  const columns = page.fields.map((name, at) => ({ name, at })).filter((c) => !hidden(c.name));
  const numeric = new Set(columns.filter((c) => c.name !== "_time" && page.rows.every((r) => r[c.at] === null || typeof r[c.at] === "number")).map((c) => c.at));
  const head = h("tr", {}, columns.map(({ name, at }) =>
    h("th", { scope: "col", class: [numeric.has(at) ? "num" : "", sorting?.field === name ? "sorted" : ""].join(" ").trim() || false, "aria-sort": sorting?.field === name ? (sorting.down ? "descending" : "ascending") : false },
      h("button", { type: "button", class: "sort-button", onclick: () => sort(name) }, name, sorting?.field === name ? (sorting.down ? " ↓" : " ↑") : ""),
    ),
  ));
  const body = h("tbody", {}, page.rows.map((row) =>
    h("tr", {}, columns.map(({ name, at }) => {
      const cell = row[at] ?? null;
      const long = textOf(cell).length > MOST_CELL && !isSparkline(cell);
      const place = h("td", { class: [numeric.has(at) ? "num" : "", name === "_time" ? "nowrap" : "", "cell"].join(" ").trim() });
      if (long) {
        place.append(h("details", {}, h("summary", {}, `${textOf(cell).slice(0, MOST_CELL)}…`), h("div", {}, showCell(name, cell, zone))));
      } else place.append(...[showCell(name, cell, zone)].filter((c): c is Node | string => Boolean(c)));
      if (cell !== null && !Array.isArray(cell) && name !== "_time") {
        place.addEventListener("dblclick", () => add(name, textOf(cell), false));
        place.title = `Double-click: only ${name}=${textOf(cell).slice(0, 80)}`;
      }
      return place;
    })),
  ));
  return h("div", { class: "scroll result-scroll", tabindex: "0", role: "region", "aria-label": "Rows" }, h("table", { class: "table result-table" }, h("thead", {}, head), body));
}

/** The fields of the rows: how many rows have each, and its most frequent values. */
export function showFields(fields: FieldStatistics[], rows: number, add: AddCondition): HTMLElement {
  const shown = fields.filter((f) => f.count > 0 && f.name !== "_raw" && f.name !== "_time");
  const filter = h("input", { type: "search", placeholder: "Filter fields", "aria-label": "Filter fields" });
  const list = h("ul", { class: "field-list" });
  const fill = (): void => {
    const wanted = filter.value.toLowerCase();
    list.replaceChildren(...shown.filter((f) => f.name.toLowerCase().includes(wanted)).map((f) => showField(f, rows, add)));
  };
  filter.addEventListener("input", fill);
  fill();
  return h("div", { class: "fields-side" }, h("div", { class: "row" }, h("h2", {}, "Fields"), h("span", { class: "dim small" }, formatCount(shown.length))), filter, list);
}

function showField(field: FieldStatistics, rows: number, add: AddCondition): HTMLElement {
  const details = h("details", { class: "field" });
  const share = rows ? Math.round((100 * field.count) / rows) : 0;
  details.append(
    h("summary", {}, h("span", { class: "field-name" }, h("span", { class: "field-kind", "aria-hidden": "true" }, field.numeric ? "#" : "a"), field.name), h("span", { class: "dim small", title: `${formatCount(field.distinct)} values in ${share} % of the rows` }, formatCount(field.distinct))),
  );
  details.addEventListener("toggle", () => {
    if (!details.open || details.childElementCount > 1) return;
    const most = field.top[0]?.count ?? 1;
    const facts = field.numeric && field.mean !== null ? `in ${share} % of the rows · ${formatNumber(field.least ?? 0)} to ${formatNumber(field.greatest ?? 0)}, mean ${formatNumber(Number(field.mean.toPrecision(4)))}` : `in ${share} % of the rows`;
    details.append(
      h("p", { class: "dim small" }, facts),
      h("ul", { class: "top-values" }, field.top.map((top) =>
        h("li", {},
          h("button", { type: "button", class: "top-value", title: `Only ${field.name}=${top.value}`, onclick: () => add(field.name, top.value, false) },
            h("span", { class: "top-text" }, top.value || "(empty)"),
            h("span", { class: "top-count" }, formatCount(top.count)),
            h("meter", { class: "top-bar", min: 0, max: most, value: top.count, "aria-hidden": "true" }),
          ),
          h("button", { type: "button", class: "not-button", "aria-label": `Not ${field.name}=${top.value}`, title: `Not ${field.name}=${top.value}`, onclick: () => add(field.name, top.value, true) }, "−"),
        ),
      )),
    );
  });
  return h("li", {}, details);
}
