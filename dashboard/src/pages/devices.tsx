/** The catalogue of devices: what each has, and where the figures come from. */
import { useSignal } from "@preact/signals";
import { keep, place } from "../app/router";
import { Button, Choice, Empty, Skeleton } from "../parts/basics";
import { Failure } from "../parts/failure";
import { count, figure, short } from "../parts/format";
import { Icon } from "../parts/icons";
import { call } from "../service/client";
import { usePolled } from "../service/poll";
import type { Device, Page } from "../service/types";

interface Catalogued extends Device {
  part?: string | null;
  sources?: string[] | null;
  estimates?: string[] | null;
  notes?: string | null;
}

const ONCE_MS = 3_600_000;
const QUANTITIES = [
  { key: "lut", label: "LUT" },
  { key: "ff", label: "FF" },
  { key: "dsp", label: "DSP" },
  { key: "bram_kb", label: "Block RAM, Kb" },
  { key: "uram_kb", label: "UltraRAM, Kb" },
  { key: "off_chip_gb_per_s", label: "Off chip, GB/s" },
  { key: "static_w", label: "Static, W" },
  { key: "default_clock_mhz", label: "Clock, MHz" },
] as const;
type Quantity = (typeof QUANTITIES)[number]["key"];

const FAMILIES: Record<string, string> = { ultrascale_plus: "UltraScale+", series7: "7 series", ecp5: "ECP5", versal: "Versal" };

/** The maker's name of a family; one of a later catalogue goes by its own. */
const familyWords = (family: string): string => FAMILIES[family] ?? family.replaceAll("_", " ");

function Sources({ device, width }: { device: Catalogued; width: number }) {
  return (
    <tr class="sources">
      <td colSpan={width}>
        {(device.sources ?? []).map((source) => (
          <p key={source}>{source}</p>
        ))}
        {device.notes != null && device.notes !== "" && <p class="quiet">{device.notes}</p>}
        {(device.estimates ?? []).length > 0 && <p class="quiet">Estimates of ours: {device.estimates?.map((name) => name.replaceAll("_", " ")).join(", ")}.</p>}
      </td>
    </tr>
  );
}

function Cell({ device, quantity, most }: { device: Catalogued; quantity: Quantity; most: number }) {
  const value = device[quantity];
  const ours = device.estimates?.includes(quantity) === true;
  return (
    <td class="number" title={ours ? `${figure(value)}, an estimate of ours` : figure(value)}>
      {value === 0 ? <span class="quiet">–</span> : `${ours ? "≈ " : ""}${short(value)}`}
      {/* Capacities span three decades: bars are of their square roots. */}
      <span class="cell-bar" style={{ width: `${100 * Math.sqrt(value / Math.max(most, 1))}%` }} />
    </td>
  );
}

function Table({ devices }: { devices: readonly Catalogued[] }) {
  const open = useSignal<string | null>(null);
  const by = (place.value.query.get("by") ?? "lut") as Quantity;
  const order = [...devices].sort((a, b) => a[by] - b[by] || a.name.localeCompare(b.name));
  const most = (key: Quantity): number => Math.max(...devices.map((device) => device[key]));
  const toggle = (name: string): void => void (open.value = open.value === name ? null : name);
  return (
    <div class="scrolled" tabIndex={0} role="region" aria-label="Devices as a table">
      <table class="listing devices-table">
        <thead>
          <tr>
            <th scope="col">Device</th>
            <th scope="col">Family</th>
            {QUANTITIES.map(({ key, label }) => (
              <th key={key} scope="col" class="number" aria-sort={key === by ? "ascending" : "none"}>
                <button type="button" onClick={() => keep({ by: key })}>
                  {label}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {order.flatMap((device) => [
            <tr key={device.name}>
              <th scope="row">
                <button type="button" aria-expanded={open.value === device.name} title="Where the figures come from" onClick={() => toggle(device.name)}>
                  {device.name}
                </button>
                {device.part != null && device.part.toLowerCase() !== device.name && <span class="part">{device.part}</span>}
              </th>
              <td>{familyWords(device.family)}</td>
              {QUANTITIES.map(({ key }) => (
                <Cell key={key} device={device} quantity={key} most={most(key)} />
              ))}
            </tr>,
            ...(open.value === device.name ? [<Sources key={`${device.name} sources`} device={device} width={QUANTITIES.length + 2} />] : []),
          ])}
        </tbody>
      </table>
    </div>
  );
}

export default function Devices() {
  const { value, error, again } = usePolled((signal) => call<Page<Catalogued>>("/v1/devices", { signal }), ONCE_MS, "");
  if (value.value === null && error.value !== null) return <Failure error={error.value} retry={again} />;
  const all = value.value?.items ?? [];
  const [text, family] = ["q", "family"].map((name) => place.value.query.get(name) ?? "") as [string, string];
  const devices = all.filter((device) => `${device.name} ${device.part ?? ""}`.toLowerCase().includes(text.toLowerCase()) && (family === "" || device.family === family));
  const families = [...new Set(all.map((device) => device.family))].sort();
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>Devices</h1>
          <p class="quiet">{count(devices.length, "part")} of the catalogue. A job may also describe a device of its own.</p>
        </div>
        <div class="filters" role="search">
          <label class="search">
            <Icon name="search" />
            <input type="search" placeholder="Name or part" aria-label="Search devices" value={text} onInput={(event) => keep({ q: event.currentTarget.value })} />
          </label>
          <Choice label="Family" value={family} options={[{ value: "", label: "any" }, ...families.map((one) => ({ value: one, label: familyWords(one) }))]} onChange={(one) => keep({ family: one })} />
        </div>
      </div>
      {value.value === null && <Skeleton lines={5} />}
      {value.value !== null && devices.length === 0 && (
        <Empty title="No device is like that">
          <Button onClick={() => keep({ q: "", family: "" })}>Show all</Button>
        </Empty>
      )}
      {devices.length > 0 && (
        <div class="card">
          <Table devices={devices} />
        </div>
      )}
    </div>
  );
}
