/** Colours of plots: those of the page, read from its style, and a scale for numbers. */
import { computed } from "@preact/signals";
import { shownTheme } from "../app/theme";

export interface Colours {
  ink: string;
  quiet: string;
  line: string;
  card: string;
  accent: string;
  front: string;
  feasible: string;
  infeasible: string;
  failed: string;
  limit: string;
  font: string;
}

const NAMES: Record<keyof Colours, string> = {
  ink: "--ink",
  quiet: "--ink-2",
  line: "--line",
  card: "--card",
  accent: "--accent",
  front: "--mark-front",
  feasible: "--mark-feasible",
  infeasible: "--mark-infeasible",
  failed: "--mark-failed",
  limit: "--mark-limit",
  font: "--font",
};

const shown = computed((): Colours => {
  void shownTheme.value;
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(Object.entries(NAMES).map(([key, name]) => [key, style.getPropertyValue(name).trim()])) as unknown as Colours;
});

/** The colours of the theme that is shown; read inside an effect, so that a change of theme draws again. */
export const colours = (): Colours => shown.value;

// Viridis, which every kind of colour vision and a grey print keep in order; cut where it meets the ground.
const VIRIDIS = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6dcd59", "#b4de2c", "#fde725"];

function steps(): readonly string[] {
  return shownTheme.value === "dark" ? VIRIDIS.slice(2) : VIRIDIS.slice(0, 9);
}

/** A colour for a share in [0, 1]. */
export function shade(share: number): string {
  const scale = steps();
  return scale[Math.min(scale.length - 1, Math.max(0, Math.round(share * (scale.length - 1))))] ?? "";
}

/** The scale as a list, for a legend. */
export function scale(): readonly string[] {
  return steps();
}
