/** A drawing of ECharts as a part of the page. */
import { type ReadonlySignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type ECharts, type EChartsCoreOption, init } from "./echarts";

interface Props {
  /** What the drawing says, in a sentence: read out in its place. */
  label: string;
  /** Drawn again whenever it changes; zoom and brush stay. */
  option: ReadonlySignal<EChartsCoreOption>;
  height: number;
  /** Called once with the instance, to listen to it; what it returns is called when the chart goes. */
  onReady?: (chart: ECharts) => void;
  onKeyDown?: (event: KeyboardEvent) => void;
  children?: ComponentChildren;
}

const REPLACED = ["series", "xAxis", "yAxis", "parallelAxis"];

export function Chart({ label, option, height, onReady, onKeyDown, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  useEffect(() => {
    const made = init(place.current);
    chart.current = made;
    onReady?.(made);
    const resized = new ResizeObserver(() => made.resize());
    if (place.current !== null) resized.observe(place.current);
    return () => {
      resized.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);
  useSignalEffect(() => {
    const drawn = option.value;
    chart.current?.setOption(drawn, { replaceMerge: REPLACED });
  });
  const keyed = onKeyDown === undefined ? {} : { tabIndex: 0, onKeyDown };
  return (
    <div class="chart" role={onKeyDown === undefined ? "img" : "application"} aria-label={label} {...keyed}>
      <div ref={place} class="chart-canvas" style={{ height: `${height}px` }} />
      {children}
    </div>
  );
}
