/** What the form asks for, in words. */
import { figure, span } from "../parts/format";
import { metricWords } from "../parts/words";
import type { ModelReport } from "../service/uploads";
import type { Body, Draft } from "./draft";

function deviceWords({ device, count }: Body): string {
  const name = typeof device === "object" && device !== null && !Array.isArray(device) ? String(device["name"]) : String(device);
  return `${String(count)} × ${name}`;
}

function boundWords({ metric, min, max }: Body): string {
  const sides = [min == null ? "" : `≥ ${figure(Number(min))}`, max == null ? "" : `≤ ${figure(Number(max))}`];
  return `${metricWords(String(metric)).label} ${sides.filter(Boolean).join(", ")}`;
}

export function Summary({ draft, models }: { draft: Draft; models: readonly ModelReport[] }) {
  const model = models.find(({ id }) => id === draft.at("/model"));
  const rows: [string, string][] = [
    ["Model", model?.name ?? "none yet"],
    ["On", (draft.list("/platform/devices") as Body[]).map(deviceWords).join(" + ")],
    ["For", (draft.list("/objectives") as Body[]).map(({ metric, direction }) => `${direction === "maximize" ? "↑" : "↓"} ${metricWords(String(metric)).label}`).join("  ")],
    ["Within", (draft.list("/constraints") as Body[]).map(boundWords).join("; ") || "no bounds"],
    ["Budget", `${figure(Number(draft.at("/search/trials")))} trials, ${span(Number(draft.at("/search/wall_seconds")))}`],
  ];
  return (
    <dl class="summary">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
