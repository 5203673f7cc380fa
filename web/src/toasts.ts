// Short words that appear in a corner and go away by themselves; a screen reader reads them out.

export type ToastKind = "info" | "done" | "error";

const SHOWN_MS = 6000;

export function showToast(text: string, kind: ToastKind = "info"): void {
  const place = document.getElementById("toasts");
  if (!place) return;
  const toast = document.createElement("div");
  toast.className = `toast toast-${kind}`;
  toast.setAttribute("role", kind === "error" ? "alert" : "status");
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-close";
  close.setAttribute("aria-label", "Close");
  close.textContent = "×";
  close.addEventListener("click", () => toast.remove());
  toast.append(words, close);
  place.append(toast);
  if (kind !== "error") setTimeout(() => toast.remove(), SHOWN_MS);
}
