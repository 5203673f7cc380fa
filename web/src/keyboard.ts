// Keys: "/" goes to the search field of the page, "j" and "k" to the next and the previous row,
// "x" ticks it, "?" shows the keys, "g" and a letter go to a page (data-key of the navigation).

const SECOND_KEY_MS = 1500;

let waits = 0;

export function startKeyboard(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (followKey(event.key)) event.preventDefault();
  });
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return target.type !== "checkbox";
  return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName);
}

function followKey(key: string): boolean {
  if (performance.now() < waits) {
    waits = 0;
    const link = document.querySelector<HTMLAnchorElement>(`nav a[data-key="${CSS.escape(key)}"]`);
    link?.click();
    return link !== null;
  }
  switch (key) {
    case "g":
      waits = performance.now() + SECOND_KEY_MS;
      return true;
    case "/":
      return focusOn(document.querySelector<HTMLElement>("[data-key-search]"));
    case "j":
      return moveRow(1);
    case "k":
      return moveRow(-1);
    case "x":
      return tickRow();
    case "?": {
      const dialog = document.getElementById("keys");
      if (dialog instanceof HTMLDialogElement) dialog.showModal();
      return dialog !== null;
    }
  }
  return false;
}

function focusOn(field: HTMLElement | null): boolean {
  field?.focus();
  if (field instanceof HTMLInputElement) field.select();
  return field !== null;
}

function moveRow(step: number): boolean {
  const links = [...document.querySelectorAll<HTMLElement>("[data-row-link]")];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step];
  return next !== undefined && focusOn(next);
}

function tickRow(): boolean {
  const row = document.activeElement?.closest("tr, li");
  const box = row?.querySelector<HTMLInputElement>("input[type=checkbox]");
  box?.click();
  return box !== undefined && box !== null;
}
