/** What stands around every page: navigation, theme, messages, questions, the token when it is asked for. */
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { Button } from "../parts/basics";
import { Dialogs } from "../parts/dialog";
import { Failure } from "../parts/failure";
import { Notices } from "../parts/notices";
import { locked, request, ServiceError, session, unlock } from "../service/client";
import { place } from "./router";
import { routeOf } from "./routes";
import { chooseTheme, shownTheme } from "./theme";

interface Shown {
  address: string;
  name: string;
  page: ComponentType<{ name: string }>;
}

const NAVIGATION = [
  { href: "/", label: "Jobs", within: /^\/($|jobs\/|trials\/)/ },
  { href: "/new", label: "New job", within: /^\/new$/ },
  { href: "/compare", label: "Compare", within: /^\/compare$/ },
  { href: "/models", label: "Models", within: /^\/models$/ },
  { href: "/devices", label: "Devices", within: /^\/devices$/ },
  { href: "/health", label: "Health", within: /^\/health$/ },
] as const;

function Header() {
  const other = shownTheme.value === "dark" ? "light" : "dark";
  return (
    <header class="top">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <a class="brand" href="/">
        <img src="/static/dashboard/favicon.svg" alt="" width={28} height={28} />
        Headrace
      </a>
      <nav aria-label="Pages">
        {NAVIGATION.map(({ href, label, within }) => (
          <a key={href} href={href} aria-current={within.test(place.value.path) ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <Button kind="bare" icon={other === "dark" ? "moon" : "sun"} name={`Show in ${other} colours`} onClick={() => chooseTheme(other)} />
    </header>
  );
}

function Unlock() {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    unlock(String(new FormData(event.currentTarget as HTMLFormElement).get("token")));
  };
  return (
    <form class="unlock card" onSubmit={submit}>
      <h1 tabIndex={-1}>This service wants a token</h1>
      <p>
        It is the value of <code>HEADRACE_TOKEN</code> on the server. It is kept until this tab is closed.
      </p>
      <label class="field">
        <span>Token</span>
        <input name="token" type="password" required autocomplete="current-password" />
      </label>
      <button type="submit" class="button main">
        Go on
      </button>
    </form>
  );
}

/** Why there is no page at an address: what the service says of its own addresses. */
async function wrong(path: string): Promise<Error> {
  if (!path.startsWith("/v1/")) return new ServiceError(404, "There is no such page", `Nothing is at ${path}.`);
  try {
    await request(path, { headers: { Accept: "application/json" } });
    return new ServiceError(0, "This address holds data, not a page", `${path} answers programs.`);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The page for the address; the page before stays until the next one is loaded. */
function Outlet() {
  const shown = useSignal<Shown | null>(null);
  const failed = useSignal<Error | null>(null);
  const [broken, mend] = useErrorBoundary();
  const { path } = place.value;
  useEffect(() => {
    mend();
    failed.value = null;
    const route = routeOf(path);
    if (route === undefined) {
      void wrong(path).then((error) => (failed.value = error));
      return;
    }
    document.title = `${route.title} · Headrace`;
    const name = decodeURIComponent(route.pattern.exec(path)?.[1] ?? "");
    route.load().then(
      ({ default: page }) => {
        if (place.value.path === path) shown.value = { address: path, name, page };
      },
      (error: unknown) => {
        failed.value = error instanceof Error ? error : new Error(String(error));
      },
    );
  }, [path]);
  useEffect(() => {
    // After a step to another page, its heading is where reading goes on.
    if (shown.value !== null) document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
  }, [shown.value?.address]);
  const error = failed.value ?? (broken as Error | undefined) ?? null;
  if (error !== null) return <Failure error={error} />;
  if (shown.value === null) return null;
  const { page: Page, name, address } = shown.value;
  return <Page key={`${address} ${session.value}`} name={name} />;
}

export function Shell() {
  return (
    <>
      <Header />
      <main id="main" tabIndex={-1}>
        {locked.value ? <Unlock /> : <Outlet />}
      </main>
      <Notices />
      <Dialogs />
    </>
  );
}
