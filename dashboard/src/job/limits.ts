/** Lines that designs must stay behind: constraints of the job, capacities of the platform. */
import { figure } from "../parts/format";
import { metricWords } from "../parts/words";
import type { Device, Spec } from "../service/types";

export interface Limit {
  metric: string;
  value: number;
  words: string;
}

/** The platform's devices, one by one; those of the catalogue that are not known yet are left out. */
export function devicesOf(spec: Spec, catalogue: ReadonlyMap<string, Device>): Device[] {
  return spec.platform.devices.flatMap(({ device, count }) => {
    const found = typeof device === "string" ? catalogue.get(device.toLowerCase()) : device;
    return found === undefined ? [] : Array.from({ length: count }, () => found);
  });
}

const RESOURCES = ["lut", "ff", "dsp", "bram_kb", "uram_kb"] as const;

/** What all devices have together of the resource that a metric counts; null for another metric. */
export function capacity(metric: string, devices: readonly Device[]): number | null {
  const resource = RESOURCES.find((name) => metric === `est_${name}`);
  if (resource === undefined || devices.length === 0) return null;
  return devices.reduce((sum, device) => sum + device[resource], 0);
}

function platformWords(spec: Spec): string {
  return spec.platform.devices.map(({ device, count }) => `${count} × ${typeof device === "string" ? device : device.name}`).join(" + ");
}

/** The limits of one metric. */
export function limits(metric: string, spec: Spec, devices: readonly Device[]): Limit[] {
  const bounds = spec.constraints.filter((constraint) => constraint.metric === metric);
  const lines = bounds.flatMap(({ min, max }) => [
    ...(min === null ? [] : [{ metric, value: min, words: `at least ${figure(min)}` }]),
    ...(max === null ? [] : [{ metric, value: max, words: `at most ${figure(max)}` }]),
  ]);
  const all = capacity(metric, devices);
  return all === null || all === 0 ? lines : [...lines, { metric, value: all, words: `${platformWords(spec)}: ${figure(all)} ${metricWords(metric).label}` }];
}
