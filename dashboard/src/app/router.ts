/** Addresses to pages. A page is loaded when it is first shown. */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";

export interface Route {
  /** First word of the browser's title, until the page knows better. */
  title: string;
  pattern: RegExp;
  /** The name in the path, when the pattern has a group, is given to the page. */
  load: () => Promise<{ default: ComponentType<{ name: string }> }>;
}

export const ROUTES: readonly Route[] = [
  { title: "Jobs", pattern: /^\/$/, load: () => import("../pages/jobs") },
  { title: "Job", pattern: /^\/jobs\/([^/]+)$/, load: () => import("../pages/job") },
  { title: "Trial", pattern: /^\/trials\/([^/]+)$/, load: () => import("../pages/trial") },
  { title: "Compare", pattern: /^\/compare$/, load: () => import("../pages/compare") },
  { title: "New job", pattern: /^\/new$/, load: () => import("../pages/new") },
  { title: "Models", pattern: /^\/models$/, load: () => import("../pages/models") },
  { title: "Devices", pattern: /^\/devices$/, load: () => import("../pages/devices") },
  { title: "Health", pattern: /^\/health$/, load: () => import("../pages/health") },
];

export interface Place {
  path: string;
  query: URLSearchParams;
}

const here = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const place = signal<Place>(here());

/** Show another page, as a link does. */
export function go(address: string): void {
  history.pushState(null, "", address);
  place.value = here();
  scrollTo(0, 0);
}

/** Change the query of this page without a step in the history: settings of a view live there. An empty value leaves. */
export function keep(changes: Record<string, string>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text === "" ? "" : `?${text}`));
  place.value = here();
}

function isPlain(event: MouseEvent): boolean {
  return event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
}

/** Turn clicks on our own links into steps inside the page. */
export function followLinks(): void {
  addEventListener("popstate", () => {
    place.value = here();
  });
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || event.defaultPrevented || !isPlain(event)) return;
    const ours = link.origin === location.origin && !link.hasAttribute("download") && link.target === "";
    if (!ours || !ROUTES.some((route) => route.pattern.test(link.pathname))) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
