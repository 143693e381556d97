/** Text that fits a width. */

let context: CanvasRenderingContext2D | null = null;

function width(text: string, font: string): number {
  context ??= document.createElement("canvas").getContext("2d");
  if (context === null) return text.length * 7;
  context.font = font;
  return context.measureText(text).width;
}

/** The text, or its beginning with an ellipsis, in at most so many pixels. */
export function fit(text: string, pixels: number, font: string): string {
  if (width(text, font) <= pixels) return text;
  let length = text.length;
  while (length > 1 && width(`${text.slice(0, length)}…`, font) > pixels) length--;
  return `${text.slice(0, length)}…`;
}
