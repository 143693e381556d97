/** Light, dark, or as the system says; kept in the browser. */
import { signal } from "@preact/signals";
import { dark, KEY, shown, stored, type Theme } from "./first";

export const theme = signal<Theme>(stored());

/** What is shown: charts read their colours again when it changes. */
export const shownTheme = signal<"light" | "dark">(shown(theme.value));

/** Put the theme on the page. */
function applyTheme(): void {
  const next = shown(theme.value);
  document.documentElement.dataset["theme"] = next; // before whoever draws hears of it, since they read the style
  shownTheme.value = next;
}

/** Choose and remember a theme. */
export function chooseTheme(next: Theme): void {
  theme.value = next;
  localStorage.setItem(KEY, next);
  applyTheme();
}

dark.addEventListener("change", applyTheme);
