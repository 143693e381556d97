/** A long list of which only the rows in sight are in the page. */
import { elementScroll, observeElementOffset, observeElementRect, type VirtualItem, Virtualizer } from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useEffect, useMemo, useReducer } from "preact/hooks";

export interface Window {
  rows: VirtualItem[];
  /** Pixels of all rows together. */
  height: number;
  /** Bring a row into sight. */
  show: (index: number) => void;
}

/** The rows of `count` that are in sight of a scrolling element, all `size` pixels high. */
export function useVirtual(scroller: RefObject<HTMLElement | null>, count: number, size: number): Window {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => size,
    overscan: 10,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => draw(0),
  };
  const virtual = useMemo(() => new Virtualizer<HTMLElement, HTMLElement>(options), []);
  virtual.setOptions(options);
  useEffect(() => virtual._didMount(), [virtual]);
  useEffect(() => virtual._willUpdate());
  return { rows: virtual.getVirtualItems(), height: virtual.getTotalSize(), show: (index) => virtual.scrollToIndex(index) };
}
