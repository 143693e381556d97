/** The design as a picture: a section for each device, and what goes over the links between them. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { keep, place } from "../app/router";
import { Button, Card, Choice } from "../parts/basics";
import { figure } from "../parts/format";
import { type DeviceUse, type Hop, RESOURCE_WORDS, RESOURCES, slowest } from "../service/trial";
import { Box, PortBox } from "./box";
import { draw } from "./layout";
import { byteWords, type Section, sections } from "./sections";
import { bytes, interval, simulatedCycles, type Unit, type Wire } from "./units";
import { type PipelineView, ZOOMS } from "./view";

/** How wide an element is now. */
function useWidth(): [{ current: HTMLDivElement | null }, number] {
  const element = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    if (element.current === null) return undefined;
    const watch = new ResizeObserver(([entry]) => (width.value = Math.floor(entry?.contentRect.width ?? 0)));
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return [element, width.value];
}

function wireWords({ from, to, streams }: Wire): string {
  const each = streams.map((one) => `${one.name}: ${one.format}, ${one.lanes} lanes, ${byteWords(bytes(one))} per inference`);
  return [`${from.replace(/^port /, "")} → ${to.replace(/^port /, "")}`, ...each].join("\n");
}

/** Wires that carry more are drawn thicker. */
function thickness({ streams }: Wire): number {
  const sum = streams.reduce((total, one) => total + bytes(one), 0);
  return Math.min(4, 1.2 + Math.max(0, Math.log10(sum + 1) - 1) * 0.7);
}

function Lines({ section, width, zoom, view }: { section: Section; width: number; zoom: number; view: PipelineView }) {
  const drawing = useMemo(() => draw(section.units, section.ports, section.wires, width / zoom), [section, width, zoom]);
  const cycles = useMemo(() => simulatedCycles(view.operators), [view]);
  const worst = slowest(view.operators)?.name;
  const chosen = view.chosen.value?.key;
  // A narrow picture is not blown up: it keeps its scale.
  const scale = Math.min(zoom, width / drawing.width);
  return (
    <svg class="picture" role="group" aria-label={`Operators on device ${section.device}`} width={drawing.width * scale} height={(drawing.height + 16) * scale} viewBox={`0 -8 ${drawing.width} ${drawing.height + 16}`}>
      {drawing.lines.map(({ wire, path }) => (
        <g key={`${wire.from} ${wire.to}`} class={`wire${chosen === wire.from || chosen === wire.to ? " of-chosen" : ""}`}>
          <title>{wireWords(wire)}</title>
          <path class="wire-near" d={path} />
          <path class="wire-line" d={path} style={{ strokeWidth: `${thickness(wire)}px` }} />
        </g>
      ))}
      {drawing.ports.map((one) => (
        <PortBox key={one.item.key} placed={one} />
      ))}
      {drawing.units.map((one) => (
        <Box key={one.item.key} placed={one} chosen={chosen === one.item.key} critical={one.item.operators.some(({ name }) => name === worst)} limiting={view.limit(one.item) !== null} cycles={cycles} onChoose={() => view.choose(one.item)} />
      ))}
    </svg>
  );
}

function Use({ use }: { use: DeviceUse }) {
  return (
    <dl class="use">
      {RESOURCES.flatMap((name) => {
        const [used, share] = [use.used[name], use.share[name]];
        if (used === undefined || share === undefined) return [];
        const text = `${figure(used)}${name === "bram_kb" ? " Kb" : ""}, ${Math.round(share * 1000) / 10} %`;
        return [
          <div key={name} title={text}>
            <dt>{RESOURCE_WORDS[name]}</dt>
            <dd>
              <span class="use-bar">
                <span class={share > 1 ? "over" : ""} style={{ width: `${Math.min(100, 100 * share)}%` }} />
              </span>
              {Math.round(share * 100) < 1 && share > 0 ? "<1" : Math.round(share * 100)} %
            </dd>
          </div>,
        ];
      })}
    </dl>
  );
}

function HopLine({ hop, worst }: { hop: Hop; worst: number }) {
  const share = hop.least_interval_cycles / Math.max(1, worst);
  return (
    <p class="hop">
      <b>
        device {hop.from} → device {hop.to}
      </b>
      <span>
        {hop.streams} stream{hop.streams === 1 ? "" : "s"}
      </span>
      <span>{byteWords(hop.bytes_per_inference)} per inference</span>
      <span>{figure(hop.bits_per_cycle)} bits per cycle</span>
      <span>
        at least {figure(hop.least_interval_cycles)} cycles, {Math.round(100 * share)} % of the interval
      </span>
    </p>
  );
}

function Legend() {
  return (
    <ul class="spent-legend">
      <li class="key-busy">busy</li>
      <li class="key-blocked">blocked by what follows</li>
      <li class="key-starved">waiting for input</li>
      <li class="key-rest">computing inside, or done</li>
    </ul>
  );
}

function Tools({ view }: { view: PipelineView }) {
  const zoom = view.zoom.value;
  const step = (by: number): void => keep({ zoom: String(ZOOMS[ZOOMS.indexOf(zoom) + by] ?? zoom) });
  return (
    <>
      {view.repeats !== null && view.level.value === "layers" && (
        <Button pressed={view.fold.value} onClick={() => keep({ fold: view.fold.value ? "no" : "yes", open: "" })}>
          Fold {view.repeats.blocks.length} blocks
        </Button>
      )}
      <Choice label="Boxes" value={view.level.value} options={[{ value: "layers", label: "layers of the model" }, { value: "operators", label: "operators" }]} onChange={(level) => keep({ level })} />
      <span class="zoom" role="group" aria-label="Size of the picture">
        <Button kind="bare" name="Smaller" disabled={zoom === ZOOMS[0]} onClick={() => step(-1)}>
          −
        </Button>
        <span>{Math.round(100 * zoom)} %</span>
        <Button kind="bare" name="Larger" disabled={zoom === ZOOMS[ZOOMS.length - 1]} onClick={() => step(1)}>
          +
        </Button>
      </span>
    </>
  );
}

/** Everything between the head of the page and the panel of the chosen box. */
export function Picture({ view }: { view: PipelineView }) {
  const [element, width] = useWidth();
  void place.value;
  const parts = useMemo(() => sections(view.units.value, view.streams), [view.units.value, view]);
  const worst = interval({ operators: view.operators } as Unit);
  const { devices = [], hops = [] } = view.trial.metrics;
  const note = `${view.units.value.length} boxes, ${view.operators.length} operators${view.streams.length === 0 ? "; this service does not tell which stream leads where" : ""}`;
  return (
    <Card title="Pipeline" note={note} class="pipeline" actions={<Tools view={view} />}>
      <Legend />
      <div ref={element}>
        {width > 0 &&
          parts.map((section) => {
            const use = devices.find(({ index }) => index === section.device);
            return (
              <section key={section.device} class="device" aria-label={`Device ${section.device}`}>
                <header>
                  <h3>
                    Device {section.device}
                    {use !== undefined && <span>{use.device}</span>}
                  </h3>
                  {use !== undefined && <Use use={use} />}
                </header>
                <Lines section={section} width={width - 24} zoom={view.zoom.value} view={view} />
                {hops.filter(({ from }) => from === section.device).map((hop) => (
                  <HopLine key={`${hop.from} ${hop.to}`} hop={hop} worst={worst} />
                ))}
              </section>
            );
          })}
      </div>
    </Card>
  );
}
