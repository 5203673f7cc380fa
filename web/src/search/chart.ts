// Rows -> a chart: numbers over time as lines, areas or columns, numbers for names as bars.
import { formatCount, formatNumber, formatTime, h, svg } from "../dom";

export type Cell = string | number | boolean | null | (string | number | null)[];

export interface ChartData {
  overTime: boolean;
  axis: string;
  points: (number | string)[];
  series: { name: string; values: (number | null)[] }[];
  leftOut: number;
}

export const MOST_SERIES = 12;
const MOST_BARS = 50;
/** Pixels of a wide letter at the size of labels. */
const LETTER = 7.6;

/** What can be drawn of some rows; null where there is no number in them. */
export function readChart(fields: string[], rows: Cell[][]): ChartData | null {
  const shown = fields.filter((f) => f === "_time" || !f.startsWith("_"));
  const column = (name: string): Cell[] => {
    const at = fields.indexOf(name);
    return rows.map((row) => row[at] ?? null);
  };
  const numbers = new Map<string, (number | null)[]>();
  for (const name of shown) {
    if (name === "_time") continue;
    const values = column(name).map(readNumber);
    if (values.every((v) => v !== undefined) && values.some((v) => v !== null)) numbers.set(name, values as (number | null)[]);
  }
  const overTime = shown.includes("_time") && column("_time").some((v) => typeof v === "number");
  if (overTime) {
    const times = column("_time");
    const held = times.map((_, at) => at).filter((at) => typeof times[at] === "number");
    held.sort((a, b) => Number(times[a]) - Number(times[b]));
    const names = [...numbers.keys()];
    if (!names.length || !held.length) return null;
    return {
      overTime, axis: "_time",
      points: held.map((at) => Number(times[at])),
      series: names.slice(0, MOST_SERIES).map((name) => ({ name, values: held.map((at) => numbers.get(name)?.[at] ?? null) })),
      leftOut: Math.max(0, names.length - MOST_SERIES),
    };
  }
  const axis = shown.find((name) => !numbers.has(name)) ?? shown[0];
  if (axis === undefined) return null;
  numbers.delete(axis);
  if (numbers.size > 1) numbers.delete("percent");
  if (!numbers.size) return null;
  return {
    overTime, axis,
    points: column(axis).slice(0, MOST_BARS).map((v) => (Array.isArray(v) ? v.join(", ") : String(v ?? ""))),
    series: [...numbers].slice(0, MOST_SERIES).map(([name, values]) => ({ name, values: values.slice(0, MOST_BARS) })),
    leftOut: Math.max(0, rows.length - MOST_BARS),
  };
}

function readNumber(cell: Cell): number | null | undefined {
  if (cell === null || cell === "") return null;
  if (typeof cell === "number") return cell;
  if (typeof cell !== "string") return undefined;
  const number = Number(cell);
  return Number.isNaN(number) ? undefined : number;
}

export type ChartKind = "line" | "area" | "column" | "bar";

export function drawChart(data: ChartData, kind: ChartKind, zone: string, width: number): HTMLElement {
  const legend = h(
    "ul",
    { class: "legend" },
    data.series.map((s, at) => h("li", {}, h("span", { class: `swatch series-${at % MOST_SERIES}` }), s.name)),
  );
  const picture = data.overTime || kind === "column" ? drawOver(data, kind, zone, width) : drawBars(data, width);
  const told = data.leftOut ? h("p", { class: "dim small" }, `${formatCount(data.leftOut)} more are not drawn.`) : null;
  return h("div", { class: "chart" }, data.series.length > 1 ? legend : h("p", { class: "dim small" }, data.series[0]?.name ?? ""), picture, told);
}

/** Round steps of an axis up to a value. */
export function listTicks(most: number, wanted = 4): number[] {
  if (!(most > 0)) return [0, 1];
  const raw = most / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((m) => m * power >= raw) ?? 10) * power;
  const ticks = [];
  for (let tick = 0; tick < most + step * 0.999; tick += step) ticks.push(Number(tick.toPrecision(12)));
  return ticks;
}

function drawOver(data: ChartData, kind: ChartKind, zone: string, width: number): HTMLElement {
  const height = 300;
  const [left, right, top, bottom] = [56, 12, 10, 34];
  const plot = { w: Math.max(120, width - left - right), h: height - top - bottom };
  const stacked = kind === "column" || kind === "area";
  const sums = data.points.map((_, at) =>
    stacked ? data.series.reduce((sum, s) => sum + Math.max(0, s.values[at] ?? 0), 0) : Math.max(0, ...data.series.map((s) => s.values[at] ?? 0)),
  );
  const ticks = listTicks(Math.max(...sums));
  const most = ticks[ticks.length - 1] ?? 1;
  const y = (value: number): number => top + plot.h - (value / most) * plot.h;
  const first = Number(data.points[0]);
  const last = Number(data.points[data.points.length - 1]);
  const count = data.points.length;
  const slot = plot.w / Math.max(1, count);
  const x = (at: number): number =>
    kind === "column" || !data.overTime ? left + slot * (at + 0.5)
    : last > first ? left + ((Number(data.points[at]) - first) / (last - first)) * plot.w : left + plot.w / 2;
  const parts: SVGElement[] = [];
  for (const tick of ticks) {
    parts.push(svg("line", { class: "grid-line", x1: left, x2: left + plot.w, y1: y(tick), y2: y(tick) }));
    parts.push(svg("text", { class: "axis-label", x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, formatNumber(tick)));
  }
  const every = Math.max(1, Math.ceil(count / Math.max(1, Math.floor(plot.w / (data.overTime ? 110 : 90)))));
  for (let at = 0; at < count; at += every) {
    const point = data.points[at];
    const label = data.overTime ? formatTime(Number(point), zone, last - first > 5 * 86400 ? "day" : "minute").slice(last - first > 5 * 86400 ? 0 : 5) : String(point).slice(0, 14);
    const anchor = at === 0 && kind !== "column" ? "start" : "middle";
    parts.push(svg("text", { class: "axis-label", x: x(at), y: height - 12, "text-anchor": anchor }, label));
  }
  const below = new Array<number>(count).fill(0);
  data.series.forEach((series, number) => {
    const colour = `series-${number % MOST_SERIES}`;
    if (kind === "column") {
      series.values.forEach((value, at) => {
        if (!value || value < 0) return;
        const base = below[at] ?? 0;
        below[at] = base + value;
        parts.push(svg("rect", { class: `fill ${colour}`, x: x(at) - slot * 0.42, width: Math.max(0.75, slot * 0.84), y: y(base + value), height: Math.max(0.5, y(base) - y(base + value)) }));
      });
    } else if (kind === "area") {
      const upper = series.values.map((value, at) => {
        const base = below[at] ?? 0;
        below[at] = base + Math.max(0, value ?? 0);
        return [x(at), y(below[at] ?? 0), y(base)] as const;
      });
      const path = [...upper.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`), ...upper.map(([px, , pb]) => `${px.toFixed(1)},${pb.toFixed(1)}`).reverse()];
      parts.push(svg("polygon", { class: `fill ${colour}`, points: path.join(" ") }));
    } else {
      let run: string[] = [];
      const flush = (): void => {
        if (run.length > 1) parts.push(svg("polyline", { class: `stroke ${colour}`, points: run.join(" ") }));
        else if (run[0]) {
          const [px, py] = run[0].split(",");
          parts.push(svg("circle", { class: `fill ${colour}`, cx: px ?? 0, cy: py ?? 0, r: 2.5 }));
        }
        run = [];
      };
      series.values.forEach((value, at) => (value === null ? flush() : run.push(`${x(at).toFixed(1)},${y(value).toFixed(1)}`)));
      flush();
    }
  });
  const mark = svg("line", { class: "chart-mark", y1: top, y2: top + plot.h, x1: 0, x2: 0, visibility: "hidden" });
  const picture = svg("svg", { class: "picture", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": describe(data, zone) }, parts, mark);
  const tip = h("div", { class: "chart-tip", hidden: true });
  const place = h("div", { class: "chart-place" }, picture, tip);
  place.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const px = ((event.clientX - box.left) / box.width) * width;
    let near = 0;
    for (let at = 1; at < count; at++) if (Math.abs(x(at) - px) < Math.abs(x(near) - px)) near = at;
    mark.setAttribute("x1", String(x(near)));
    mark.setAttribute("x2", String(x(near)));
    mark.setAttribute("visibility", "visible");
    const point = data.points[near];
    tip.replaceChildren(
      h("b", {}, data.overTime ? formatTime(Number(point), zone, "second") : String(point)),
      ...data.series.map((s, at) => h("div", {}, h("span", { class: `swatch series-${at % MOST_SERIES}` }), `${s.name}: ${s.values[near] === null || s.values[near] === undefined ? "–" : formatNumber(s.values[near] ?? 0)}`)),
    );
    tip.hidden = false;
    const side = event.clientX - box.left > box.width / 2;
    tip.classList.toggle("at-left", side);
    tip.classList.toggle("at-right", !side);
  });
  place.addEventListener("pointerleave", () => {
    tip.hidden = true;
    mark.setAttribute("visibility", "hidden");
  });
  return place;
}

function drawBars(data: ChartData, width: number): HTMLElement {
  const band = data.series.length * 16 + 10;
  const label = Math.min(220, Math.max(110, width * 0.28));
  const height = data.points.length * band + 8;
  const values = data.series.flatMap((s) => s.values.map((v) => v ?? 0));
  const most = Math.max(1e-9, ...values);
  const room = Math.max(60, width - label - 80);
  const parts: SVGElement[] = [];
  data.points.forEach((point, at) => {
    const top = 4 + at * band;
    const text = String(point);
    const letters = Math.floor((label - 8) / LETTER);
    parts.push(svg("text", { class: "axis-label bar-label", x: label - 8, y: top + band / 2, "text-anchor": "end" }, svg("title", {}, text), text.length > letters ? `${text.slice(0, letters - 1)}…` : text));
    data.series.forEach((series, number) => {
      const value = series.values[at] ?? 0;
      const w = Math.max(value > 0 ? 1.5 : 0, (Math.max(0, value) / most) * room);
      const y = top + 3 + number * 16;
      parts.push(svg("rect", { class: `fill series-${number % MOST_SERIES}`, x: label, y, width: w, height: 13, rx: 2 }));
      parts.push(svg("text", { class: "axis-label", x: label + w + 6, y: y + 11 }, formatNumber(value)));
    });
  });
  return h("div", { class: "chart-place" }, svg("svg", { class: "picture", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": describe(data, "UTC") }, parts));
}

function describe(data: ChartData, zone: string): string {
  const names = data.series.map((s) => s.name).join(", ");
  if (!data.overTime) return `${names} for ${data.points.length} values of ${data.axis}`;
  const [first, last] = [Number(data.points[0]), Number(data.points[data.points.length - 1])];
  return `${names} from ${formatTime(first, zone, "minute")} to ${formatTime(last, zone, "minute")}`;
}

const SPARK = "##__SPARKLINE__##";

export function isSparkline(cell: Cell): cell is (string | number | null)[] {
  return Array.isArray(cell) && cell[0] === SPARK;
}

export function drawSparkline(cell: (string | number | null)[]): SVGElement {
  const values = cell.slice(1).map((v) => Number(v) || 0);
  const most = Math.max(1e-9, ...values);
  const [w, hh] = [120, 22];
  const points = values.map((v, at) => `${((at / Math.max(1, values.length - 1)) * (w - 4) + 2).toFixed(1)},${(hh - 2 - (v / most) * (hh - 4)).toFixed(1)}`);
  return svg("svg", { class: "sparkline", width: w, height: hh, viewBox: `0 0 ${w} ${hh}`, role: "img", "aria-label": `trend of ${values.length} values, at most ${formatNumber(Math.max(...values))}` }, svg("polyline", { class: "stroke series-0", points: points.join(" ") }));
}
