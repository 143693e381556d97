/** Light, dark, or as the system says; kept in the browser. */
import { signal } from "@preact/signals";
import { dark, KEY, shown, stored, type Theme } from "./first";

export const theme = signal<Theme>(stored());

/** What is shown: charts read their colours again when it changes. */
export const shownTheme = signal<"light" | "dark">(shown(theme.value));

/** Put the theme on the page. */
function applyTheme(): void {
  shownTheme.value = shown(theme.value);
  document.documentElement.dataset["theme"] = shownTheme.value;
}

/** Choose and remember a theme. */
export function chooseTheme(next: Theme): void {
  theme.value = next;
  localStorage.setItem(KEY, next);
  applyTheme();
}

dark.addEventListener("change", applyTheme);
