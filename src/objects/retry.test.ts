import { describe, expect, test } from "vitest";
import { Fault } from "../base/errors.ts";
import { createSlots, forEachLimited } from "./parallel.ts";
import { backoffMs, withRetry } from "./retry.ts";

const POLICY = { attempts: 3, baseMs: 1, capMs: 2 };
const passing = new Fault("STORE_UNAVAILABLE", "busy");

/** Fails with each error in turn, then answers. */
function failing(...errors: readonly Error[]) {
  let calls = 0;
  const run = async (): Promise<number> => {
    const error = errors[calls];
    calls += 1;
    if (error !== undefined) throw error;
    return calls;
  };
  return { run, calls: () => calls };
}

describe("a retry", () => {
  test("rides over passing trouble", async () => {
    expect(await withRetry(POLICY, undefined, failing(passing, passing).run)).toBe(3);
  });

  test("gives up after as many tries as it was given", async () => {
    const { run, calls } = failing(passing, passing, passing, passing);
    await expect(withRetry(POLICY, undefined, run)).rejects.toBe(passing);
    expect(calls()).toBe(3);
  });

  test("tries nothing again that cannot get better", async () => {
    for (const error of [
      new Fault("STORE_CORRUPT", "wrong", { isRetryable: false }),
      new Error("bug"),
    ]) {
      const { run, calls } = failing(error);
      await expect(withRetry(POLICY, undefined, run)).rejects.toBe(error);
      expect(calls()).toBe(1);
    }
  });

  test("ends with the reason of an abort, also in the middle of a wait", async () => {
    const abort = new AbortController();
    const { run } = failing(passing);
    const policy = { attempts: 2, baseMs: 1e9, capMs: 1e9 };
    const ended = withRetry(policy, abort.signal, async () => {
      setTimeout(() => abort.abort(new Error("enough")), 5);
      return await run();
    });
    await expect(ended).rejects.toThrow("enough");
  });

  test("waits longer each time, up to the cap", () => {
    for (let attempt = 1; attempt < 100; attempt += 1) {
      const ms = backoffMs({ baseMs: 100, capMs: 1000 }, attempt);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(Math.min(1000, 100 * 2 ** (attempt - 1)));
    }
  });
});

describe("bounded concurrency", () => {
  test("works on all items, on no more than its limit at once", async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await forEachLimited([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      done.push(item);
    });
    expect(most).toBe(3);
    expect(done).toHaveLength(7);
    expect(new Set(done)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]));
  });

  test("begins nothing after a failure, and ends only when nothing runs", async () => {
    const begun: number[] = [];
    let finished = 0;
    const work = forEachLimited([1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      if (item === 1) throw new Error("first");
      await new Promise((resolve) => setTimeout(resolve, 5));
      finished += 1;
    });
    await expect(work).rejects.toThrow("first");
    expect({ begun, finished }).toEqual({ begun: [1, 2], finished: 1 });
  });

  test("slots go to those who wait, in their order", async () => {
    const slots = createSlots(1);
    const order: string[] = [];
    const use = async (name: string): Promise<void> => {
      const release = await slots.acquire();
      order.push(name);
      await new Promise((resolve) => setImmediate(resolve));
      release();
    };
    await Promise.all(["a", "b", "c"].map(use));
    expect(order).toEqual(["a", "b", "c"]);
  });
});
