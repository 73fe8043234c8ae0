import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contentOf } from "./digest.ts";
import { errnoOf } from "./faults.ts";
import { HASH_THREAD } from "./hash-thread.ts";

let dir: string;
let path: string;
const bytes = Buffer.alloc(20 * 1024 * 1024, "weights");
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ty-hash-"));
  path = join(dir, "model.pt");
  await writeFile(path, bytes);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const WHAT_IT_IS = {
  sizeBytes: bytes.length,
  digest: createHash("sha256").update(bytes).digest("hex"),
};

test("a large file is what it is, several at once", async () => {
  const found = await Promise.all([contentOf(path), contentOf(path), contentOf(path)]);
  expect(found).toEqual([WHAT_IT_IS, WHAT_IT_IS, WHAT_IT_IS]);
});

test("hashing a large file costs the event loop's own thread next to nothing", async () => {
  await HASH_THREAD.contentOf(path);
  const before = performance.eventLoopUtilization();
  await Promise.all(Array.from({ length: 10 }, () => HASH_THREAD.contentOf(path)));
  // 200 MiB: on this thread it would be busy for all of the time, whatever the machine's speed.
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
});

test("a file that is not there is told with its errno", async () => {
  const gone: unknown = await HASH_THREAD.contentOf(join(dir, "gone")).catch((error) => error);
  expect(errnoOf(gone)).toBe("ENOENT");
});

test("who breaks it off does not wait, and the next one is served", async () => {
  const stopper = new AbortController();
  const broken = HASH_THREAD.contentOf(path, stopper.signal);
  stopper.abort(new Error("enough"));
  await expect(broken).rejects.toThrow("enough");
  expect(await HASH_THREAD.contentOf(path)).toEqual(WHAT_IT_IS);
});
