// Loaded by every page: htmx, the islands, and the few things that each page has (theme, menu,
// toasts, dialogs, keyboard).
import "htmx.org";
import { mountIslands } from "./mount";
import { startKeyboard } from "./keyboard";
import { startRequests } from "./requests";
import { startTheme } from "./theme";
import { startDialogs, startMenu } from "./dialogs";

startTheme();
startRequests();
startDialogs();
startMenu();
startKeyboard();
mountIslands(document);
document.addEventListener("htmx:after:process", (event) => {
  if (event.target instanceof Element) mountIslands(event.target);
});
