/** Models and evaluation data. */
import { call } from "./client";
import type { Page } from "./types";

export interface Tensor {
  name: string;
  shape: number[];
  type?: string | null;
}

/** A model with the report of what its nodes became. */
export interface ModelReport {
  id: string;
  name: string;
  format: string;
  size_bytes: number;
  graph: { parameters: number; macs_per_inference: number; inputs: Tensor[]; outputs: Tensor[]; operators: Record<string, number> };
  software: { node: string; operator: string; reason?: string; output?: string | null }[];
  created_at: string;
}

export interface Dataset {
  id: string;
  name: string;
  samples: number;
  arrays: Record<string, { shape: number[]; dtype: string }>;
  size_bytes: number;
  created_at: string;
}

const EVERYTHING = 500;

export async function readModels(signal?: AbortSignal): Promise<ModelReport[]> {
  return (await call<Page<ModelReport>>(`/v1/models?limit=${EVERYTHING}`, signal === undefined ? {} : { signal })).items;
}

export async function readDatasets(signal?: AbortSignal): Promise<Dataset[]> {
  return (await call<Page<Dataset>>(`/v1/datasets?limit=${EVERYTHING}`, signal === undefined ? {} : { signal })).items;
}

/** Send a file; the service parses it before it answers. Raises ServiceError with every refused node. */
export function upload<T>(kind: "models" | "datasets", file: File): Promise<T> {
  const form = new FormData();
  form.set("file", file, file.name);
  return call<T>(`/v1/${kind}`, { method: "POST", body: form });
}

/** `1.2 MB`. */
export function sizeWords(bytes: number): string {
  if (bytes >= 1e6) return `${Number((bytes / 1e6).toPrecision(3))} MB`;
  return bytes >= 1e3 ? `${Number((bytes / 1e3).toPrecision(3))} kB` : `${bytes} B`;
}
