import { createHash } from "node:crypto";
import { mkdtemp, open, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { beginHash, contentOf, copyToNew, sharedBuffer } from "./digest.ts";

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
  await contentOf(path);
  const before = performance.eventLoopUtilization();
  await Promise.all(Array.from({ length: 10 }, () => contentOf(path)));
  // 200 MiB: on this thread it would be busy for all of the time, whatever the machine's speed.
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
});

test("so does copying one, which is hashed on its way", async () => {
  await contentOf(path);
  const before = performance.eventLoopUtilization();
  for (let round = 0; round < 5; round += 1) {
    const from = await open(path, "r");
    const copy = join(dir, `copy-${round}`);
    expect(await copyToNew(from, copy, bytes.length)).toEqual(WHAT_IT_IS);
    await from.close();
    expect((await stat(copy)).size).toBe(bytes.length);
  }
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
});

test("a file that is not there is told with its path", async () => {
  const gone = contentOf(join(dir, "gone"));
  await expect(gone).rejects.toMatchObject({
    code: "LOCAL_FILE",
    message: expect.stringContaining("gone"),
  });
});

test("who breaks it off does not wait, and the next one is served", async () => {
  const stopper = new AbortController();
  const broken = contentOf(path, { signal: stopper.signal });
  stopper.abort(new Error("enough"));
  await expect(broken).rejects.toThrow("enough");
  expect(await contentOf(path)).toEqual(WHAT_IT_IS);
});

test("hashes that run side by side do not mix", async () => {
  const hashes = [beginHash(bytes.length), beginHash(bytes.length)] as const;
  const slices = ["one", "two", "three", "four"].map((text) => {
    const slice = sharedBuffer(text.length);
    slice.write(text);
    return slice;
  });
  await Promise.all(slices.map((slice, index) => hashes[index % 2 === 0 ? 0 : 1].update(slice)));
  const [even, odd] = await Promise.all(hashes.map((hash) => hash.digest()));
  expect(even).toBe(createHash("sha256").update("onethree").digest("hex"));
  expect(odd).toBe(createHash("sha256").update("twofour").digest("hex"));
});
