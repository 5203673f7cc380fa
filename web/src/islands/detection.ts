// A detection's page: turning it on and off, its schedule, and its tests, which run on the server.
import { h } from "../dom";
import { requestJson, RequestError } from "../requests";
import { showToast } from "../toasts";

interface Props {
  id: string;
  name: string;
}

interface TestRow {
  name: string;
  negative: boolean;
  outcome: string | null;
  rows: number | null;
  seconds: number | null;
  reason: string;
  problems: string[];
}

interface Run {
  run: string;
  state: string;
  error: string;
  done: number;
  total: number;
  tests: TestRow[];
}

const LOOK_MS = 400;
const BADGES: Record<string, string> = { passed: "good", failed: "critical", missing: "informational", unreadable: "medium", manual: "informational", experimental: "informational" };
const WORDS: Record<string, string> = { missing: "no data here", unreadable: "data not understood", manual: "by hand only", experimental: "experimental" };

export function mount(_place: HTMLElement, given: unknown): void {
  const { id, name } = given as Props;
  const address = `/api/detections/${encodeURIComponent(id)}`;

  async function change(body: unknown, told: string): Promise<void> {
    try {
      await requestJson(address, { method: "PATCH", body });
      sessionStorage.setItem("escudo-told", told);
      location.reload();
    } catch (error) {
      showToast(error instanceof RequestError ? error.message : "The server cannot be reached.", "error");
    }
  }

  const told = sessionStorage.getItem("escudo-told");
  if (told) {
    sessionStorage.removeItem("escudo-told");
    showToast(told, "done");
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-switch]")) {
    button.addEventListener("click", () => {
      const on = button.dataset["switch"] === "on";
      void change({ enabled: on }, `“${name}” is ${on ? "on" : "off"}.`);
    });
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-switch], [data-reset], #run-tests, #change-schedule")) {
    button.disabled = false; // before this script runs they would do nothing
  }
  document.querySelector("[data-reset]")?.addEventListener("click", () => void change({ reset: true }, "As the content has it again."));
  const form = document.querySelector<HTMLFormElement>("#schedule-form");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = new FormData(form);
    void change({ schedule: { cron: values.get("cron"), earliest: values.get("earliest"), latest: values.get("latest") } }, "The schedule is changed.");
  });

  const start = document.querySelector<HTMLButtonElement>("#run-tests");
  const list = document.querySelector<HTMLElement>("#tests");
  if (!start || !list) return;
  const stop = h("button", { type: "button", class: "button small", hidden: true }, "Stop");
  const words = h("span", { class: "dim small", role: "status" });
  start.before(words);
  start.after(stop);
  start.addEventListener("click", () => void run());

  async function run(): Promise<void> {
    if (!start || !list) return;
    start.disabled = true;
    stop.hidden = false;
    try {
      let now = await requestJson<Run>(`${address}/tests`, { method: "POST" });
      stop.onclick = () => void requestJson(`/api/test-runs/${now.run}`, { method: "DELETE" });
      while (now.state === "running") {
        show(now);
        await new Promise((done) => setTimeout(done, LOOK_MS));
        now = await requestJson<Run>(`/api/test-runs/${now.run}`);
      }
      show(now);
    } catch (error) {
      words.textContent = error instanceof RequestError ? error.message : "The server cannot be reached.";
    } finally {
      start.disabled = false;
      stop.hidden = true;
    }
  }

  function show(now: Run): void {
    const count = (outcome: string): number => now.tests.filter((t) => t.outcome === outcome).length;
    const sum = `${count("passed")} passed, ${count("failed")} failed, ${now.done - count("passed") - count("failed")} not run`;
    words.textContent =
      now.state === "running" ? `${now.done} of ${now.total} done` : now.state === "done" ? sum : now.state === "stopped" ? `Stopped: ${sum}` : `It failed: ${now.error}`;
    list?.replaceChildren(
      ...now.tests.map((test) =>
        h("li", {},
          test.outcome === null
            ? h("span", { class: "badge" }, now.state === "running" ? "waits" : "not run")
            : h("span", { class: `badge ${BADGES[test.outcome] ?? ""}`, "data-outcome": test.outcome }, WORDS[test.outcome] ?? test.outcome),
          h("span", { class: "test-name" }, test.name),
          test.negative ? h("span", { class: "tag" }, "must find nothing") : null,
          test.rows !== null ? h("span", { class: "dim small" }, `${test.rows} row${test.rows === 1 ? "" : "s"} in ${test.seconds ?? 0} s`) : null,
          test.problems.length || test.reason ? h("p", { class: "test-told" }, [...test.problems, test.reason].filter(Boolean).join("\n")) : null,
        ),
      ),
    );
  }
}
