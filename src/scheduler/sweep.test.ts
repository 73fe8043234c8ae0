import { expect, test } from "vitest";
import { MemoryStore } from "../../test/property/memory-store.ts";
import { Fault } from "../base/errors.ts";
import { digest } from "../base/ids.ts";
import { DAY_MS, HOUR_MS } from "../base/time.ts";
import { bundleKey } from "../checkpoint/core/keys.ts";
import { createLogger } from "../obs/log.ts";
import type { PutBundleRequest__Output } from "../rpc/gen/trainyard/v1/PutBundleRequest.ts";
import { Bundles } from "./bundles.ts";
import { createState } from "./core/apply.ts";
import { Sweep, type SweepParts } from "./sweep.ts";
import { TestTime } from "./service-fixture.ts";

const NOW_MS = 100 * DAY_MS;
const DIGEST = digest("ab".repeat(32));
const logger = createLogger({ level: "silent", name: "test", style: "json" });

/** A store in which the bundle lies for ten days already, and no job names it. */
function world(change: Partial<SweepParts> = {}) {
  const store = new MemoryStore();
  store.nowMs = NOW_MS - 10 * DAY_MS;
  void store.put(bundleKey(DIGEST), Buffer.from("code"));
  let monotonicMs = 0;
  const parts = { store, folder: "/nowhere", newId: () => "id", monotonicMs: () => monotonicMs };
  const bundles = new Bundles(parts);
  const deleted: number[] = [];
  const time = new TestTime();
  const sweep = new Sweep({
    brain: { state: () => createState(), nowMs: () => NOW_MS },
    objects: store,
    blobsOf: () => Promise.resolve([]),
    bundles,
    clusterId: "ours",
    timers: time,
    logger,
    onDeleted: (objects) => deleted.push(objects),
    ...change,
  });
  const pass = (ms: number): void => void (monotonicMs += ms);
  return { store, bundles, sweep, deleted, pass, time };
}

async function swept(sweep: Sweep): Promise<number> {
  const result = await sweep.run({ isDryRun: false });
  if ("kind" in result) throw new Error(result.message);
  await result.finished;
  return result.found.objects;
}

test("what a sweep deletes is counted; a dry run deletes nothing", async () => {
  const { sweep, store, deleted } = world();
  const dry = await sweep.run({ isDryRun: true });
  expect(dry).toMatchObject({ found: { objects: 1, sizeBytes: 4, isPartial: false } });
  expect(store.objects.has(bundleKey(DIGEST))).toBe(true);
  expect(await swept(sweep)).toBe(1);
  expect(deleted).toEqual([1]);
  expect([...store.objects.keys()]).toEqual(["cluster.json"]);
});

async function* upload(): AsyncGenerator<PutBundleRequest__Output> {
  yield { digest: DIGEST, sizeBytes: 4, data: Buffer.from("code") };
}

test("a bundle that somebody was told is there stays for an hour, for his job to name it", async () => {
  const { sweep, store, bundles, pass } = world();
  const answer = await bundles.receive(upload(), new AbortController().signal);
  expect(answer).toEqual({ wasThere: true });
  await swept(sweep);
  expect(store.objects.has(bundleKey(DIGEST))).toBe(true);
  pass(HOUR_MS + 1);
  await swept(sweep);
  expect(store.objects.has(bundleKey(DIGEST))).toBe(false);
  expect(await bundles.missing(DIGEST)).toMatchObject({ code: "BUNDLE_NOT_FOUND" });
});

test("who asks for a bundle while it is being deleted is not told that it is there", async () => {
  const { sweep, store, bundles } = world();
  let finish = (): void => undefined;
  const wait = new Promise<void>((resolve) => (finish = resolve));
  const reallyDelete = store.delete.bind(store);
  store.delete = (keys) => wait.then(() => reallyDelete(keys));
  const result = await sweep.run({ isDryRun: false });
  const asked = bundles.missing(DIGEST);
  finish();
  expect(await asked).toMatchObject({ code: "BUNDLE_NOT_FOUND" });
  if (!("kind" in result)) await result.finished;
});

test("a store that another cluster has claimed is left alone", async () => {
  const { sweep, store } = world();
  void store.put("cluster.json", Buffer.from('{"clusterId":"theirs"}\n'));
  expect(await sweep.run({ isDryRun: false })).toMatchObject({ code: "STORE_NOT_OWN" });
  expect(store.objects.has(bundleKey(DIGEST))).toBe(true);
});

test("where the store does not tell of uploads, objects are swept all the same", async () => {
  const { sweep, store } = world();
  const isDenied = new Fault("STORE_UNAVAILABLE", "no right to list uploads");
  store.unfinished = () =>
    ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(isDenied) }) }) as never;
  expect(await swept(sweep)).toBe(1);
});

test("one sweep at a time, and the next one when it is over", async () => {
  const { sweep } = world();
  const first = sweep.run({ isDryRun: true });
  expect(await sweep.run({ isDryRun: true })).toMatchObject({ code: "TOO_MANY_REQUESTS" });
  await first;
  expect(await swept(sweep)).toBe(1);
});
