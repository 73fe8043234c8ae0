import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Digest, digest } from "../base/ids.ts";
import { digestOf } from "../objects/digest.ts";
import { createBlobCache } from "./blob-cache.ts";

let root: string;
let dir: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ty-blobs-"));
  dir = join(root, "blobs");
});
afterEach(() => rm(root, { recursive: true, force: true }));

const named = (n: number): Digest => digest(String(n).repeat(64));

async function file(bytes: number): Promise<string> {
  const path = join(root, "file");
  await rm(path, { force: true });
  await writeFile(path, Buffer.alloc(bytes, "x"));
  return path;
}

test("the oldest go when there is more than may be, also of what an earlier life kept", async () => {
  const first = createBlobCache({ dir, maxBytes: 30 });
  for (const n of [1, 2, 3]) await first.offer(named(n), await file(10));
  await first.offer(named(1), await file(10));
  const second = createBlobCache({ dir, maxBytes: 30 });
  await second.offer(named(4), await file(10));
  await second.offer(named(5), await file(10));
  expect((await readdir(dir)).sort()).toEqual([named(1), named(4), named(5)]);
});

test("the folder is read once, not for each file that comes in", async () => {
  const cache = createBlobCache({ dir, maxBytes: 30 });
  await cache.offer(named(1), await file(10));
  // Counted, it would push the other out.
  await writeFile(join(dir, named(9)), Buffer.alloc(25));
  await cache.offer(named(2), await file(10));
  expect((await readdir(dir)).sort()).toEqual([named(1), named(2), named(9)]);
});

test("what was cleared away counts no more, and the cache goes on", async () => {
  const cache = createBlobCache({ dir, maxBytes: 25 });
  for (const n of [1, 2]) await cache.offer(named(n), await file(10));
  await cache.clear();
  for (const n of [3, 4]) await cache.offer(named(n), await file(10));
  expect((await readdir(dir)).sort()).toEqual([named(3), named(4)]);
});

test("an entry that went bad is thrown out, and a good one of its name is taken in", async () => {
  const cache = createBlobCache({ dir, maxBytes: 100 });
  const bytes = Buffer.from("good");
  const content = { digest: digestOf(bytes), sizeBytes: bytes.length };
  await cache.offer(content.digest, await file(4));
  expect(await cache.copyTo(join(root, "out"), content)).toBe(false);
  await writeFile(join(root, "good"), bytes);
  await cache.offer(content.digest, join(root, "good"));
  expect(await cache.copyTo(join(root, "out"), content)).toBe(true);
});
