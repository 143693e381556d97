/** The card beside a mark: made of elements, since the policy of the page forbids styles in markup. */
import { textOf } from "./fields";
import type { Point } from "../service/types";
import type { Plot } from "./pareto_option";
import { fate } from "./marks";
import type { JobView } from "./view";

function line(name: string, value: string): HTMLElement {
  const row = document.createElement("div");
  const [left, right] = [document.createElement("span"), document.createElement("b")];
  left.textContent = name;
  right.textContent = value;
  row.append(left, right);
  return row;
}

/** What a trial is, in a few lines; empty for a mark that is no trial. */
export function hoverCard(view: JobView, point: Point | undefined, plot: Plot): HTMLElement | string {
  if (point === undefined) return "";
  const card = document.createElement("div");
  card.className = "hover";
  const head = document.createElement("p");
  const of = fate(view, point);
  head.textContent = `Trial ${point.number} · ${of === "front" ? "on the front" : of}`;
  card.append(head);
  const keys = new Set([plot.x.key, plot.y.key, plot.colour?.field.key ?? "", ...view.spec.objectives.map(({ metric }) => metric), "mean_weight_bits"]);
  for (const key of keys) {
    const field = view.byKey.value.get(key);
    if (field !== undefined) card.append(line(field.label, textOf(field, point)));
  }
  if (point.reason !== null) {
    const why = document.createElement("p");
    why.className = "hover-why";
    why.textContent = point.reason;
    card.append(why);
  }
  return card;
}
