// A search that is shown, not edited: the text of the place, coloured.
import { loadWords, showSearch } from "../spl/language";

export function mount(place: HTMLElement): void {
  const text = place.textContent ?? "";
  showSearch(place, text);
  void loadWords().then((words) => showSearch(place, text, words), () => undefined);
}
