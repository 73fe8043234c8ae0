// When a job would start that came after a forecast was made, or is yet to be submitted: in each run,
// in the place of who stands behind it in its queue and needs as much, and after those before it who
// need no more. So one forecast serves newcomers too.

import type { ForecastRun } from "./forecast-run.ts";
import type { WaitingLine } from "./forecast-scene.ts";
import { type Shape, wouldServe } from "./shape.ts";

/** Of a line, by position in the scene, those who tell something of when another job starts. */
interface Neighbours {
  /** Does it ask for more than everyone ahead, with nobody behind who asks for as much? */
  readonly isLargest: boolean;
  /** Before it, who need no more: they would have taken its room. */
  readonly ahead: readonly number[];
  /** Behind it, who need no less: it takes theirs. */
  readonly behind: readonly number[];
}

export interface Place {
  /** By run, about when; infinite = not in that run. */
  readonly startsAtMs: number[];
  /** How many come before it of whom nothing is known. */
  readonly beyond: number;
  /** It needs more than those whom it is held against: rather later than that. */
  readonly isLargest: boolean;
}

/** `aheadCount`: how many of its queue come before it. Null = nobody there tells anything. */
export function placeIn(
  runs: readonly ForecastRun[],
  line: WaitingLine,
  { shape, aheadCount }: { readonly shape: Shape; readonly aheadCount: number },
  nowMs: number,
): Place | null {
  const seen = line.isCut ? Math.min(line.waiting.length, aheadCount) : aheadCount;
  const neighbours = neighboursOf(line, shape, aheadCount);
  const startsAtMs: number[] = [];
  for (const run of runs) {
    const atMs = startIn(run, neighbours, nowMs);
    if (atMs === null) return null;
    startsAtMs.push(atMs);
  }
  return { startsAtMs, beyond: aheadCount - seen, isLargest: neighbours.isLargest };
}

function neighboursOf(line: WaitingLine, shape: Shape, aheadCount: number): Neighbours {
  const { kinds, waiting, isCut } = line;
  const firstBehind = waiting[aheadCount]?.at ?? Number.POSITIVE_INFINITY;
  const ahead: number[] = [];
  const behind: number[] = [];
  let isLargest = true;
  for (const { need, isPossible, waiting: ofKind } of kinds) {
    if (!isPossible) continue;
    const isLess = wouldServe(shape, need.shape);
    const isMore = wouldServe(need.shape, shape);
    for (const { at } of ofKind) {
      if (at < firstBehind && isLess) ahead.push(at);
      if (at >= firstBehind && isMore) behind.push(at);
      if (isMore && (isLess || at >= firstBehind)) isLargest = false;
    }
  }
  // Far back in a long queue where nobody is like it, it goes on as all do.
  const isFar = isCut && aheadCount >= waiting.length && ahead.length === 0;
  return { isLargest, ahead: isFar ? waiting.map(({ at }) => at) : ahead, behind };
}

function startIn(
  { startsAtMs, hasKept, isEndless }: ForecastRun,
  { ahead, behind }: Neighbours,
  nowMs: number,
): number | null {
  const startOf = (at: number): number => startsAtMs[at] ?? Number.POSITIVE_INFINITY;
  let lastAheadMs = nowMs;
  let passed = 0;
  for (const at of ahead) {
    const startMs = startOf(at);
    // Who never starts, though all ends, tells nothing of those behind it.
    if (hasKept[at] === 1 || (!isEndless && !Number.isFinite(startMs))) continue;
    lastAheadMs = Math.max(lastAheadMs, startMs);
    passed += 1;
  }
  let firstBehindMs: number | null = null;
  for (const at of behind) {
    if (hasKept[at] === 1) continue;
    firstBehindMs = Math.min(firstBehindMs ?? Number.POSITIVE_INFINITY, startOf(at));
  }
  if (firstBehindMs !== null) return Math.max(lastAheadMs, firstBehindMs);
  // Nobody behind it: on at the pace of those before it.
  return passed === 0 ? null : lastAheadMs + Math.ceil((lastAheadMs - nowMs) / passed);
}
