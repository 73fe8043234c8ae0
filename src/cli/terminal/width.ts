// How many cells plain text takes on a terminal, and cutting it to that many. Pure. East Asian wide
// characters and emoji take two cells; combining marks none.

const IS_PLAIN = /^[\x20-\x7e]*$/;

let segmenter: Intl.Segmenter | null = null;

/** What a reader sees as one character each. Made late: loading the tables takes 10 ms. */
function graphemes(text: string): Iterable<{ readonly segment: string }> {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

export function displayWidth(text: string): number {
  if (IS_PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes(text)) {
    width += segmentWidth(segment);
  }
  return width;
}

const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;
const INVISIBLE = /^[\p{Control}\p{Mark}\p{Format}]+$/u;

function segmentWidth(segment: string): number {
  if (INVISIBLE.test(segment)) return 0;
  return WIDE.test(segment) || EMOJI.test(segment) ? 2 : 1;
}

/** Plain text cut to so many cells, with `…` where something was cut off. */
export function truncate(text: string, cells: number): string {
  if (displayWidth(text) <= cells) return text;
  if (cells <= 1) return cells === 1 ? "…" : "";
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes(text)) {
    width += segmentWidth(segment);
    if (width > cells - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** The same, with the end kept: `…/vision`. */
export function truncateStart(text: string, cells: number): string {
  if (displayWidth(text) <= cells) return text;
  if (cells <= 1) return cells === 1 ? "…" : "";
  let kept = "";
  for (const { segment } of [...graphemes(text)].reverse()) {
    if (displayWidth(segment + kept) > cells - 1) break;
    kept = segment + kept;
  }
  return `…${kept}`;
}

/** Lines of at most so many cells, broken between words; a word that is longer is cut in two. */
export function wrap(text: string, cells: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((one) => pieces(one, cells))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && displayWidth(longer) > cells) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

function pieces(word: string, cells: number): readonly string[] {
  if (displayWidth(word) <= cells) return [word];
  const parts = [""];
  for (const { segment } of graphemes(word)) {
    const last = parts.at(-1) ?? "";
    if (displayWidth(last + segment) > cells) parts.push(segment);
    else parts[parts.length - 1] = last + segment;
  }
  return parts;
}

export function padEnd(text: string, cells: number): string {
  return text + " ".repeat(Math.max(0, cells - displayWidth(text)));
}

export function padStart(text: string, cells: number): string {
  return " ".repeat(Math.max(0, cells - displayWidth(text))) + text;
}

/** Control characters of names and messages from elsewhere must not reach the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Control}+/gu, " ");
}
