// When a job would start that came after a forecast was made, or is yet to be submitted: in each run,
// in the place of who stands behind it in its queue and needs as much, and after those before it who
// need no more. So one forecast serves newcomers too.

import { must } from "../../base/assert.ts";
import type { ForecastRun } from "./forecast-run.ts";
import type { WaitingLine } from "./forecast-scene.ts";
import { type Shape, wouldServe } from "./shape.ts";

/** Of a line, by position in the scene, those who tell something of when another job starts. */
interface Neighbours {
  /** Does it ask for more than everyone ahead, with nobody behind who asks for as much? */
  readonly isLargest: boolean;
  /** Is it the last of those who are like it? */
  readonly isLast: boolean;
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

/**
 * When the largest jobs start that need no more, down to half of that, whatever their queue: in
 * each run the one in the middle. Gangs of the longest waiters keep nodes, so a newcomer's order in
 * its queue says little. Null = nobody waits who needs no more.
 */
export function startsOfSize(
  runs: readonly ForecastRun[],
  lines: Iterable<WaitingLine>,
  shape: Shape,
): number[] | null {
  const kinds = [...lines].flatMap((line) =>
    line.kinds.filter(({ isPossible, need }) => isPossible && wouldServe(shape, need.shape)),
  );
  const gpusMax = kinds.reduce((most, { need }) => Math.max(most, need.shape.gpus), 0);
  const largest = kinds.filter(({ need }) => 2 * need.shape.gpus >= gpusMax);
  const like = largest.flatMap(({ waiting }) => waiting.map(({ at }) => at));
  if (like.length === 0) return null;
  return runs.map(({ startsAtMs }) => {
    const starts = like.map((at) => must(startsAtMs[at], "outcome"));
    starts.sort((a, b) => (a === b ? 0 : a - b));
    return must(starts[starts.length >> 1], "the one in the middle");
  });
}

function neighboursOf(line: WaitingLine, shape: Shape, aheadCount: number): Neighbours {
  const { kinds, waiting, isCut } = line;
  const firstBehind = waiting[aheadCount]?.at ?? Number.POSITIVE_INFINITY;
  const ahead: number[] = [];
  const behind: number[] = [];
  let isLargest = true;
  let isLast = true;
  for (const { need, isPossible, waiting: ofKind } of kinds) {
    if (!isPossible) continue;
    const isLess = wouldServe(shape, need.shape);
    const isMore = wouldServe(need.shape, shape);
    for (const { at } of ofKind) {
      if (at < firstBehind && isLess) ahead.push(at);
      if (at >= firstBehind && isMore) behind.push(at);
      if (isMore && (isLess || at >= firstBehind)) isLargest = false;
      if (isMore && isLess && at >= firstBehind) isLast = false;
    }
  }
  // Far back in a long queue where nobody is like it, it goes on as all do.
  const isFar = isCut && aheadCount >= waiting.length && ahead.length === 0;
  return { isLargest, isLast, ahead: isFar ? waiting.map(({ at }) => at) : ahead, behind };
}

function startIn(run: ForecastRun, neighbours: Neighbours, nowMs: number): number | null {
  const { startsAtMs, hasKept, isEndless } = run;
  const { ahead, behind, isLargest, isLast } = neighbours;
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
  const pacedMs = passed === 0 ? null : lastAheadMs + Math.ceil((lastAheadMs - nowMs) / passed);
  if (firstBehindMs === null) return pacedMs;
  const nextMs = Math.max(lastAheadMs, firstBehindMs);
  // All behind it need more: who is like it sets the pace.
  return isLast && !isLargest && pacedMs !== null ? Math.min(pacedMs, nextMs) : nextMs;
}
