import { expect, test } from "vitest";
import { batchOf } from "../../test/property/tracker-world.ts";
import type { Ack } from "./append.ts";
import type { SourceBatch } from "./core/batch.ts";
import { ingest, type IngestPort, STREAM_WINDOW } from "./ingest.ts";

/** A tracker that stores when it is told to. */
class SlowTracker implements IngestPort {
  readonly #waiting: {
    readonly batch: SourceBatch;
    readonly settle: (fault: Error | null) => void;
  }[] = [];
  received = 0;

  space(): Promise<void> {
    return Promise.resolve();
  }

  storeBatch(batch: SourceBatch): Promise<Ack> {
    this.received += 1;
    return new Promise((resolve, reject) => {
      const ack = { source: batch.source, position: batch.toPosition, error: "" };
      const settle = (fault: Error | null): void => (fault === null ? resolve(ack) : reject(fault));
      this.#waiting.push({ batch, settle });
    });
  }

  /** Answers what waits, the newest first. */
  settleAll(fault: Error | null = null): void {
    for (const { settle } of this.#waiting.splice(0).reverse()) settle(fault);
  }
}

async function* batches(count: number, read: { count: number }): AsyncGenerator<SourceBatch> {
  for (let i = 0; i < count; i++) {
    read.count += 1;
    yield batchOf({ from: i, to: i + 1, points: [] });
  }
}

async function collect(acks: AsyncIterable<Ack>): Promise<readonly Ack[]> {
  const all: Ack[] = [];
  for await (const ack of acks) all.push(ack);
  return all;
}

/** Lets everything happen that waits for nothing from outside. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("acknowledgements come in the order of the batches", async () => {
  const tracker = new SlowTracker();
  const acks = collect(ingest(batches(5, { count: 0 }), tracker));
  await settled();
  tracker.settleAll();
  expect((await acks).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
});

test("no more is read than the window holds until something is acknowledged", async () => {
  const tracker = new SlowTracker();
  const read = { count: 0 };
  const acks = collect(ingest(batches(200, read), tracker));
  await settled();
  expect(tracker.received).toBe(STREAM_WINDOW);
  expect(read.count).toBeLessThanOrEqual(STREAM_WINDOW + 1);
  while (tracker.received < 200) {
    tracker.settleAll();
    await settled();
  }
  tracker.settleAll();
  expect(await acks).toHaveLength(200);
});

test("a batch that can't be written ends the stream with the fault", async () => {
  const tracker = new SlowTracker();
  const acks = collect(ingest(batches(3, { count: 0 }), tracker));
  await settled();
  tracker.settleAll(new Error("disk full"));
  await expect(acks).rejects.toThrow("disk full");
});

test("a stream that breaks still gives out what was stored, then the error", async () => {
  async function* broken(): AsyncGenerator<SourceBatch> {
    yield* batches(2, { count: 0 });
    throw new Error("connection lost");
  }
  const tracker = new SlowTracker();
  const stream = ingest(broken(), tracker);
  const first = stream.next();
  await settled();
  tracker.settleAll();
  expect(await first).toMatchObject({ value: { position: 1 } });
  expect(await stream.next()).toMatchObject({ value: { position: 2 } });
  await expect(stream.next()).rejects.toThrow("connection lost");
});

test("when nobody wants acknowledgements any more, nothing more is read", async () => {
  const tracker = new SlowTracker();
  const read = { count: 0 };
  const stream = ingest(batches(200, read), tracker);
  const first = stream.next();
  await settled();
  tracker.settleAll();
  await first;
  await stream.return();
  const before = read.count;
  await settled();
  expect(read.count).toBeLessThanOrEqual(before + 1);
});
