// At least once on the wire, exactly once in the store: whatever is lost, doubled, reordered or cut
// anew, and whoever restarts, once everything is well again the store holds exactly what was sent.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { SourceBatch } from "../../src/tracker/core/batch.ts";
import type { Point } from "../../src/tracker/core/points.ts";
import type { TrackerCrashPoint } from "../../src/tracker/writer.ts";
import { batchOf, currentPoints, TrackerWorld } from "./tracker-world.ts";

const SOURCES = 3;
const POINTS_OF_SOURCE = 60;
/** Positions are bytes of a log file, not counts of points. */
const BYTES_OF_POINT = 10;

type Step =
  | { readonly kind: "send"; readonly source: number; readonly back: number; readonly size: number }
  | { readonly kind: "deliver"; readonly which: number; readonly isKept: boolean }
  | { readonly kind: "together"; readonly count: number }
  | { readonly kind: "lose"; readonly which: number }
  | { readonly kind: "restart-sender"; readonly source: number; readonly asks: boolean }
  | { readonly kind: "restart-tracker" }
  | { readonly kind: "crash"; readonly at: TrackerCrashPoint; readonly which: number };

const source = fc.nat(SOURCES - 1);
const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("send"),
      source,
      back: fc.nat(4),
      size: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("deliver"), which, isKept: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("together"), count: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("lose"), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("restart-sender"), source, asks: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart-tracker") }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("crash"),
      at: fc.constantFrom("tracker.before-commit", "tracker.after-commit"),
      which,
    }),
  },
) as fc.Arbitrary<Step>;

function pointsOf(from: number): readonly Point[] {
  return Array.from({ length: POINTS_OF_SOURCE }, (_, i) => ({
    step: i,
    timestampMs: 1_000 + i,
    value: from * 1_000 + i,
  }));
}

class CrashHere extends Error {}

/** Agents with a log file each, a network that loses and doubles, and the tracker. */
class Cluster {
  readonly #world = new TrackerWorld();
  readonly #network: SourceBatch[] = [];
  /** Where each sender would go on, as far as it knows. */
  readonly #next: number[] = Array.from({ length: SOURCES }, () => 0);
  #crashAt: TrackerCrashPoint | null = null;

  async open(): Promise<void> {
    const crashPoint = (point: TrackerCrashPoint): void => {
      if (point === this.#crashAt) throw new CrashHere();
    };
    await this.#world.open({ crashPoint });
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const action of steps) await this.#do(action);
  }

  /** The end of all faults: each sender sends until everything is acknowledged. */
  async heal(): Promise<void> {
    for (let i = 0; i < SOURCES; i++) {
      while ((this.#next[i] ?? 0) < POINTS_OF_SOURCE) await this.#deliver(this.#cut(i, 0, 13));
    }
  }

  /** Points of each sender in the order in which they are stored. */
  async stored(): Promise<readonly (readonly Point[])[]> {
    const points = await currentPoints(this.#world.tracker);
    return Array.from({ length: SOURCES }, (_, i) =>
      points.filter(({ value }) => Math.floor(value / 1_000) === i),
    );
  }

  remove(): Promise<void> {
    return this.#world.remove();
  }

  async #do(action: Step): Promise<void> {
    switch (action.kind) {
      case "send":
        this.#network.push(this.#cut(action.source, action.back, action.size));
        return;
      case "deliver":
        return this.#deliver(this.#takeMessage(action.which, action.isKept));
      case "together":
        await Promise.all(
          this.#network.splice(0, action.count).map((batch) => this.#deliver(batch)),
        );
        return;
      case "lose":
        this.#takeMessage(action.which, false);
        return;
      case "restart-sender":
        this.#next[action.source] = action.asks
          ? this.#world.tracker.sourcePosition(`job-1/1/${action.source}`) / BYTES_OF_POINT
          : 0;
        return;
      case "restart-tracker":
        await this.#world.close();
        return this.open();
      case "crash":
        return this.#crash(action.at, action.which);
    }
  }

  /** A batch of `size` points that starts `back` points before where the sender is. */
  #cut(sender: number, back: number, size: number): SourceBatch {
    const from = Math.max(0, (this.#next[sender] ?? 0) - back);
    const to = Math.min(POINTS_OF_SOURCE, from + size);
    this.#next[sender] = to;
    return batchOf({
      source: `job-1/1/${sender}`,
      from: from * BYTES_OF_POINT,
      to: to * BYTES_OF_POINT,
      points: pointsOf(sender).slice(from, to),
    });
  }

  async #deliver(batch: SourceBatch | null): Promise<void> {
    if (batch === null) return;
    const ack = await this.#world.tracker.storeBatch(batch);
    if (ack.error !== "") throw new Error(`a sound batch was refused: ${ack.error}`);
    this.#next[Number(batch.source.split("/")[2])] = ack.position / BYTES_OF_POINT;
  }

  #takeMessage(index: number, isKept: boolean): SourceBatch | null {
    if (this.#network.length === 0) return null;
    const at = index % this.#network.length;
    const message = this.#network[at] ?? null;
    if (!isKept) this.#network.splice(at, 1);
    return message;
  }

  /** The tracker goes down while it writes; the sender hears nothing. */
  async #crash(at: TrackerCrashPoint, index: number): Promise<void> {
    this.#crashAt = at;
    await this.#deliver(this.#takeMessage(index, false)).catch((error: unknown) => {
      if (!(error instanceof CrashHere)) throw error;
    });
    this.#crashAt = null;
    await this.#world.close();
    await this.open();
  }
}

test("any interleaving of faults ends with exactly the senders' points", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120, size: "max" }), async (steps) => {
      const cluster = new Cluster();
      await cluster.open();
      try {
        await cluster.run(steps);
        await cluster.heal();
        const sent = Array.from({ length: SOURCES }, (_, i) => pointsOf(i));
        expect(await cluster.stored()).toEqual(sent);
      } finally {
        await cluster.remove();
      }
    }),
    { numRuns: 150 },
  );
});
