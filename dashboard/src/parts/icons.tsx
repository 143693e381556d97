/** Icons: paths in a box of 20, drawn in the colour of the text. */
const PATHS = {
  pause: "M7 4.5v11M13 4.5v11",
  play: "M6.5 4.2v11.6l9-5.8z",
  stop: "M5.5 5.5h9v9h-9z",
  cancel: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  extend: "M10 4.5v11M4.5 10h11",
  bin: "M4.5 6h11M8 6V4h4v2M6 6l.7 10h6.6L14 6M8.5 9v4.5M11.5 9v4.5",
  copy: "M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3",
  sun: "M10 6.8a3.2 3.2 0 100 6.4 3.2 3.2 0 000-6.4zM10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M15.7 4.3l-1.4 1.4M5.7 14.3l-1.4 1.4",
  moon: "M16 11.6A6.5 6.5 0 118.4 4a5.2 5.2 0 007.6 7.6z",
  search: "M9 4a5 5 0 100 10A5 5 0 009 4zM12.7 12.7L16.5 16.5",
  lasso: "M10 4c4 0 6.5 1.8 6.5 4.2S14 12.5 10 12.5c-1.3 0-2.5-.2-3.5-.6M6.5 11.9C4.700 11.200 3.500 9.800 3.500 8.200 3.500 5.800 6 4 10 4M6.500 11.900a1.700 1.700 0 10-.1 2.900M6.400 14.800c.6.7.3 1.700-1 2.200",
  download: "M10 3.5v9M6.300 9L10 12.700 13.700 9M4 16.500h12",
  upload: "M10 13V4M6.300 7.500L10 3.800l3.700 3.700M4 16.500h12",
  columns: "M4 4.500h12v11H4zM8 4.500v11M12 4.500v11",
  right: "M7.500 5l5 5-5 5",
  warning: "M10 3.500L17.500 16.500h-15zM10 8.500v3.500M10 14.200v.1",
  check: "M4.500 10.500l3.500 3.500 7.500-8",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon beside words, or inside a button that has a name: it says nothing itself. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
