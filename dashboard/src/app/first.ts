// Runs before the first paint, as a script of its own, so that a chosen theme does not flash in the other one.
export type Theme = "system" | "light" | "dark";

export const KEY = "headrace.theme";
export const dark = matchMedia("(prefers-color-scheme: dark)");

/** The theme that was chosen in this browser. */
export function stored(): Theme {
  const found = localStorage.getItem(KEY);
  return found === "light" || found === "dark" ? found : "system";
}

/** What a theme looks like now. */
export function shown(theme: Theme): "light" | "dark" {
  if (theme !== "system") return theme;
  return dark.matches ? "dark" : "light";
}

document.documentElement.dataset["theme"] = shown(stored());
