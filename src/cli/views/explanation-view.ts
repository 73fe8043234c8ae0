// Explanations and previews as the command line shows them: the stable JSON, and sentences in lines.

import type { PlannedPreemption__Output } from "../../rpc/gen/trainyard/v1/PlannedPreemption.ts";
import type { PreviewJobResponse__Output } from "../../rpc/gen/trainyard/v1/PreviewJobResponse.ts";
import type { StartEstimate__Output } from "../../rpc/gen/trainyard/v1/StartEstimate.ts";
import type { Style } from "../terminal/style.ts";
import { printable, wrap } from "../terminal/width.ts";
import { timeMs } from "../wire.ts";

/** Seconds from now; null = not known, see `gap`. */
export interface EstimateView {
  readonly p50Seconds: number | null;
  readonly p90Seconds: number | null;
  /** run_times | never; empty where there is a median. */
  readonly gap: string;
  /** runs | turn | pace */
  readonly basis: string;
}

export function estimateView(estimate: StartEstimate__Output | null): EstimateView | null {
  if (estimate === null) return null;
  const seconds = (time: StartEstimate__Output["p50"]): number | null => {
    const ms = timeMs(time);
    return ms === null ? null : ms / 1000;
  };
  const { p50, p90, gap, basis } = estimate;
  return { p50Seconds: seconds(p50), p90Seconds: seconds(p90), gap, basis };
}

export type PreemptionView = PlannedPreemption__Output;

export interface PreviewView {
  /** starts | reserves | waits */
  readonly verdict: string;
  readonly placement: readonly { readonly node: string; readonly gpus: readonly number[] }[];
  readonly preemptions: readonly PreemptionView[];
  readonly hold: { readonly code: string; readonly message: string } | null;
  readonly lines: readonly string[];
  readonly position: number;
  readonly ahead: readonly string[];
  readonly remedy: string;
  readonly estimate: EstimateView | null;
}

export function previewView(reply: PreviewJobResponse__Output): PreviewView {
  return { ...reply, estimate: estimateView(reply.estimate) };
}

const INDENT = "  ";

/** Sentences, each wrapped and indented; the remedy is the last, with an arrow. */
export function sentencesText(
  { lines, remedy }: { readonly lines: readonly string[]; readonly remedy: string },
  { width, style }: { readonly width: number; readonly style: Style },
): readonly string[] {
  const indented = (text: string): readonly string[] =>
    wrap(printable(text), width - INDENT.length).map((part) => INDENT + part);
  const body = lines.filter((line) => line !== remedy).flatMap(indented);
  if (remedy === "") return body;
  const [first = "", ...rest] = indented(remedy);
  return [...body, `${style.good("→")}${first.slice(1)}`, ...rest];
}
