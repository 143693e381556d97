/** Calls of the HTTP API. Every failure is a `ServiceError` with words for people. */
import { signal } from "@preact/signals";

export interface Offence {
  detail?: string | null;
  pointer?: string | null;
  /** Of a model that is refused: the node, its operator, and why. */
  node?: string | null;
  operator?: string | null;
  reason?: string | null;
}

/** An answer other than success; `status` 0: there was no answer. */
export class ServiceError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    detail: string,
    readonly offences: readonly Offence[] = [],
  ) {
    super(detail);
  }
}

const TOKEN = "headrace.token";

/** Whether the service asked for a token that we do not have. */
export const locked = signal(false);

/** Counts how often a token was given: pages start again with it. */
export const session = signal(0);

/** Use a token until the browser's tab is closed. */
export function unlock(token: string): void {
  sessionStorage.setItem(TOKEN, token);
  locked.value = false;
  session.value += 1;
}

/** Headers that every request carries. */
export function credentials(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN);
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

export interface Call {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Send a request; an answer other than success is thrown. */
export async function request(path: string, { method = "GET", body, headers = {}, signal }: Call = {}): Promise<Response> {
  const form = body instanceof FormData;
  const kind: Record<string, string> = body === undefined || form ? {} : { "Content-Type": "application/json" };
  const init: RequestInit = { method, headers: { ...credentials(), ...kind, ...headers } };
  if (body !== undefined) init.body = form ? body : JSON.stringify(body);
  if (signal !== undefined) init.signal = signal;
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ServiceError(0, "The service does not answer", "Is it running? This page tries again by itself.");
  }
  if (answer.status === 401) locked.value = true;
  if (!answer.ok) throw await problem(answer);
  return answer;
}

/** Send a request and read its JSON. */
export async function call<T>(path: string, options: Call = {}): Promise<T> {
  const answer = await request(path, options);
  return (answer.status === 204 ? null : await answer.json()) as T;
}

/** The problem document of an answer (RFC 9457). */
async function problem(answer: Response): Promise<ServiceError> {
  const kind = answer.headers.get("content-type") ?? "";
  if (!kind.includes("json")) return new ServiceError(answer.status, answer.statusText, `HTTP ${answer.status}`);
  const document = (await answer.json()) as { title: string; detail: string; errors?: Offence[] };
  return new ServiceError(answer.status, document.title, document.detail, document.errors ?? []);
}
