// Decayed use of a queue: what it used counts half after each half-life. Owns the one formula; who
// stores the result and when is not its business. Numbers of whole units: milliseconds of thousandths of
// a core, or of MiB, would be too large to be exact on a large cluster.

import type { Resources } from "../../base/resources.ts";

/** What is kept of a queue's past, up to `usageAtMs`. */
export interface PastUse {
  readonly usageGpuMs: number;
  readonly usageCoreMs: number;
  readonly usageGibMs: number;
  readonly usageAtMs: number;
}

export const NO_PAST = { usageGpuMs: 0, usageCoreMs: 0, usageGibMs: 0 } as const;

/** The past at `nowMs`, with what it held since; see `chargedUsage`. */
export function chargedPast(
  { usageGpuMs, usageCoreMs, usageGibMs, usageAtMs }: PastUse,
  { gpus, cpuMilli, memoryMib }: Resources,
  nowMs: number,
  halfLifeMs: number,
): PastUse {
  const charged = (usage: number, amount: number): number =>
    chargedUsage(usage, usageAtMs, amount, nowMs, halfLifeMs);
  return {
    usageGpuMs: charged(usageGpuMs, gpus),
    usageCoreMs: charged(usageCoreMs, cpuMilli / MILLI_PER_CORE),
    usageGibMs: charged(usageGibMs, memoryMib / MIB_PER_GIB),
    usageAtMs: nowMs,
  };
}

const MILLI_PER_CORE = 1_000;
export const MIB_PER_GIB = 1_024;

/**
 * GPU milliseconds charged at `nowMs`: `usageGpuMs` as it stood at `usageAtMs`, decayed since, and
 * what `allocatedGpus` used in between, decayed as it accrued. It tends to `allocatedGpus *
 * usageTimeConstantMs(halfLifeMs)` while nothing changes.
 *
 * A whole number, at least 0; a clock that ran backwards charges nothing. Each call rounds by at
 * most half a GPU millisecond, so even a charge for one millisecond of one GPU is kept.
 * `halfLifeMs` 0 = the past does not count: always 0.
 */
export function chargedUsage(
  usageGpuMs: number,
  usageAtMs: number,
  allocatedGpus: number,
  nowMs: number,
  halfLifeMs: number,
): number {
  if (halfLifeMs <= 0) return 0;
  if (usageGpuMs === 0 && allocatedGpus === 0) return 0;
  const elapsedMs = Math.max(0, nowMs - usageAtMs);
  if (elapsedMs === 0) return usageGpuMs;
  const timeConstantMs = halfLifeMs / Math.LN2;
  // expm1 keeps the digits that 1 - exp(-x) loses when a millisecond meets a half-life of days.
  const decayed = -Math.expm1(-elapsedMs / timeConstantMs);
  const kept = usageGpuMs * (1 - decayed);
  return Math.max(0, Math.round(kept + allocatedGpus * timeConstantMs * decayed));
}

/** Whole milliseconds by which a GPU held for ever is charged; 0 when the past does not count. */
export function usageTimeConstantMs(halfLifeMs: number): number {
  return halfLifeMs <= 0 ? 0 : Math.round(halfLifeMs / Math.LN2);
}
