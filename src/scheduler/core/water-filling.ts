// Weighted max-min over several resources (DRF, Ghodsi et al., NSDI'11): everyone's dominant share
// rises with its weight until a resource runs out for those who need it; the others rise on. In
// whole numbers: the sum of what is given is never more than there is, and nothing that somebody
// could take is left for rounding.

import { must } from "../../base/assert.ts";
import { RESOURCE_KINDS, type Resources } from "../../base/resources.ts";
import { scaleDown, scaleUp } from "./ratio.ts";

export interface Bounds {
  /** Nothing is given to weight 0. */
  readonly weight: number;
  /** What is due may grow up to here. */
  readonly most: Resources;
  readonly claim: { due: Resources };
}

/** `a + times * b`. */
export function plus(a: Resources, b: Resources, times = 1): Resources {
  return {
    gpus: a.gpus + times * b.gpus,
    cpuMilli: a.cpuMilli + times * b.cpuMilli,
    memoryMib: a.memoryMib + times * b.memoryMib,
  };
}

/** A claim that is still rising. `steps` parts of `lack` have been given so far. */
interface Rising {
  readonly bounds: Bounds;
  readonly lack: Resources;
  /** Parts into which `lack` is divided: its dominant amount, so that shares compare by parts. */
  readonly parts: number;
  given: number;
}

/**
 * Pours `rest` into the claims and returns what is left; shares are measured against `whole`. What
 * does not divide goes to the first in the list.
 */
export function fill(list: readonly Bounds[], rest: Resources, whole: Resources): Resources {
  let open = list.map((bounds) => risingOf(bounds, whole)).filter(({ parts }) => parts > 0);
  let left = rest;
  while (open.length > 0) {
    const weights = open.reduce((sum, { bounds }) => sum + bounds.weight, 0);
    const before = open.map(({ given }) => given);
    const at = (level: number, index: number): number => {
      const one = open[index];
      if (one === undefined) return 0;
      const rise = scaleDown(level, one.bounds.weight, weights);
      return Math.min(one.parts, (before[index] ?? 0) + rise);
    };
    const level = highest(open, left, at, weights);
    open.forEach((one, index) => {
      left = give(one, at(level, index), left);
    });
    open.forEach((one, index) => {
      if (at(level + 1, index) > one.given) left = giveOneMore(one, left);
    });
    // Who can't rise by a single part any more has met a resource that is used up.
    const still = open.filter((one) => one.given < one.parts && fits(riseOf(one, 1), left));
    if (still.length === open.length && still.every((one, at) => one.given === before[at])) {
      left = giveOneMore(still[0], left);
    }
    open = still.filter((one) => one.given < one.parts);
  }
  return left;
}

function risingOf(bounds: Bounds, whole: Resources): Rising {
  const lack = plus(bounds.most, bounds.claim.due, -1);
  let parts = 0;
  if (bounds.weight > 0) {
    for (const kind of RESOURCE_KINDS) {
      if (lack[kind] <= 0 || whole[kind] === 0) continue;
      const unit = whole.gpus === 0 ? WHOLE_WITHOUT_GPUS : whole.gpus;
      parts = Math.max(parts, scaleUp(lack[kind], unit, whole[kind]));
    }
  }
  return { bounds, lack, parts, given: 0 };
}

const WHOLE_WITHOUT_GPUS = 1_000_000;

/** The highest level at which everything still fits, found by halving. */
function highest(
  open: readonly Rising[],
  left: Resources,
  at: (level: number, index: number) => number,
  weights: number,
): number {
  // Asked dozens of times over all queues: nothing is allocated.
  const isRoom = (level: number): boolean => {
    let [gpus, cpuMilli, memoryMib] = [left.gpus, left.cpuMilli, left.memoryMib];
    for (let index = 0; index < open.length; index += 1) {
      const one = must(open[index], "open");
      const upTo = at(level, index);
      if (upTo === one.given) continue;
      gpus -= amountAt(one, one.lack.gpus, upTo) - amountAt(one, one.lack.gpus, one.given);
      cpuMilli -=
        amountAt(one, one.lack.cpuMilli, upTo) - amountAt(one, one.lack.cpuMilli, one.given);
      memoryMib -=
        amountAt(one, one.lack.memoryMib, upTo) - amountAt(one, one.lack.memoryMib, one.given);
      if (gpus < 0 || cpuMilli < 0 || memoryMib < 0) return false;
    }
    return true;
  };
  let low = 0;
  let high = open.reduce(
    (most, { bounds, parts }) => Math.max(most, scaleUp(parts, weights, bounds.weight) + 1),
    1,
  );
  if (isRoom(high)) return high;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (isRoom(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** What `more` parts come to, beyond what was given. */
function riseOf(one: Rising, more: number): Resources {
  const { lack, given } = one;
  const of = (amount: number): number =>
    amountAt(one, amount, given + more) - amountAt(one, amount, given);
  return { gpus: of(lack.gpus), cpuMilli: of(lack.cpuMilli), memoryMib: of(lack.memoryMib) };
}

const amountAt = ({ parts }: Rising, amount: number, given: number): number =>
  amount <= 0 ? 0 : scaleDown(amount, given, parts);

function give(one: Rising, upTo: number, left: Resources): Resources {
  const rise = riseOf(one, upTo - one.given);
  one.given = upTo;
  one.bounds.claim.due = plus(one.bounds.claim.due, rise);
  return plus(left, rise, -1);
}

function giveOneMore(one: Rising | undefined, left: Resources): Resources {
  if (one === undefined || one.given >= one.parts || !fits(riseOf(one, 1), left)) return left;
  return give(one, one.given + 1, left);
}

const fits = (asked: Resources, left: Resources): boolean =>
  RESOURCE_KINDS.every((kind) => asked[kind] === 0 || asked[kind] <= left[kind]);
