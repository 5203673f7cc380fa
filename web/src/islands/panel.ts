// A dashboard: each panel runs its search and shows what it found, as a table or a chart.
import { formatCount, h } from "../dom";
import { requestJson, RequestError } from "../requests";
import { drawChart, readChart, type ChartKind } from "../search/chart";
import { showTable, type Page } from "../search/results";

interface Panel {
  title: string;
  search: string;
  earliest: string;
  latest: string;
  show: string;
}

interface Status {
  sid: string;
  state: string;
  rows: number;
  messages: { severity: string; text: string; help: string | null }[];
}

const LOOK_MS = 300;
const MOST_ROWS = 500;

export function mount(place: HTMLElement, given: unknown): void {
  const { panel, zone } = given as { panel: Panel; zone: string };
  void run(place, panel, zone);
}

async function run(place: HTMLElement, panel: Panel, zone: string): Promise<void> {
  place.replaceChildren(h("div", { class: "loading" }, "Searching"));
  try {
    const { sid } = await requestJson<{ sid: string }>("/api/searches", {
      method: "POST",
      body: { search: panel.search, earliest: panel.earliest, latest: panel.latest },
    });
    let status = await requestJson<Status>(`/api/searches/${sid}`);
    while (status.state === "queued" || status.state === "running") {
      await new Promise((done) => setTimeout(done, LOOK_MS));
      status = await requestJson<Status>(`/api/searches/${sid}`);
    }
    if (status.state === "failed") {
      const first = status.messages.find((m) => m.severity === "error");
      place.replaceChildren(h("div", { class: "failure" }, h("h3", {}, first?.text ?? "The search failed"), first?.help ? h("p", {}, first.help) : null));
      return;
    }
    const page = await requestJson<Page>(`/api/searches/${sid}/rows?offset=0&count=${MOST_ROWS}`);
    show(place, panel, page, zone);
    if (status.rows > MOST_ROWS) place.append(h("p", { class: "dim small pager" }, `${formatCount(MOST_ROWS)} of ${formatCount(status.rows)} rows`));
    void requestJson(`/api/searches/${sid}`, { method: "DELETE" }).catch(() => undefined);
  } catch (error) {
    place.replaceChildren(h("div", { class: "failure" }, h("h3", {}, error instanceof RequestError ? error.message : "The server cannot be reached.")));
  }
}

function show(place: HTMLElement, panel: Panel, page: Page, zone: string): void {
  if (!page.rows.length) {
    place.replaceChildren(h("div", { class: "empty" }, h("h3", {}, "Nothing found")));
    return;
  }
  const data = panel.show === "table" ? null : readChart(page.fields, page.rows);
  if (data) {
    const kind: ChartKind = panel.show === "line" || panel.show === "area" || panel.show === "column" ? panel.show : data.overTime ? "column" : "bar";
    const draw = (): void => place.replaceChildren(drawChart(data, kind, zone, Math.max(260, place.clientWidth - 32)));
    draw();
    let width = place.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(place.clientWidth - width) < 8) return;
      width = place.clientWidth;
      draw();
    }).observe(place);
    return;
  }
  place.replaceChildren(showTable(page, zone, null, () => undefined, () => undefined));
}
