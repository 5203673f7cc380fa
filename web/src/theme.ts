// Light, dark, or as the system has it. The choice is a cookie, so that the server writes it into
// the next page and nothing flashes.

const NAME = "escudo_theme";
const YEAR = 365 * 24 * 3600;

export function startTheme(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-theme-toggle]")) {
    button.addEventListener("click", () => setTheme(isDark() ? "light" : "dark"));
    button.hidden = false;
  }
}

function isDark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  if (chosen === "light" || chosen === "dark") return chosen === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function setTheme(theme: "light" | "dark"): void {
  document.documentElement.dataset["theme"] = theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${NAME}=${theme}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
}
