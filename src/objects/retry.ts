// Retries of one call that failed for a passing reason. Long outages are not waited out here: the
// caller knows its deadline.

import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../base/errors.ts";

export interface RetryPolicy {
  /** Tries in all; at least 1. */
  readonly attempts: number;
  /** The longest first wait; doubles with each try. */
  readonly baseMs: number;
  readonly capMs: number;
}

/** About 3 s in all: rides over a dropped connection or a throttled second. */
export const QUICK_RETRY: RetryPolicy = { attempts: 5, baseMs: 150, capMs: 2_000 };

/** Tries again after faults that say they are retryable; anything else is thrown at once. */
export async function withRetry<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await run();
    } catch (error) {
      const isPassing = error instanceof Fault && error.isRetryable;
      if (!isPassing || attempt >= policy.attempts) throw error;
      await pause(backoffMs(policy, attempt), signal);
    }
  }
}

/** Full jitter: clients that failed together do not come back together. */
export function backoffMs(policy: Omit<RetryPolicy, "attempts">, attempt: number): number {
  const longest = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(attempt - 1, 30));
  return randomInt(Math.ceil(longest) + 1);
}

/** Waits; an abort ends it early with the signal's own reason. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
