/** A small line without axes. */

const [WIDTH, HEIGHT, PAD] = [120, 32, 3];

/** Values in order, scaled to their own range. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  if (values.length < 2) return <span class="sparkline-none">–</span>;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (i: number): number => PAD + ((WIDTH - 2 * PAD) * i) / (values.length - 1);
  const y = (v: number): number => HEIGHT - PAD - ((HEIGHT - 2 * PAD) * (v - low)) / (high - low || 1);
  const line = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <polygon class="sparkline-area" points={`${x(0)},${HEIGHT} ${line.join(" ")} ${x(values.length - 1)},${HEIGHT}`} />
      <polyline points={line.join(" ")} />
      <circle cx={x(values.length - 1)} cy={y(values[values.length - 1] ?? low)} r="2.4" />
    </svg>
  );
}
