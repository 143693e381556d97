/** How the service fares, as far as this release of it tells. */
import { call, ServiceError } from "./client";
import { offers } from "./contract";

export interface Ready {
  ready: boolean;
  database: string;
  broker: string;
  workers: string;
}

export interface Worker {
  id: string;
  queues: string[];
  heard_at: string;
  info: { sandbox?: { mode?: string | null; reason?: string | null } | null; tools?: Record<string, string | null> | null; slots?: number | null };
}

export interface Version {
  version: string;
  python: string;
  schema_revision: string;
  packages: Record<string, string>;
  workers: Worker[];
}

/** What `GET /v1/health` tells beyond readiness and versions. */
export interface Load {
  queue: { jobs: Record<string, number>; trials_waiting: number; trials_running: number; messages_waiting: number; slots: number };
  cache: { trials: number; stored_answers: number; hit_rate: number | null; stages: Record<string, { ran: number; hits: number }> };
  reasons: { state: string; reason: string; count: number }[];
}

export interface Health {
  ready: Ready;
  version: Version;
  /** Null where the service does not answer it. */
  load: Load | null;
}

/** Readiness is an answer even when it is a refusal: the parts say what is wrong. */
async function readReady(signal: AbortSignal): Promise<Ready> {
  const answer = await fetch("/readyz", { signal, cache: "no-store" });
  const document = (await answer.json()) as Partial<Ready> & { detail?: string };
  if (document.database === undefined || document.broker === undefined || document.workers === undefined) {
    throw new ServiceError(answer.status, "The service does not say how it is", document.detail ?? "");
  }
  return { ready: answer.ok, database: document.database, broker: document.broker, workers: document.workers };
}

export async function readHealth(signal: AbortSignal): Promise<Health> {
  const path = "/v1/health";
  const [ready, version, load] = await Promise.all([
    readReady(signal),
    call<Version>("/version", { signal }),
    offers(path).then((there) => (there ? call<Load>(path, { signal }) : null)),
  ]);
  return { ready, version, load };
}
