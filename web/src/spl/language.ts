// SPL for CodeMirror: the kinds of its words, and how they are coloured. Which words are commands and
// functions comes from the server (/api/language), whose parser has the same tables.
import { StreamLanguage, HighlightStyle, syntaxHighlighting, type StreamParser } from "@codemirror/language";
import { highlightTree, tags } from "@lezer/highlight";
import { requestJson } from "../requests";

export interface LanguageWords {
  commands: { name: string; syntax: string; starts: boolean; options: { name: string; takes: string; help: string }[] }[];
  functions: { name: string; arguments: string; result: string }[];
  statistics: { name: string; arguments: string; result: string }[];
  words: string[];
}

let asked: Promise<LanguageWords> | null = null;

/** The words of the language, asked of the server once a page. */
export function loadWords(): Promise<LanguageWords> {
  asked ??= requestJson<LanguageWords>("/api/language");
  return asked;
}

interface Place {
  starts: boolean;
  comment: boolean;
}

function makeParser(words: LanguageWords | null): StreamParser<Place> {
  const commands = words && new Set(words.commands.map((c) => c.name));
  const functions = words && new Set([...words.functions, ...words.statistics].map((f) => f.name));
  const between = new Set(words?.words ?? ["by", "as", "and", "or", "not", "in", "where", "over", "output", "outputnew"]);
  return {
    name: "spl",
    startState: () => ({ starts: true, comment: false }),
    copyState: (state) => ({ ...state }),
    token(stream, state) {
      if (state.comment) {
        if (stream.skipTo("```")) {
          stream.match("```");
          state.comment = false;
        } else stream.skipToEnd();
        return "comment";
      }
      if (stream.eatSpace()) return null;
      if (stream.match("```")) {
        state.comment = true;
        return "comment";
      }
      if (stream.eat("|")) {
        state.starts = true;
        return "pipe";
      }
      if (stream.eat("[")) {
        state.starts = true;
        return "bracket";
      }
      if (stream.match(/^[\](){},]/)) return "bracket";
      if (stream.eat("`")) {
        stream.match(/^[^`]*`?/);
        state.starts = false;
        return "macro";
      }
      if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) {
        state.starts = false;
        return "string";
      }
      if (stream.match(/^'(?:[^'\\]|\\.)*'?/)) return "field";
      const word = stream.match(/^[A-Za-z_][\w.:{}-]*/) as RegExpMatchArray | null;
      if (word) {
        const name = word[0].toLowerCase();
        if (state.starts) {
          state.starts = false;
          const known = !commands || commands.has(name);
          if (known && !stream.match(/^\s*[=<>!(]/, false)) return "command";
        }
        if (between.has(name)) return "word";
        if (stream.match(/^\s*\(/, false) && (!functions || functions.has(name) || /^(sparkline$|(perc|exactperc|upperperc|p)\d)/.test(name))) return "function";
        if (stream.match(/^\s*[=<>!]/, false)) return "field";
        return null;
      }
      state.starts = false;
      if (stream.match(/^[+-]?\d+(?:\.\d+)?(?:[a-z]+)?(?=$|[\s,)|\]])/)) return "number";
      if (stream.match(/^[=<>!+*/%.-]+/)) return "operator";
      stream.next();
      return null;
    },
    tokenTable: {
      comment: tags.comment,
      pipe: tags.controlOperator,
      bracket: tags.bracket,
      macro: tags.macroName,
      string: tags.string,
      field: tags.propertyName,
      command: tags.keyword,
      function: tags.function(tags.variableName),
      word: tags.operatorKeyword,
      number: tags.number,
      operator: tags.operator,
    },
  };
}

export function makeLanguage(words: LanguageWords | null): StreamLanguage<Place> {
  return StreamLanguage.define(makeParser(words));
}

const CLASSES = HighlightStyle.define([
  { tag: tags.comment, class: "spl-comment" },
  { tag: tags.controlOperator, class: "spl-pipe" },
  { tag: tags.bracket, class: "spl-bracket" },
  { tag: tags.macroName, class: "spl-macro" },
  { tag: tags.string, class: "spl-string" },
  { tag: tags.propertyName, class: "spl-field" },
  { tag: tags.keyword, class: "spl-command" },
  { tag: tags.function(tags.variableName), class: "spl-function" },
  { tag: tags.operatorKeyword, class: "spl-word" },
  { tag: tags.number, class: "spl-number" },
  { tag: tags.operator, class: "spl-operator" },
]);

export const colours = syntaxHighlighting(CLASSES);

/** Fills an element with a search, coloured, that nobody edits. */
export function showSearch(place: Element, text: string, words: LanguageWords | null = null): void {
  const tree = makeLanguage(words).parser.parse(text);
  place.textContent = "";
  let at = 0;
  highlightTree(tree, CLASSES, (from, to, classes) => {
    if (from > at) place.append(text.slice(at, from));
    const piece = document.createElement("span");
    piece.className = classes;
    piece.textContent = text.slice(from, to);
    place.append(piece);
    at = to;
  });
  if (at < text.length) place.append(text.slice(at));
}
