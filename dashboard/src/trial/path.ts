/** Lines as SVG writes them. */

export interface Spot {
  x: number;
  y: number;
}

const short = (value: number): number => Math.round(value * 10) / 10;

/** A curve that leaves and arrives level; `from` is where the pen is, unless the path begins with it. */
export function smooth(from: Spot, to: Spot, begins = true): string {
  const middle = (from.x + to.x) / 2;
  const curve = `C${short(middle)} ${short(from.y)} ${short(middle)} ${short(to.y)} ${short(to.x)} ${short(to.y)}`;
  return begins ? `M${short(from.x)} ${short(from.y)}${curve}` : curve;
}

/** Straight lines with round corners; the pen is at the first point. */
export function rounded(points: readonly Spot[], radius: number): string {
  let path = "";
  for (let i = 1; i < points.length - 1; i++) {
    const [before, at, after] = [points[i - 1], points[i], points[i + 1]] as [Spot, Spot, Spot];
    const [a, b] = [towards(at, before, radius), towards(at, after, radius)];
    path += `L${short(a.x)} ${short(a.y)}Q${short(at.x)} ${short(at.y)} ${short(b.x)} ${short(b.y)}`;
  }
  const end = points[points.length - 1] as Spot;
  return `${path}L${short(end.x)} ${short(end.y)}`;
}

/** A point on the way from one to another, at most halfway. */
function towards(from: Spot, to: Spot, distance: number): Spot {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const share = length === 0 ? 0 : Math.min(distance / length, 0.5);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}
