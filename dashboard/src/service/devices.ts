/** The catalogue of devices, read once. */
import { signal } from "@preact/signals";
import { call } from "./client";
import type { Device, Page } from "./types";

export const catalogue = signal<ReadonlyMap<string, Device>>(new Map());

/** Read the catalogue when it was not read yet. */
export async function readCatalogue(): Promise<void> {
  if (catalogue.value.size > 0) return;
  const { items } = await call<Page<Device>>("/v1/devices");
  catalogue.value = new Map(items.map((device) => [device.name, device]));
}
