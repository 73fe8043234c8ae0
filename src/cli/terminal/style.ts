// Colours, and the decision whether there are any: `--no-color`, NO_COLOR, FORCE_COLOR, TERM=dumb,
// and whether anybody looks.

import picocolors from "picocolors";
import type { OutStream } from "../io.ts";

export interface ColourInputs {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stream: Pick<OutStream, "isTTY">;
  /** `--no-color` was given. */
  readonly isRefused: boolean;
}

/**
 * A wish by hand beats the environment, NO_COLOR beats FORCE_COLOR, and both beat what the stream
 * is.
 */
export function wantsColour({ env, stream, isRefused }: ColourInputs): boolean {
  if (isRefused || isSet(env["NO_COLOR"])) return false;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}

export type Paint = (text: string) => string;

export interface Style {
  readonly isColoured: boolean;
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warn: Paint;
  readonly accent: Paint;
  /** By the word that a job's phase, an outcome or a node's state has. */
  phase(text: string): string;
}

export function createStyle(isColoured: boolean): Style {
  const colours = picocolors.createColors(isColoured);
  const base = {
    isColoured,
    bold: (text: string) => colours.bold(text),
    dim: (text: string) => colours.dim(text),
    good: (text: string) => colours.green(text),
    bad: (text: string) => colours.red(text),
    warn: (text: string) => colours.yellow(text),
    accent: (text: string) => colours.cyan(text),
  };
  return { ...base, phase: (text) => (base[toneOf(text.trim())] ?? identity)(text) };
}

const identity: Paint = (text) => text;

type Tone = "good" | "bad" | "warn" | "dim" | "accent";

const TONES: Readonly<Record<string, Tone>> = {
  RUNNING: "good",
  SUCCEEDED: "good",
  UP: "good",
  committed: "good",
  succeeded: "good",
  PLACED: "accent",
  STARTING: "accent",
  gathering: "accent",
  PENDING: "warn",
  PREEMPTING: "warn",
  STOPPING: "warn",
  CORDONED: "warn",
  DRAINING: "warn",
  preempted: "warn",
  FAILED: "bad",
  LOST: "bad",
  DISK_FULL: "bad",
  failed: "bad",
  rejected: "bad",
  node_lost: "bad",
  node_failed: "bad",
  restore_failed: "bad",
  time_limit: "bad",
  CANCELLED: "dim",
  cancelled: "dim",
};

function toneOf(word: string): Tone {
  return TONES[word] ?? "accent";
}
