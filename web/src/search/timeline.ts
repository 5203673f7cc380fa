// How many events there are over time: bars; a stretch that is drawn over narrows the search to it.
import { formatCount, formatTime, h, svg } from "../dom";
import { listTicks } from "./chart";

export interface Timeline {
  span: number;
  buckets: { time: number; count: number }[];
  complete: boolean;
}

const HEIGHT = 96;
const [TOP, BOTTOM] = [6, 18];
const MOST_BARS = 1000;

export function drawTimeline(data: Timeline, zone: string, width: number, narrow: (earliest: number, latest: number) => void): HTMLElement {
  const first = data.buckets[0];
  const last = data.buckets[data.buckets.length - 1];
  if (!first || !last) return h("div", {});
  const start = first.time;
  const slots = Math.min(MOST_BARS, Math.max(1, Math.round((last.time - start) / data.span) + 1));
  const span = Math.max(data.span, (last.time - start + data.span) / slots);
  const counts = new Array<number>(slots).fill(0);
  for (const bucket of data.buckets) {
    const at = Math.min(slots - 1, Math.floor((bucket.time - start) / span));
    counts[at] = (counts[at] ?? 0) + bucket.count;
  }
  const left = 52;
  const room = Math.max(100, width - left - 8);
  const step = room / slots;
  const ticks = listTicks(Math.max(...counts), 2);
  const most = ticks[ticks.length - 1] ?? 1;
  const floor = HEIGHT - BOTTOM;
  const y = (count: number): number => floor - (count / most) * (floor - TOP);
  const parts: SVGElement[] = [];
  for (const tick of ticks) {
    parts.push(svg("line", { class: "grid-line", x1: left, x2: left + room, y1: y(tick), y2: y(tick) }));
    parts.push(svg("text", { class: "axis-label", x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, formatCount(tick)));
  }
  counts.forEach((count, at) => {
    if (!count) return;
    const [from, to] = [start + at * span, start + (at + 1) * span];
    const bar = svg(
      "rect",
      { class: "fill series-0", x: left + at * step + step * 0.06, width: Math.max(0.75, step * 0.88), y: y(count), height: Math.max(1, floor - y(count)) },
      svg("title", {}, `${formatCount(count)} events, ${formatTime(from, zone, "second")} – ${formatTime(to, zone, "second")}`),
    );
    parts.push(bar);
  });
  const end = start + slots * span;
  const days = end - start > 3 * 86400;
  const labels = Math.max(2, Math.floor(room / 150));
  for (let at = 0; at < labels; at++) {
    const moment = start + ((end - start) * at) / labels;
    parts.push(svg("text", { class: "axis-label", x: left + (room * at) / labels, y: HEIGHT - 4 }, formatTime(moment, zone, days ? "day" : "minute")));
  }
  const brush = svg("rect", { class: "brush", y: TOP, height: floor - TOP, x: 0, width: 0, visibility: "hidden" });
  const total = counts.reduce((sum, count) => sum + count, 0);
  const label = `${formatCount(total)} events from ${formatTime(start, zone, "minute")} to ${formatTime(end, zone, "minute")}; drag over a stretch to search it alone`;
  const picture = svg("svg", { class: "picture timeline", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": label }, parts, brush);
  let from: number | null = null;
  const at = (event: PointerEvent): number => {
    const box = picture.getBoundingClientRect();
    return Math.min(left + room, Math.max(left, ((event.clientX - box.left) / box.width) * width));
  };
  const snap = (x: number, up: boolean): number => {
    const slot = (x - left) / step;
    return Math.min(slots, Math.max(0, up ? Math.ceil(slot) : Math.floor(slot)));
  };
  picture.addEventListener("pointerdown", (event) => {
    from = at(event);
    picture.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  picture.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const [a, b] = [Math.min(from, at(event)), Math.max(from, at(event))];
    brush.setAttribute("x", String(left + snap(a, false) * step));
    brush.setAttribute("width", String((snap(b, true) - snap(a, false)) * step));
    brush.setAttribute("visibility", "visible");
  });
  picture.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const [a, b] = [Math.min(from, at(event)), Math.max(from, at(event))];
    from = null;
    const [low, high] = [snap(a, false), Math.max(snap(a, false) + 1, snap(b, true))];
    narrow(start + low * span, start + high * span);
  });
  return h("div", { class: "timeline-place" }, picture);
}
