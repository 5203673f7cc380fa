// Buttons that open dialogs (data-opens="ID"), close them (data-closes), forms that ask before they
// are sent (data-confirm="..."), forms that are sent when a field changes (data-submits), boxes that
// tick others (data-ticks="NAME"), and the menu of narrow windows.

export function startDialogs(): void {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const opener = event.target.closest<HTMLElement>("[data-opens]");
    if (opener) openDialog(opener.dataset["opens"] ?? "");
    event.target.closest("[data-closes]")?.closest("dialog")?.close();
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
  document.addEventListener("submit", (event) => {
    const words = (event.target as HTMLElement).dataset["confirm"];
    if (words && !confirm(words)) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) return;
    if (field.dataset["submits"] !== undefined) field.form?.requestSubmit();
    const name = field.dataset["ticks"];
    if (name !== undefined && field instanceof HTMLInputElement) tickAll(name, field.checked);
    tellTicked();
  });
  document.addEventListener("htmx:after:swap", tellTicked);
}

function openDialog(id: string): void {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement) dialog.showModal();
}

function tickAll(name: string, ticked: boolean): void {
  const boxes = `input[type=checkbox][name="${CSS.escape(name)}"]`;
  for (const box of document.querySelectorAll<HTMLInputElement>(boxes)) box.checked = ticked;
}

/** Shows what is for ticked rows (data-for-ticked="NAME") while some are, and how many. */
function tellTicked(): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-for-ticked]")) {
    const name = CSS.escape(place.dataset["forTicked"] ?? "");
    const count = document.querySelectorAll(`input[name="${name}"]:checked`).length;
    place.hidden = count === 0;
    const words = place.querySelector("[data-count]");
    if (words) words.textContent = String(count);
  }
}

/** The menu of narrow windows. */
export function startMenu(): void {
  const button = document.querySelector<HTMLButtonElement>(".menu-button");
  button?.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
  });
}
