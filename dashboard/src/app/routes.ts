/** Addresses to pages. A page is loaded when it is first shown; that of a job is there at once, since it waits for data. */
import type { ComponentType } from "preact";
import * as job from "../pages/job";

export interface Route {
  /** First word of the browser's title, until the page knows better. */
  title: string;
  pattern: RegExp;
  /** The name in the path, when the pattern has a group, is given to the page. */
  load: () => Promise<{ default: ComponentType<{ name: string }> }>;
}

export const ROUTES: readonly Route[] = [
  { title: "Jobs", pattern: /^\/$/, load: () => import("../pages/jobs") },
  { title: "Job", pattern: /^\/jobs\/([^/]+)$/, load: () => Promise.resolve(job) },
  { title: "Trial", pattern: /^\/trials\/([^/]+)$/, load: () => import("../pages/trial") },
  { title: "Compare", pattern: /^\/compare$/, load: () => import("../pages/compare") },
  { title: "New job", pattern: /^\/new$/, load: () => import("../pages/new") },
  { title: "Models", pattern: /^\/models$/, load: () => import("../pages/models") },
  { title: "Devices", pattern: /^\/devices$/, load: () => import("../pages/devices") },
  { title: "Health", pattern: /^\/health$/, load: () => import("../pages/health") },
];

/** The page for a path, if there is one. */
export function routeOf(path: string): Route | undefined {
  return ROUTES.find(({ pattern }) => pattern.test(path));
}
