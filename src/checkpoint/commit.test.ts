import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { idOf, JOB, World, zipOf } from "../../test/e2e/checkpoint-world.ts";
import { must } from "../base/assert.ts";
import { digest } from "../base/ids.ts";
import { digestOf } from "../objects/digest.ts";
import { createCommitter } from "./commit.ts";
import { blobKey, manifestKey, partKey } from "./core/keys.ts";

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(async () => {
  await world.close();
});

const committer = () => createCommitter({ objects: world.store });
const request = (step: number) => ({
  jobId: JOB,
  checkpointId: idOf(step),
  attempt: 1,
  step,
  parts: world.reported(step),
});

/** Stores a checkpoint of these files, each a rank's. */
async function store(step: number, contents: readonly Uint8Array[]): Promise<void> {
  for (const [rank, bytes] of contents.entries()) {
    const watch = world.watch({ rank, attempt: 1 });
    await world.write(`step-${step}/rank${rank}.pt`, bytes, rank);
    await watch.flush(30_000);
  }
}

describe("a commit", () => {
  test("makes one manifest of the parts of all ranks, which restores to the union", async () => {
    const contents = [zipOf(randomBytes(100)), zipOf(randomBytes(200))];
    await store(10, contents);
    const ref = await world.commit(10);
    expect((await world.keys()).at(-3)).toBe(manifestKey(idOf(10)));
    const { destDir, ...restored } = await world.restore(ref);
    expect(restored).toEqual({ step: 10, files: 2, bytesFetched: 352, bytesReused: 0 });
    for (const rank of [0, 1]) {
      const path = join(destDir, `step-10/rank${rank}.pt`);
      expect(await readFile(path)).toEqual(contents[rank]);
    }
  });

  test("counts a task without files as done", async () => {
    await store(10, [zipOf(randomBytes(100))]);
    world.parts[1] = [];
    expect(world.reported(10)[1]).toMatchObject({ rank: 1, digest: null });
    expect((await world.restore(await world.commit(10))).files).toBe(1);
  });

  test("twice is once", async () => {
    await store(10, [zipOf(randomBytes(100))]);
    expect((await world.commit(10)).manifestDigest).toBe((await world.commit(10)).manifestDigest);
  });

  test("writes the manifest last: none when a blob is missing or has another size", async () => {
    const bytes = zipOf(randomBytes(100));
    await store(10, [bytes]);
    const blob = blobKey(JOB, digestOf(bytes));
    await world.store.put(blob, bytes.subarray(1));
    const corrupt = { code: "STORE_CORRUPT", message: expect.stringContaining(blob) };
    await expect(committer().commit(request(10))).rejects.toMatchObject(corrupt);
    await world.store.delete([blob]);
    await expect(committer().commit(request(10))).rejects.toMatchObject(corrupt);
    expect(await world.store.head(manifestKey(idOf(10)))).toBeNull();
  });

  test("notices a store that acknowledged a blob and lost it", async () => {
    world.store.loses = (key) => key.includes("/blobs/");
    await store(10, [zipOf(randomBytes(100))]);
    await expect(committer().commit(request(10))).rejects.toMatchObject({ code: "STORE_CORRUPT" });
  });

  test("notices a part document that was changed", async () => {
    await store(10, [zipOf(randomBytes(100))]);
    const [part] = world.reported(10);
    const key = partKey(JOB, part?.digest ?? digest(""));
    const text = (await world.store.get(key))?.toString() ?? "";
    await world.store.put(key, Buffer.from(text.replace('"mode":420', '"mode":511')));
    await expect(committer().commit(request(10))).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      message: expect.stringContaining(key),
    });
  });

  test.each([
    ["step", { step: 11, checkpointId: idOf(11) }],
    ["attempt", { attempt: 2, checkpointId: idOf(10, 2) }],
    ["rank", { parts: [] }],
  ])("does not mix parts of another %s in", async (_what, change) => {
    await store(10, [zipOf(randomBytes(100))]);
    const parts = world.reported(10).map((part) => ({ ...part, rank: 1 }));
    const wrong = { ...request(10), ...change, ...("parts" in change ? { parts } : {}) };
    await expect(committer().commit(wrong)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect(await world.store.head(manifestKey(wrong.checkpointId))).toBeNull();
  });

  test("does not replace another manifest of the same checkpoint", async () => {
    await store(10, [zipOf(randomBytes(100))]);
    await world.store.put(manifestKey(idOf(10)), Buffer.from("{}"));
    await expect(committer().commit(request(10))).rejects.toMatchObject({ code: "STORE_CORRUPT" });
  });

  test("of shards without the coordinator's metadata never happens", async () => {
    const watch = world.watch();
    await world.write("step-10/__0_0.distcp", randomBytes(100));
    await watch.flush(30_000);
    await expect(committer().commit(request(10))).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      message: expect.stringContaining(".metadata"),
    });
  });

  test("while the store is away is a passing fault", async () => {
    await store(10, [zipOf(randomBytes(100))]);
    world.store.isAway = true;
    await expect(committer().commit(request(10))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      isRetryable: true,
    });
  });
});

describe("removing a checkpoint", () => {
  const base = zipOf(randomBytes(5000));

  async function twoSharingTheBase(): Promise<void> {
    const watch = world.watch();
    for (const step of [1, 2]) {
      await world.write(`step-${step}/base.pt`, base);
      await world.write(`step-${step}/own.pt`, zipOf(Buffer.from(String(step))));
      await world.stored(step);
      await world.commit(step);
    }
    await watch.stop({ isOver: false });
  }

  const removal = (step: number, retained: readonly number[]) => ({
    jobId: JOB,
    checkpointId: idOf(step),
    parts: world.reported(step),
    retainedParts: retained.flatMap((other) => world.reported(other)),
  });

  test("takes what no other checkpoint has, and leaves the others restorable", async () => {
    await twoSharingTheBase();
    await committer().remove(removal(1, [2]));
    expect(await world.keys()).toHaveLength(4);
    const ref = must(world.committed, "step 2 was committed");
    expect((await world.restore(ref)).files).toBe(2);
  });

  test("takes the manifest first, and goes on where it was broken off", async () => {
    await twoSharingTheBase();
    const order: string[] = [];
    world.store.before = async (method, key) => {
      if (method !== "delete") return;
      order.push(key);
      if (key.includes("/parts/")) throw new Error("power cut");
    };
    await expect(committer().remove(removal(1, [2]))).rejects.toThrow("power cut");
    expect(order[0]).toBe(manifestKey(idOf(1)));
    world.store.before = async () => {};
    await committer().remove(removal(1, [2]));
    await committer().remove(removal(1, [2]));
    expect(await world.keys()).toHaveLength(4);
  });

  test("deletes nothing when it cannot read what is to be kept", async () => {
    await twoSharingTheBase();
    const before = await world.keys();
    const gone = digest("0".repeat(64));
    const broken = { ...removal(1, []), retainedParts: [{ digest: gone }] };
    await expect(committer().remove(broken)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect(await world.keys()).toEqual(before);
  });
});

describe("a restore", () => {
  async function committed() {
    await store(10, [zipOf(randomBytes(2000)), zipOf(randomBytes(1000))]);
    return await world.commit(10);
  }

  test("refuses a manifest that is not the one it was told, or is gone", async () => {
    const ref = await committed();
    const key = manifestKey(ref.checkpointId);
    const text = (await world.store.get(key))?.toString() ?? "";
    await world.store.put(key, Buffer.from(text.replace('"step":10', '"step":11')));
    const refusal = { refusal: { code: "STORE_CORRUPT", message: expect.stringContaining(key) } };
    await expect(world.restore(ref)).rejects.toMatchObject(refusal);
    await world.store.delete([key]);
    await expect(world.restore(ref)).rejects.toMatchObject(refusal);
  });

  test("refuses wrong bytes of the right size, by key", async () => {
    const ref = await committed();
    const blob = (await world.keys()).find((key) => key.includes("/blobs/")) ?? "";
    const bytes = (await world.store.get(blob)) ?? Buffer.alloc(0);
    bytes[7] = (bytes[7] ?? 0) ^ 1;
    await world.store.put(blob, bytes);
    await expect(world.restore(ref)).rejects.toMatchObject({
      refusal: { code: "STORE_CORRUPT", message: expect.stringContaining(blob) },
    });
  });

  test("while the store is away is a passing fault, and goes on where it stopped", async () => {
    const ref = await committed();
    let left = 1;
    world.store.before = async (method) => {
      if (method !== "getFile") return;
      if (left === 0) world.store.isAway = true;
      left -= 1;
    };
    world.store.isAway = true;
    const away = { code: "STORE_UNAVAILABLE", isRetryable: true };
    await expect(world.restore(ref)).rejects.toMatchObject(away);
    world.store.isAway = false;
    await world.restore(ref);
    world.store.isAway = false;
    world.store.before = async () => {};
    const again = await world.restore(ref);
    expect(again).toMatchObject({ bytesFetched: 0, bytesReused: 3052 });
  });

  test("takes from the node's cache what is there, and trusts it no more than the store", async () => {
    const ref = await committed();
    expect(await world.restore(ref, "warm", world.cache)).toMatchObject({ bytesFetched: 0 });
    const source = join(world.dir(0), "step-10/rank0.pt");
    const bytes = await readFile(source);
    // The trainer rewrites its file in place: the cache's link sees that.
    await writeFile(source, zipOf(randomBytes(2000)));
    const { destDir, ...counts } = await world.restore(ref, "spoiled", world.cache);
    expect(counts).toMatchObject({ bytesFetched: 2026, bytesReused: 1026 });
    expect(await readFile(join(destDir, "step-10/rank0.pt"))).toEqual(bytes);
  });

  test("gives files that the script may change without harm to the next restore", async () => {
    const ref = await committed();
    const first = await world.restore(ref, "first", world.cache);
    await writeFile(join(first.destDir, "step-10/rank0.pt"), "changed");
    const second = await world.restore(ref, "second", world.cache);
    const bytes = await readFile(join(second.destDir, "step-10/rank0.pt"));
    expect(bytes).toEqual(await readFile(join(world.dir(0), "step-10/rank0.pt")));
  });

  test("done again fetches anew what was changed meanwhile", async () => {
    const ref = await committed();
    const { destDir } = await world.restore(ref);
    const path = join(destDir, "step-10/rank0.pt");
    const bytes = await readFile(path);
    await writeFile(path, Buffer.alloc(bytes.length));
    expect(await world.restore(ref)).toMatchObject({ bytesFetched: 2026, bytesReused: 1026 });
    expect(await readFile(path)).toEqual(bytes);
  });

  test("does not mix with other files that are in its folder", async () => {
    const ref = await committed();
    await mkdir(join(world.root, "restored"));
    await writeFile(join(world.root, "restored", "step-9.pt"), "x");
    await expect(world.restore(ref)).rejects.toMatchObject({
      code: "LOCAL_FILE",
      message: expect.stringContaining("step-9.pt"),
    });
  });

  test("clears halves of files that a broken-off try has left", async () => {
    const ref = await committed();
    const folder = join(world.root, "restored", "step-10");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "rank0.pt.part"), "half");
    await writeFile(join(folder, `rank1.pt.${crypto.randomUUID()}.part`), "half");
    expect((await world.restore(ref, "restored", world.cache)).files).toBe(2);
  });

  test("keeps permission bits", async () => {
    const path = await world.write("step-10.pt", zipOf(randomBytes(10)));
    await chmod(path, 0o640);
    await world.watch().flush(30_000);
    const { destDir } = await world.restore(await world.commit(10));
    expect((await stat(join(destDir, "step-10.pt"))).mode & 0o777).toBe(0o640);
  });
});
