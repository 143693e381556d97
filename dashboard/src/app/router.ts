/** Where we are, and steps to elsewhere without loading the document again. */
import { signal } from "@preact/signals";

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

/** Turn clicks on links to pages of ours into steps inside the document. */
export function followLinks(isPage: (path: string) => boolean): void {
  addEventListener("popstate", () => {
    place.value = here();
  });
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || event.defaultPrevented || !isPlain(event)) return;
    const ours = link.origin === location.origin && !link.hasAttribute("download") && link.target === "";
    if (!ours || !isPage(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
