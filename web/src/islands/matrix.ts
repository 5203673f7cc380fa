// The matrix of techniques: a box that hides those without detections. The choice stays in the browser.
const NAME = "escudo-matrix-all";

export function mount(place: HTMLElement): void {
  const box = place.querySelector<HTMLInputElement>("input");
  const matrix = document.querySelector(".matrix");
  if (!box || !matrix) return;
  box.checked = localStorage.getItem(NAME) !== "";
  const show = (): void => {
    matrix.classList.toggle("only-covered", !box.checked);
    localStorage.setItem(NAME, box.checked ? "1" : "");
  };
  box.addEventListener("change", show);
  show();
}
