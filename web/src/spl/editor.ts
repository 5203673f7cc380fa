// An editor of searches: colours, completion, what is wrong under the text while somebody types.
//
// It stands in a shadow root: there CodeMirror's styles are adopted sheets, which the content
// security policy lets be; a <style> element it would not.
import { autocompletion, acceptCompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { EditorView, drawSelection, keymap, placeholder } from "@codemirror/view";
import { requestJson } from "../requests";
import { colours, loadWords, makeLanguage } from "./language";

export interface Message {
  severity: string;
  code: string;
  text: string;
  help: string | null;
  line: number | null;
  column: number | null;
  end_line: number | null;
  end_column: number | null;
}

export interface Editor {
  read(): string;
  write(text: string): void;
  focus(): void;
  /** Puts the cursor where a message points. */
  goTo(message: Message): void;
}

const CHECK_MS = 300;

const theme = EditorView.theme({
  "&": { fontSize: "0.875rem", backgroundColor: "transparent", color: "var(--text)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", maxHeight: "40vh" },
  ".cm-content": { padding: "0.6rem 0.2rem", minHeight: "3.4rem", caretColor: "var(--text)" },
  ".cm-placeholder": { color: "var(--dim)" },
  ".cm-cursor": { borderLeftColor: "var(--text)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "5px", boxShadow: "var(--shadow-high)", maxWidth: "min(42rem, 92vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "18rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.2rem 0.6rem", display: "flex", gap: "0.8rem", alignItems: "baseline" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--text)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700", color: "var(--accent)" },
  ".cm-completionDetail": { fontStyle: "normal", fontFamily: "var(--sans)", color: "var(--dim)", marginLeft: "auto", fontSize: "0.75rem", overflow: "hidden", textOverflow: "ellipsis", maxWidth: "26rem" },
  ".cm-completionIcon": { display: "none" },
  ".cm-diagnostic": { borderLeftWidth: "4px", padding: "0.4rem 0.7rem" },
  ".spl-command": { color: "var(--accent)", fontWeight: "600" },
  ".spl-function": { color: "var(--low)" },
  ".spl-macro": { color: "var(--critical)" },
  ".spl-string": { color: "var(--good)" },
  ".spl-field": { color: "var(--text)", fontWeight: "600" },
  ".spl-number": { color: "var(--medium)" },
  ".spl-word": { color: "var(--low)", fontWeight: "600" },
  ".spl-pipe": { color: "var(--accent)", fontWeight: "700" },
  ".spl-operator, .spl-bracket": { color: "var(--dim)" },
  ".spl-comment": { color: "var(--dim)", fontStyle: "italic" },
});

export function makeEditor(
  place: HTMLElement,
  options: {
    text: string;
    label: string;
    hint: string;
    run: () => void;
    stop: () => void;
    checked: (messages: Message[]) => void;
  },
): Editor {
  const root = place.attachShadow({ mode: "open" });
  const language = new Compartment();
  let timer = 0;
  let turn = 0;

  async function check(): Promise<void> {
    const mine = ++turn;
    const text = view.state.doc.toString();
    let messages: Message[] = [];
    if (text.trim()) {
      try {
        messages = await requestJson<Message[]>("/api/searches/check", { method: "POST", body: { search: text } });
      } catch {
        return;
      }
    }
    if (mine !== turn) return;
    const shown = messages.map((m) => findPlace(view.state, m)).filter((d) => d !== null);
    view.dispatch(setDiagnostics(view.state, shown));
    options.checked(messages);
  }

  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        Prec.highest(
          keymap.of([
            { key: "Mod-Enter", run: (target) => (closeCompletion(target), options.run(), true) },
            { key: "Shift-Enter", run: insertNewlineAndIndent },
            { key: "Tab", run: acceptCompletion },
          ]),
        ),
        history(),
        drawSelection(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ override: [complete], icons: false, maxRenderedOptions: 60 }),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        keymap.of([{ key: "Escape", run: () => (options.stop(), false) }]),
        EditorView.domEventHandlers({ beforeinput: replaceSelected }),
        language.of(makeLanguage(null)),
        colours,
        theme,
        placeholder(options.hint),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": options.label, autocapitalize: "off", spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          clearTimeout(timer);
          timer = window.setTimeout(() => void check(), CHECK_MS);
        }),
      ],
    }),
  });
  // Keys of the page ("j", "/") are not meant here; outside, the target seems to be this place.
  place.addEventListener("keydown", (event) => event.stopPropagation());
  void loadWords().then((words) => view.dispatch({ effects: language.reconfigure(makeLanguage(words)) }), () => undefined);
  if (options.text) void check();
  return {
    read: () => view.state.doc.toString(),
    write: (text) => {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: text.length } });
    },
    focus: () => view.focus(),
    goTo: (message) => {
      const found = findPlace(view.state, message);
      if (found) view.dispatch({ selection: { anchor: found.from, head: found.to }, scrollIntoView: true });
      view.focus();
    },
  };
}

/** Text that is written over other text. Chromium would keep the colour of what it replaces, in an
    inline style, which the content security policy refuses. */
function replaceSelected(event: InputEvent, view: EditorView): boolean {
  if (event.inputType !== "insertText" || event.data === null || view.state.selection.main.empty) return false;
  event.preventDefault();
  view.dispatch({ ...view.state.replaceSelection(event.data), userEvent: "input.type" });
  return true;
}

/** A message where it belongs in the text; null for one about the whole. */
function findPlace(state: EditorState, message: Message): Diagnostic | null {
  if (message.line === null || message.column === null || message.line > state.doc.lines) return null;
  const line = state.doc.line(message.line);
  const from = Math.min(line.from + message.column - 1, state.doc.length);
  let to = from + 1;
  if (message.end_line !== null && message.end_column !== null && message.end_line <= state.doc.lines) {
    to = state.doc.line(message.end_line).from + message.end_column - 1;
  }
  to = Math.min(Math.max(to, from), state.doc.length);
  const severity = message.severity === "error" ? "error" : message.severity === "warning" ? "warning" : "info";
  const help = message.help ? ` — ${message.help}` : "";
  return { from: from === to ? Math.max(0, from - 1) : from, to, severity, message: `${message.text}${help}` };
}

interface Item {
  text: string;
  start: number;
  kind: string;
  about: string;
}

async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const before = context.state.doc.sliceString(0, context.pos);
  if (!context.explicit && !/[\w`.=:"]$/.test(before)) return null;
  const length = [...before].length; // the server counts characters, the editor UTF-16
  let answer: { items: Item[] };
  try {
    answer = await requestJson("/api/language/complete", {
      method: "POST",
      body: { search: before, cursor: length },
    });
  } catch {
    return null;
  }
  const first = answer.items[0];
  if (!first || context.aborted) return null;
  return {
    from: context.pos - (length - first.start),
    filter: false,
    options: answer.items
      .filter((item) => item.start === first.start)
      .map((item, index) => ({
        label: item.text,
        detail: item.about === item.kind ? item.kind : `${item.about}`,
        boost: -index,
        apply: item.text,
      })),
  };
}
