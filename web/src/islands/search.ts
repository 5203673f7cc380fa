// The search page: an editor, a time, a run that can be stopped, and what it found as events, a table
// or a chart. Rows are fetched a page at a time; nothing here grows with their number.
import { formatCount, h } from "../dom";
import { findCsrfToken, requestJson, RequestError } from "../requests";
import { showToast } from "../toasts";
import { makeEditor, type Message } from "../spl/editor";
import { showSearch } from "../spl/language";
import { drawChart, readChart, type Cell, type ChartKind } from "../search/chart";
import { showEvents, showFields, showTable, type FieldStatistics, type Page, type Sorting } from "../search/results";
import { addCondition, listCommands } from "../search/text";
import { drawTimeline, type Timeline } from "../search/timeline";
import { makeTimePicker, nameRange, type TimeRange } from "../search/time";

interface Props {
  zone: string;
  mayShare: boolean;
}

interface Status {
  sid: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  rows: number;
  events: number | null;
  progress: number;
  seconds: number;
  fields: string[];
  messages: Message[];
  cut: boolean;
  by_event: boolean;
}

interface SavedSearch {
  name: string;
  search: string;
  earliest: string;
  latest: string;
  description: string;
  shared: boolean;
  mine: boolean;
  owner: string;
}

type View = "events" | "table" | "chart";

const PAGE = 100;
const EVENT_PAGE = 50;
const SORT_HERE = 10_000;
const CHART_ROWS = 5_000;
const POLL_MS = [60, 120, 250, 500, 1000];
const EXAMPLES: readonly (readonly [string, string])[] = [
  ["index=*", "All events, the newest first"],
  ["index=* | timechart count by sourcetype", "Events over time by sourcetype"],
  ["index=* | top limit=20 host", "The busiest hosts"],
  ["| tstats count from datamodel=Endpoint.Processes by Processes.process_name | sort - count", "Programs by how often they ran"],
];

export function mount(place: HTMLElement, given: unknown): void {
  new SearchPage(place, given as Props);
}

class SearchPage {
  private status: Status | null = null;
  private turn = 0;
  private stopped = false;
  private asking = new AbortController();
  /** The search that the server keeps for this page. */
  private sid: string | null = null;
  private view: View = "events";
  private chosenView: View | null = null;
  private offset = 0;
  private unfolded = new Set<number>();
  private shownFields = 0;
  private sorting: Sorting | null = null;
  private sorted: Page | null = null;
  private kind: ChartKind | null = null;
  private text = "";

  private readonly run = h("button", { type: "button", class: "button primary", title: "Ctrl+Enter", onclick: () => void this.start() }, "Run");
  private readonly stop = h("button", { type: "button", class: "button", hidden: true, onclick: () => void this.finalize() }, "Stop");
  private readonly problems = h("ul", { class: "problems", "aria-live": "polite", "aria-label": "What is wrong in the search" });
  private readonly told = h("div", { class: "run-told", role: "status" });
  private readonly bar = h("progress", { class: "run-bar", max: 1, value: 0, "aria-label": "Progress", hidden: true });
  private readonly timeline = h("div", { class: "card timeline-card", hidden: true });
  private readonly tabs = h("div", { class: "tabs", role: "tablist", "aria-label": "Views" });
  private readonly tools = h("div", { class: "row push result-tools" });
  private readonly side = h("aside", { class: "card fields-card", hidden: true, "aria-label": "Fields" });
  private readonly body = h("div", { class: "result-body", id: "result-body", role: "tabpanel" });
  private readonly pager = h("div", { class: "pager row", hidden: true });
  private readonly results = h("section", { class: "results", "aria-label": "Results", hidden: true });
  private readonly intro = h("section", { class: "card intro" });
  private readonly dialog = h("dialog", { class: "wide", "aria-labelledby": "search-dialog-title" });
  private readonly editor;
  private readonly picker;

  constructor(
    place: HTMLElement,
    private readonly props: Props,
  ) {
    const asked = readAddress();
    this.picker = makeTimePicker(asked.range, props.zone, () => { if (this.editor.read().trim()) void this.start(); });
    const box = h("div", { class: "editor" });
    this.editor = makeEditor(box, {
      text: asked.search,
      label: "Search",
      hint: "index=* | stats count by host",
      run: () => void this.start(),
      stop: () => { if (!this.stop.hidden) void this.finalize(); },
      checked: (messages) => this.showProblems(messages),
    });
    const saved = h("button", { type: "button", class: "button", onclick: () => void this.openSaved() }, "Saved searches");
    const save = h("button", { type: "button", class: "button", onclick: () => this.openSave() }, "Save");
    place.replaceChildren(
      h("div", { class: "card search-card" }, box, this.problems,
        h("div", { class: "row search-actions" }, this.picker.place, this.run, this.stop, h("span", { class: "push row" }, save, saved))),
      h("div", { class: "run-line" }, this.told, this.bar),
      this.timeline,
      this.results,
      this.intro,
      this.dialog,
    );
    this.results.append(
      h("div", { class: "row result-head" }, this.tabs, this.tools),
      h("div", { class: "result-split" }, this.side, h("div", { class: "result-main card flush" }, this.body, this.pager)),
    );
    this.showIntro();
    addEventListener("popstate", () => this.follow());
    addEventListener("pagehide", () => this.free());
    let width = place.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(place.clientWidth - width) < 8) return;
      width = place.clientWidth;
      this.redraw();
    }).observe(place);
    if (asked.search.trim()) void this.start({ remember: false });
    else this.editor.focus();
  }

  // --- running ---------------------------------------------------------------------------------

  private async start(options: { remember?: boolean } = {}): Promise<void> {
    const text = this.editor.read().trim();
    if (!text) {
      showToast("Write a search first.", "info");
      return;
    }
    const mine = ++this.turn;
    this.stopped = false;
    this.asking.abort();
    this.asking = new AbortController();
    this.free();
    const range = this.picker.read();
    if (options.remember !== false) writeAddress(text, range);
    document.title = `${text.slice(0, 60)} · Search · Escudo`;
    this.text = text;
    this.status = null;
    this.offset = 0;
    this.unfolded.clear();
    this.sorting = null;
    this.sorted = null;
    this.intro.hidden = true;
    this.timelineData = null;
    this.setRunning(true);
    this.body.classList.add("stale");
    this.told.textContent = "Starting…";
    this.bar.removeAttribute("value");
    if (this.results.hidden) {
      this.results.hidden = false;
      this.side.hidden = true;
      this.tabs.replaceChildren();
      this.tools.replaceChildren();
      this.pager.hidden = true;
      this.body.replaceChildren(h("div", { class: "loading" }, "Searching"));
    }
    try {
      const { sid } = await requestJson<{ sid: string }>("/api/searches", { method: "POST", body: { search: text, ...range } });
      if (mine !== this.turn) {
        void this.remove(sid);
        return;
      }
      this.sid = sid;
      await this.watch(sid, mine);
    } catch (error) {
      if (mine === this.turn) this.fail(error);
    }
  }

  private async watch(sid: string, mine: number): Promise<void> {
    let shown = -1;
    for (let look = 0; ; look++) {
      const status = await this.ask<Status>(`/api/searches/${sid}`);
      if (mine !== this.turn) return;
      this.status = status;
      this.tell();
      const over = status.state !== "queued" && status.state !== "running";
      const first = shown < 0 && status.rows > 0;
      const wider = shown >= 0 && status.fields.length > this.shownFields && this.view !== "chart";
      if (first || over || wider) {
        if (shown < 0) this.chooseView();
        shown = status.rows;
        await this.show(mine);
        if (first && !over && status.by_event) {
          void this.loadTimeline(sid, mine);
          void this.loadFields(sid, mine);
        }
      } else if (status.rows > shown && shown >= 0 && this.view !== "chart") {
        this.showPager(status.rows, this.view === "events" ? EVENT_PAGE : PAGE);
      }
      if (over) break;
      await new Promise((done) => setTimeout(done, POLL_MS[Math.min(look, POLL_MS.length - 1)]));
      if (mine !== this.turn) return;
    }
    this.setRunning(false);
    this.tell();
    if (!this.timelineData) void this.loadTimeline(sid, mine);
    void this.loadFields(sid, mine);
  }

  private async finalize(): Promise<void> {
    const status = this.status;
    this.stopped = true;
    if (!status) {
      this.turn++;
      this.setRunning(false);
      this.told.textContent = "Stopped.";
      return;
    }
    try {
      await requestJson(`/api/searches/${status.sid}/finalize`, { method: "POST" });
    } catch (error) {
      showToast(describeError(error), "error");
    }
  }

  /** Asks about the search that runs; the next one ends this. */
  private ask<T>(address: string): Promise<T> {
    return requestJson<T>(address, { signal: this.asking.signal });
  }

  private free(): void {
    if (this.sid) void this.remove(this.sid);
    this.sid = null;
    this.status = null;
  }

  private async remove(sid: string): Promise<void> {
    await fetch(`/api/searches/${sid}`, { method: "DELETE", keepalive: true, headers: { "x-csrf-token": findCsrfToken() } }).catch(() => undefined);
  }

  private setRunning(running: boolean): void {
    this.stop.hidden = !running;
    this.bar.hidden = !running;
    this.run.textContent = running ? "Run again" : "Run";
    this.results.setAttribute("aria-busy", String(running));
  }

  private tell(): void {
    const status = this.status;
    if (!status) return;
    const seconds = status.seconds < 10 ? status.seconds.toFixed(2) : status.seconds.toFixed(0);
    const rows = `${formatCount(status.rows)} ${status.by_event ? "event" : "row"}${status.rows === 1 ? "" : "s"}${status.cut ? ", cut off there" : ""}`;
    const words = {
      queued: "Waiting for its turn",
      running: `Searching: ${rows} so far`,
      done: this.stopped ? `Stopped: ${rows} in ${seconds} s` : `${rows} in ${seconds} s · ${nameRange(this.picker.read(), this.props.zone)}`,
      failed: "The search failed",
      cancelled: `Stopped: ${rows} in ${seconds} s`,
    }[status.state];
    this.told.textContent = words;
    if (status.state === "running" && status.progress > 0) this.bar.value = status.progress;
    const warnings = status.messages.filter((m) => m.severity !== "error");
    if (warnings.length && status.state !== "running") {
      this.told.append(" ", h("span", { class: "badge medium", title: warnings.map((m) => m.text).join("\n") }, `${warnings.length} warning${warnings.length > 1 ? "s" : ""}`));
    }
  }

  // --- showing ---------------------------------------------------------------------------------

  private chooseView(): void {
    const status = this.status;
    if (!status) return;
    const last = listCommands(this.text).at(-1) ?? "";
    const natural: View = hasEvents(status) ? "events" : ["timechart", "chart"].includes(last) ? "chart" : "table";
    this.view = this.chosenView && (this.chosenView !== "events" || hasEvents(status)) ? this.chosenView : natural;
    if (status.by_event && this.view === "chart") this.view = "events";
    this.kind = null;
  }

  private async show(mine = this.turn): Promise<void> {
    const status = this.status;
    if (!status) return;
    this.body.classList.remove("stale");
    if (status.state === "failed") {
      this.showFailure(status.messages);
      return;
    }
    this.results.hidden = false;
    this.showTabs(status);
    this.showTools(status);
    if (!status.rows) {
      this.side.hidden = true;
      this.pager.hidden = true;
      if (status.state === "queued" || status.state === "running") return;
      this.body.replaceChildren(
        h("div", { class: "empty" }, h("h3", {}, status.state === "cancelled" || this.stopped ? "Stopped before anything was found" : "Nothing found"),
          h("p", {}, `No ${status.by_event ? "event" : "row"} in ${nameRange(this.picker.read(), this.props.zone).toLowerCase()}. `, "Look at a longer time, or take a condition out."),
          this.picker.read().earliest ? h("button", { type: "button", class: "button", onclick: () => { this.picker.write({ earliest: "", latest: "" }); void this.start(); } }, "Search all time") : null),
      );
      return;
    }
    try {
      if (this.view === "chart") await this.showChart(status, mine);
      else await this.showPage(status, mine);
    } catch (error) {
      if (mine === this.turn) this.body.replaceChildren(h("div", { class: "empty" }, h("h3", {}, "The rows could not be fetched"), h("p", {}, describeError(error))));
    }
  }

  private async showPage(status: Status, mine: number): Promise<void> {
    const size = this.view === "events" ? EVENT_PAGE : PAGE;
    let page: Page;
    if (this.sorted) page = { fields: this.sorted.fields, rows: this.sorted.rows.slice(this.offset, this.offset + size) };
    else page = await this.ask<Page>(`/api/searches/${status.sid}/rows?offset=${this.offset}&count=${size}`);
    if (mine !== this.turn) return;
    this.shownFields = status.fields.length;
    const add = (field: string, value: string, not: boolean): void => this.add(field, value, not);
    this.body.replaceChildren(
      this.view === "events" ? showEvents(page, this.props.zone, this.unfolded, add) : showTable(page, this.props.zone, this.sorting, (field) => void this.sort(field), add),
    );
    this.showPager(status.rows, size);
  }

  private async showChart(status: Status, mine: number): Promise<void> {
    const page = await this.ask<Page>(`/api/searches/${status.sid}/rows?offset=0&count=${CHART_ROWS}`);
    if (mine !== this.turn) return;
    this.pager.hidden = true;
    const data = readChart(page.fields, page.rows);
    if (!data) {
      this.body.replaceChildren(h("div", { class: "empty" }, h("h3", {}, "No number to draw"), h("p", {}, "End the search in timechart, top, or stats count by a field.")));
      return;
    }
    const kinds: ChartKind[] = data.overTime ? ["column", "line", "area"] : ["bar", "column"];
    this.kind = this.kind && kinds.includes(this.kind) ? this.kind : (kinds[0] ?? "line");
    const select = h("select", { "aria-label": "Kind of chart", onchange: () => { this.kind = select.value as ChartKind; void this.show(); } }, kinds.map((k) => h("option", { value: k, selected: k === this.kind }, { column: "Columns", line: "Lines", area: "Areas", bar: "Bars" }[k])));
    const width = Math.max(260, this.body.clientWidth - 32);
    this.body.replaceChildren(h("div", { class: "chart-head" }, select), drawChart(data, this.kind, this.props.zone, width));
  }

  private redraw(): void {
    if (this.view === "chart" && this.status?.rows) void this.show();
    if (this.timelineData) this.drawTimeline(this.timelineData);
  }

  private showTabs(status: Status): void {
    const views: [View, string][] = [];
    if (hasEvents(status)) views.push(["events", "Events"]);
    views.push(["table", "Table"]);
    if (!status.by_event) views.push(["chart", "Chart"]);
    this.tabs.replaceChildren(
      ...views.map(([view, name]) =>
        h("button", { type: "button", role: "tab", "aria-selected": String(view === this.view), "aria-controls": "result-body", tabindex: view === this.view ? "0" : "-1", onclick: () => this.turnTo(view), onkeydown: (event: KeyboardEvent) => {
          if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
          const at = views.findIndex(([v]) => v === this.view);
          const next = views[(at + (event.key === "ArrowRight" ? 1 : views.length - 1)) % views.length];
          if (next) { this.turnTo(next[0]); this.tabs.querySelector<HTMLElement>("[aria-selected=true]")?.focus(); }
        } }, name),
      ),
    );
  }

  private turnTo(view: View): void {
    this.view = this.chosenView = view;
    this.offset = 0;
    this.unfolded.clear();
    this.side.hidden = view === "chart" || !this.side.firstChild;
    void this.show();
  }

  private showTools(status: Status): void {
    const link = (format: string, name: string): HTMLElement =>
      h("a", { class: "button small", href: `/api/searches/${status.sid}/export?format=${format}`, download: `search.${format}` }, name);
    const copy = h("button", { type: "button", class: "button small", onclick: () => void copyLink() }, "Copy link");
    const ready = status.state === "done" || status.state === "cancelled";
    this.tools.replaceChildren(...(ready && status.rows ? [link("csv", "CSV"), link("json", "JSON")] : []), copy);
  }

  private showPager(rows: number, size: number): void {
    const pages = Math.max(1, Math.ceil(rows / size));
    const now = Math.floor(this.offset / size) + 1;
    this.pager.hidden = rows === 0;
    const go = (page: number): void => {
      this.offset = (Math.min(pages, Math.max(1, page)) - 1) * size;
      this.unfolded.clear();
      void this.show().then(() => this.body.scrollIntoView({ block: "nearest" }));
    };
    const input = h("input", { type: "number", min: 1, max: pages, value: now, "aria-label": "Page", class: "page-input", onchange: () => go(Number(input.value) || 1) });
    const last = Math.min(rows, this.offset + size);
    this.pager.replaceChildren(
      h("span", { class: "dim small" }, `${formatCount(this.offset + 1)}–${formatCount(last)} of ${formatCount(rows)}`),
      h("span", { class: "push row" },
        h("button", { type: "button", class: "button small", disabled: now === 1, onclick: () => go(now - 1) }, "Previous"),
        h("span", { class: "small nowrap row" }, "Page", input, `of ${formatCount(pages)}`),
        h("button", { type: "button", class: "button small", disabled: now === pages, onclick: () => go(now + 1) }, "Next"),
      ),
    );
  }

  private async sort(field: string): Promise<void> {
    const status = this.status;
    if (!status) return;
    const down = this.sorting?.field === field ? !this.sorting.down : typeof (await this.peek(field)) === "number";
    if (status.rows > SORT_HERE) {
      const name = /^\w+$/.test(field) ? field : `"${field}"`;
      this.editor.write(`${this.text} | sort 0 ${down ? "-" : "+"} ${name}`);
      showToast(`Too many rows to sort here: the search sorts them.`, "info");
      this.chosenView = "table";
      await this.start();
      return;
    }
    this.sorted ??= await this.ask<Page>(`/api/searches/${status.sid}/rows?offset=0&count=${SORT_HERE}`);
    this.sorting = { field, down };
    const at = this.sorted.fields.indexOf(field);
    const sign = down ? -1 : 1;
    this.sorted.rows.sort((a, b) => sign * compare(a[at] ?? null, b[at] ?? null));
    this.offset = 0;
    await this.show();
  }

  private async peek(field: string): Promise<Cell> {
    const page = await this.ask<Page>(`/api/searches/${this.status?.sid}/rows?offset=0&count=1`);
    return page.rows[0]?.[page.fields.indexOf(field)] ?? null;
  }

  private add(field: string, value: string, not: boolean): void {
    const events = this.status?.by_event ?? false;
    this.editor.write(addCondition(this.text, field, value, { not, events }));
    void this.start();
  }

  private timelineData: Timeline | null = null;

  private async loadTimeline(sid: string, mine: number): Promise<void> {
    if (!this.status?.rows || this.status.state === "failed") {
      this.timeline.hidden = true;
      return;
    }
    for (let complete = false; !complete && mine === this.turn; ) {
      let data: Timeline;
      try {
        data = await this.ask<Timeline>(`/api/searches/${sid}/timeline`);
      } catch {
        data = { span: 1, buckets: [], complete: true }; // rows that are no events have no times
      }
      if (mine !== this.turn) return;
      complete = data.complete;
      if (data.buckets.length) this.drawTimeline((this.timelineData = data));
      else this.timeline.hidden = true;
    }
  }

  private drawTimeline(data: Timeline): void {
    this.timeline.hidden = false;
    const width = Math.max(260, this.timeline.clientWidth - 32);
    this.timeline.replaceChildren(
      drawTimeline(data, this.props.zone, width, (earliest, latest) => {
        this.picker.write({ earliest: String(earliest), latest: String(latest) });
        void this.start();
      }),
    );
  }

  private async loadFields(sid: string, mine: number): Promise<void> {
    if (!this.status?.rows || this.status.state === "failed") return;
    try {
      const fields = await this.ask<FieldStatistics[]>(`/api/searches/${sid}/fields`);
      if (mine !== this.turn) return;
      this.side.replaceChildren(showFields(fields, Math.min(this.status.rows, 100_000), (f, v, n) => this.add(f, v, n)));
      this.side.hidden = this.view === "chart";
    } catch {
      if (mine === this.turn) this.side.hidden = true;
    }
  }

  private showProblems(messages: Message[]): void {
    this.problems.replaceChildren(
      ...messages.slice(0, 3).map((m) =>
        h("li", { class: `problem ${m.severity}` },
          h("button", { type: "button", class: "problem-place", onclick: () => this.editor.goTo(m) }, m.line !== null ? `${m.line}:${m.column}` : "–"),
          h("span", {}, m.text, m.help ? h("span", { class: "dim" }, ` · ${m.help}`) : null),
          h("span", { class: "dim small mono" }, m.code),
        ),
      ),
    );
  }

  private showFailure(messages: Message[]): void {
    const first = messages.find((m) => m.severity === "error") ?? messages[0];
    this.side.hidden = true;
    this.pager.hidden = true;
    this.tabs.replaceChildren();
    this.tools.replaceChildren();
    this.body.replaceChildren(
      h("div", { class: "failure" }, h("h3", {}, first?.text ?? "The search failed"),
        first?.help ? h("p", {}, first.help) : null,
        h("p", { class: "dim small mono" }, [first?.code ?? "", first?.line ? ` at ${first.line}:${first.column}` : ""].join("")),
        first?.line ? h("button", { type: "button", class: "button small", onclick: () => this.editor.goTo(first) }, "Show the place") : null),
    );
  }

  private fail(error: unknown): void {
    this.setRunning(false);
    this.body.classList.remove("stale");
    this.told.textContent = "The search could not be started";
    this.body.replaceChildren(h("div", { class: "failure" }, h("h3", {}, "The search could not be started"), h("p", {}, describeError(error))));
  }

  // --- what is kept ----------------------------------------------------------------------------

  private showIntro(): void {
    const list = h("ul", { class: "examples" });
    for (const [search, about] of EXAMPLES) {
      const code = h("code", { class: "spl-shown" });
      showSearch(code, search);
      list.append(h("li", {}, h("button", { type: "button", class: "example", onclick: () => { this.editor.write(search); void this.start(); } }, h("span", {}, about), code)));
    }
    this.intro.replaceChildren(
      h("div", { class: "grid-2" },
        h("div", {}, h("h2", {}, "Begin with one of these"), list),
        h("div", {}, h("h2", {}, "Keys"), h("dl", { class: "facts" },
          h("dt", {}, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter")), h("dd", {}, "run"),
          h("dt", {}, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Space")), h("dd", {}, "what may come next"),
          h("dt", {}, h("kbd", {}, "Tab")), h("dd", {}, "take what is proposed"),
          h("dt", {}, h("kbd", {}, "Esc")), h("dd", {}, "stop a search"),
        ), h("p", { class: "dim small" }, "Drag over the histogram to narrow the time. A click on a value adds it to the search."))),
    );
  }

  private openDialog(title: string, ...children: HTMLElement[]): void {
    const close = h("button", { type: "button", class: "icon-button", "aria-label": "Close", "data-closes": true }, "×");
    this.dialog.replaceChildren(h("div", { class: "dialog-head" }, h("h2", { id: "search-dialog-title" }, title), close), ...children);
    this.dialog.showModal();
  }

  private openSave(): void {
    const search = this.editor.read().trim();
    if (!search) {
      showToast("Write a search first.", "info");
      return;
    }
    const name = h("input", { id: "save-name", required: true, maxlength: 400, autocomplete: "off" });
    const about = h("input", { id: "save-about", maxlength: 1000, autocomplete: "off" });
    const shared = h("input", { type: "checkbox", id: "save-shared" });
    const problem = h("p", { class: "error", role: "alert" });
    const form = h("form", { onsubmit: (event: Event) => { event.preventDefault(); void save(); } },
      h("div", { class: "dialog-body stack-small" },
        h("div", { class: "field" }, h("label", { for: "save-name" }, "Name"), name),
        h("div", { class: "field" }, h("label", { for: "save-about" }, "What it is for (optional)"), about),
        this.props.mayShare ? h("label", { class: "row", for: "save-shared" }, shared, "Share it with everybody") : null,
        problem),
      h("div", { class: "dialog-foot" }, h("button", { type: "button", class: "button", "data-closes": true }, "Cancel"), h("button", { class: "button primary" }, "Save")));
    const save = async (): Promise<void> => {
      try {
        await requestJson("/api/saved-searches", { method: "POST", body: { name: name.value.trim(), search, ...this.picker.read(), description: about.value.trim(), shared: shared.checked } });
        this.dialog.close();
        showToast(`Saved as “${name.value.trim()}”.`, "done");
      } catch (error) {
        problem.textContent = describeError(error);
      }
    };
    this.openDialog("Save the search", form);
    name.focus();
  }

  private async openSaved(): Promise<void> {
    const body = h("div", { class: "dialog-body" }, h("div", { class: "loading" }, "Loading"));
    this.openDialog("Saved searches", body);
    try {
      const saved = await requestJson<SavedSearch[]>("/api/saved-searches");
      body.replaceChildren(saved.length ? h("ul", { class: "saved-list" }, saved.map((one) => this.showSaved(one))) : h("div", { class: "empty" }, h("h3", {}, "None yet"), h("p", {}, "Write a search and press Save: it is kept here under its name.")));
    } catch (error) {
      body.replaceChildren(h("p", { class: "error" }, describeError(error)));
    }
  }

  private showSaved(saved: SavedSearch): HTMLElement {
    const code = h("code", { class: "spl-shown" });
    showSearch(code, saved.search);
    const item = h("li", {},
      h("div", { class: "row" },
        h("button", { type: "button", class: "saved-name", onclick: () => {
          this.dialog.close();
          this.editor.write(saved.search);
          this.picker.write({ earliest: saved.earliest, latest: saved.latest });
          void this.start();
        } }, saved.name),
        saved.shared ? h("span", { class: "badge accent" }, "shared") : null,
        h("span", { class: "dim small" }, nameRange({ earliest: saved.earliest, latest: saved.latest }, this.props.zone)),
        saved.mine ? h("button", { type: "button", class: "button small plain push", "aria-label": `Delete ${saved.name}`, onclick: () => void remove() }, "Delete") : null),
      saved.description ? h("p", { class: "small" }, saved.description) : null,
      code);
    const remove = async (): Promise<void> => {
      if (!confirm(`Delete “${saved.name}”?`)) return;
      try {
        await requestJson(`/api/saved-searches/${encodeURIComponent(saved.name)}`, { method: "DELETE" });
        item.remove();
      } catch (error) {
        showToast(describeError(error), "error");
      }
    };
    return item;
  }

  private follow(): void {
    const asked = readAddress();
    this.editor.write(asked.search);
    this.picker.write(asked.range);
    if (asked.search.trim()) void this.start({ remember: false });
  }
}

/** Whether the rows can be shown as events: they are those of logs, whatever has been done to them. */
function hasEvents(status: Status): boolean {
  return status.by_event || status.fields.includes("_raw");
}

function compare(a: Cell, b: Cell): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const [x, y] = [Array.isArray(a) ? a.join() : a, Array.isArray(b) ? b.join() : b];
  const [nx, ny] = [Number(x), Number(y)];
  if (x !== "" && y !== "" && !Number.isNaN(nx) && !Number.isNaN(ny)) return nx - ny;
  return String(x).localeCompare(String(y));
}

function describeError(error: unknown): string {
  return error instanceof RequestError ? error.message : "The server cannot be reached.";
}

function readAddress(): { search: string; range: TimeRange } {
  const given = new URLSearchParams(location.search);
  const earliest = given.get("earliest") ?? (given.has("q") ? "" : "-24h");
  return { search: given.get("q") ?? "", range: { earliest, latest: given.get("latest") ?? "" } };
}

function writeAddress(search: string, range: TimeRange): void {
  const given = new URLSearchParams({ q: search });
  if (range.earliest) given.set("earliest", range.earliest);
  if (range.latest) given.set("latest", range.latest);
  const next = `/search?${given}`;
  if (`${location.pathname}${location.search}` !== next) history.pushState(null, "", next);
}

async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    showToast("The link is copied.", "done");
  } catch {
    showToast("The browser does not let pages copy: take the address of this page.", "info");
  }
}
