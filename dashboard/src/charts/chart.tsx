/** A drawing of ECharts as a part of the page. */
import { type ReadonlySignal, useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type ECharts, type EChartsCoreOption, init } from "./echarts";

interface Props {
  /** What the drawing says, in a sentence: read out in its place. */
  label: string;
  /** Drawn again whenever it changes; zoom and brush stay. */
  option: ReadonlySignal<EChartsCoreOption>;
  height: number;
  /** What is drawn, for `data-drawn` of the element when all of it is. */
  stamp?: ReadonlySignal<string>;
  /** Called once with the instance, to listen to it; what it returns is called when the chart goes. */
  onReady?: (chart: ECharts) => void;
  onKeyDown?: (event: KeyboardEvent) => void;
  children?: ComponentChildren;
}

const REPLACED = ["series", "xAxis", "yAxis", "parallelAxis"];

export function Chart({ label, option, height, stamp, onReady, onKeyDown, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const version = useRef("");
  const latest = useRef<EChartsCoreOption | null>(null);
  useEffect(() => {
    const made = init(place.current);
    chart.current = made;
    onReady?.(made);
    // For tests and for whoever prints the page: the option that is wholly drawn.
    made.on("finished", () => place.current?.setAttribute("data-drawn", version.current));
    const resized = new ResizeObserver(() => made.resize());
    if (place.current !== null) resized.observe(place.current);
    return () => {
      resized.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);
  // What is out of sight is drawn when it comes into sight.
  const seen = useSignal(false);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    seen.value = element.getBoundingClientRect().top < innerHeight; // at once: the observer answers a frame later
    const watch = new IntersectionObserver(([entry]) => (seen.value = entry?.isIntersecting === true));
    watch.observe(element);
    const printed = (): void => void (seen.value = true);
    addEventListener("beforeprint", printed);
    return () => {
      watch.disconnect();
      removeEventListener("beforeprint", printed);
    };
  }, []);
  // A lasso or a range that is being drawn would be lost if news were drawn under it.
  const held = useSignal(false);
  useEffect(() => {
    // Later than what the release itself does: the chart hears of the mouse after the pointer.
    const release = (): void => void setTimeout(() => (held.value = false));
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
    return () => {
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
    };
  }, []);
  useSignalEffect(() => {
    if (!seen.value || held.value) return;
    const drawn = option.value;
    if (drawn === latest.current) return;
    latest.current = drawn;
    version.current = stamp?.peek() ?? "";
    chart.current?.setOption(drawn, { replaceMerge: REPLACED });
  });
  const keyed = onKeyDown === undefined ? {} : { tabIndex: 0, onKeyDown };
  return (
    <div class="chart" role={onKeyDown === undefined ? "img" : "application"} aria-label={label} {...keyed}>
      <div ref={place} class="chart-canvas" onPointerDown={() => (held.value = true)} style={{ height: `${height}px` }} />
      {children}
    </div>
  );
}
