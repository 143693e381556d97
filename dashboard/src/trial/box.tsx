/** One unit as a box of the picture. */
import { figure, short } from "../parts/format";
import { fit } from "./fit";
import { BOX, type Placed, PORT, type Port } from "./layout";
import { activity, interval, resources, type Unit } from "./units";

const PAD = 12;
const INNER = BOX.width - 2 * PAD;
const TITLE = "600 13px Inter, sans-serif";
const SMALL = "400 11.5px Inter, sans-serif";
const BAR = 6;
const FLAG = 82;

interface Props {
  placed: Placed<Unit>;
  chosen: boolean;
  /** Its interval is the longest. */
  critical: boolean;
  /** Its path limits the routed clock. */
  limiting: boolean;
  cycles: number;
  onChoose: () => void;
}

/** `8 × 4 lanes`, or nothing for what has none. */
export function laneWords({ in_lanes: into, out_lanes: out }: Unit["main"]): string {
  if (into !== undefined && out !== undefined) return `${into} × ${out} lanes`;
  const lanes = into ?? out;
  return lanes === undefined ? "" : `${lanes} lane${lanes === 1 ? "" : "s"}`;
}

function need(unit: Unit): string {
  const { lut, dsp } = resources(unit);
  if (lut === undefined) return laneWords(unit.main);
  const both = `${short(lut)} LUT · ${short(dsp ?? 0)} DSP`;
  return dsp === undefined || dsp === 0 || fit(both, INNER - 64, SMALL) !== both ? `${short(lut)} LUT` : both;
}

/** The bar of what an operator did in its time. */
function Spent({ unit, cycles }: { unit: Unit; cycles: number }) {
  const { busy, blocked, starved } = activity(unit.main, cycles);
  const parts = [["busy", busy], ["blocked", blocked], ["starved", starved]] as const;
  let x = PAD;
  return (
    <g class="spent">
      <rect class="spent-rest" x={PAD} y={64} width={INNER} height={BAR} rx={3} />
      {parts.map(([name, share]) => {
        const width = INNER * share;
        x += width;
        return width < 0.5 ? null : <rect key={name} class={`spent-${name}`} x={x - width} y={64} width={width} height={BAR} rx={Math.min(3, width / 2)} />;
      })}
    </g>
  );
}

function said(unit: Unit, critical: boolean, limiting: boolean, cycles: number): string {
  const { busy, blocked, starved } = activity(unit.main, cycles);
  const share = (part: number): string => `${Math.round(100 * part)} %`;
  return `${unit.title}, ${unit.kind}, ${figure(interval(unit))} cycles${critical ? ", the slowest" : ""}${limiting ? ", sets the clock" : ""}; busy ${share(busy)}, blocked ${share(blocked)}, waiting ${share(starved)}`;
}

function Flag({ text, width, y }: { text: string; width: number; y: number }) {
  return (
    <g transform={`translate(${BOX.width - PAD - width},${y})`}>
      <rect class="box-flag" width={width} height={17} rx={8.5} />
      <text class="box-flag-text" x={width / 2} y={12.2}>
        {text}
      </text>
    </g>
  );
}

/** A box to choose; more than one box behind it stands for a folded block. */
export function Box({ placed: { item: unit, x, y }, chosen, critical, limiting, cycles, onChoose }: Props) {
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    onChoose();
  };
  const kind = unit.operators.length > 1 && unit.block === null ? `${unit.kind} + ${unit.operators.length - 1}` : unit.kind;
  const name = `box${chosen ? " chosen" : ""}${critical ? " critical" : ""}`;
  return (
    <g class={name} transform={`translate(${x},${y})`} role="button" tabindex={0} aria-pressed={chosen} onClick={onChoose} onKeyDown={onKeyDown}>
      <title>{said(unit, critical, limiting, cycles)}</title>
      {unit.block !== null && <rect class="box-behind" x={6} y={-6} width={BOX.width - 6} height={20} rx={10} />}
      <rect class="box-ground" width={BOX.width} height={BOX.height} rx={10} />
      <text class="box-title" x={PAD} y={24}>
        {fit(unit.title, critical ? INNER - 56 : INNER, TITLE)}
      </text>
      {critical && <Flag text="slowest" width={50} y={11} />}
      {limiting && <Flag text="sets the clock" width={FLAG} y={29} />}
      <text class="box-kind" x={PAD} y={41}>
        {fit(kind, limiting ? INNER - FLAG - 4 : INNER, SMALL)}
      </text>
      <text class="box-kind" x={PAD} y={57}>
        {fit(need(unit), INNER - 62, SMALL)}
      </text>
      <text class="box-cycles" x={BOX.width - PAD} y={57}>
        {short(interval(unit))} cyc
      </text>
      <Spent unit={unit} cycles={cycles} />
    </g>
  );
}

/** Where streams come from or go to. */
export function PortBox({ placed: { item: port, x, y } }: { placed: Placed<Port> }) {
  return (
    <g class="port" transform={`translate(${port.entering ? x + BOX.width - PORT.width : x},${y})`}>
      <title>{`${port.title}: ${port.note} per inference`}</title>
      <rect width={PORT.width} height={PORT.height} rx={PORT.height / 2} />
      <text x={14} y={19}>
        {fit(port.title, 92, SMALL)}
      </text>
      <text class="port-note" x={PORT.width - 14} y={19}>
        {port.note}
      </text>
    </g>
  );
}
