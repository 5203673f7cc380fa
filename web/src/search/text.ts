// Changes to the text of a search: a condition more, another order.

/** Where the first pipe is that is in no quotes, brackets or macro; -1 without one. */
export function findPipe(text: string, from = 0): number {
  let quote = "";
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const sign = text.charAt(at);
    if (quote) {
      if (sign === "\\") at++;
      else if (sign === quote) quote = "";
    } else if (sign === '"' || sign === "`") quote = sign;
    else if (sign === "[") depth++;
    else if (sign === "]") depth--;
    else if (sign === "|" && depth === 0) return at;
  }
  return -1;
}

export function quoteValue(value: string): string {
  return `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
}

function quoteField(name: string): string {
  return /^[A-Za-z_][\w.]*$/.test(name) ? name : `'${name.replace(/'/g, "\\'")}'`;
}

/** The search with a condition on a field. Events are asked for it where they are fetched; of other
    rows, after all else. */
export function addCondition(text: string, field: string, value: string, options: { not?: boolean; events: boolean }): string {
  const plain = /^[A-Za-z_][\w.{}-]*$/.test(field);
  const condition = plain
    ? `${options.not ? "NOT " : ""}${field}=${quoteValue(value)}`
    : "";
  const trimmed = text.trim();
  if (options.events && plain && !trimmed.startsWith("|")) {
    const pipe = findPipe(trimmed);
    const head = (pipe < 0 ? trimmed : trimmed.slice(0, pipe)).trim();
    const rest = pipe < 0 ? "" : ` ${trimmed.slice(pipe)}`;
    return `${head} ${condition}${rest}`;
  }
  if (plain) return `${trimmed} | search ${condition}`;
  return `${trimmed} | where ${quoteField(field)}${options.not ? "!=" : "="}${quoteValue(value)}`;
}

/** The names of the commands of a search, in order; what begins it without one is `search`. */
export function listCommands(text: string): string[] {
  const names: string[] = [];
  let from = 0;
  for (;;) {
    const pipe = findPipe(text, from);
    const part = (pipe < 0 ? text.slice(from) : text.slice(from, pipe)).trim();
    if (part) names.push(from === 0 && !text.trim().startsWith("|") ? "search" : (/^\w+/.exec(part)?.[0] ?? "").toLowerCase());
    if (pipe < 0) return names;
    from = pipe + 1;
  }
}
