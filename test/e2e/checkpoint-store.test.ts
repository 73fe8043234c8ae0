// Checkpoints through a real S3 server, and onto a disk that is really full.

import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createCommitter } from "../../src/checkpoint/commit.ts";
import { blobKey } from "../../src/checkpoint/core/keys.ts";
import { contentOf, digestOf } from "../../src/objects/digest.ts";
import { openFolderStore } from "../../src/objects/folder.ts";
import { openS3Store } from "../../src/objects/s3.ts";
import { parseObjectStoreUrl } from "../../src/objects/url.ts";
import { idOf, JOB, World, zipOf } from "./checkpoint-world.ts";
import { makeBucket, type S3Server, startS3, whyNoS3 } from "./objects-rgw.ts";

const MIB = 1024 * 1024;
const run = promisify(execFile);
const why = await whyNoS3();

describe.skipIf(why !== null)(`checkpoints in S3${why === null ? "" : `: skipped, ${why}`}`, () => {
  const bucket = `trainyard-${randomUUID()}`;
  let server: S3Server;
  let world: World;
  beforeAll(async () => {
    server = await startS3();
    await makeBucket(server.endpoint, bucket);
  });
  afterAll(async () => {
    await server?.stop();
  });
  beforeEach(async () => {
    const url = parseObjectStoreUrl(`s3://${bucket}/${randomUUID()}?endpoint=${server.endpoint}`);
    if (url.kind !== "s3") throw new Error(JSON.stringify(url));
    world = await World.open(await openS3Store(url, { partBytesMin: 5 * MIB }));
  });
  afterEach(async () => {
    await world.close();
    await world.store.close();
  });

  test("go up in parts, are committed, come back the same, and are removed", async () => {
    const large = zipOf(randomBytes(12 * MIB));
    world.watch();
    await world.write("step-1/model.pt", large);
    await world.write("step-1/rng.pt", zipOf(randomBytes(100)));
    await world.stored(1);
    const ref = await world.commit(1);
    const { destDir, files } = await world.restore(ref);
    expect(files).toBe(2);
    expect((await readFile(join(destDir, "step-1/model.pt"))).equals(large)).toBe(true);
    await createCommitter({ objects: world.store }).remove({
      jobId: JOB,
      checkpointId: idOf(1),
      parts: world.reported(1),
      retainedParts: [],
    });
    expect(await world.keys()).toEqual([]);
  });

  test("wait for a server that is away, and a wrong blob there is noticed", async () => {
    const bytes = zipOf(randomBytes(MIB));
    world.store.isAway = true;
    const watch = world.watch();
    await world.write("step-1.pt", bytes);
    const flushed = watch.flush(60_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    world.store.isAway = false;
    await flushed;
    const ref = await world.commit(1);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    const key = (await world.keys()).find((one) => one.includes("/blobs/")) ?? "";
    await world.store.put(key, bytes);
    await expect(world.restore(ref)).rejects.toMatchObject({
      refusal: { code: "STORE_CORRUPT", message: expect.stringContaining(key) },
    });
  });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("full-disk tests are skipped: mounting a small tmpfs needs root.");

describe.skipIf(!isRoot)("a full disk", () => {
  let world: World;
  let small: string;
  beforeEach(async () => {
    world = await World.open();
    small = join(world.root, "small");
    await mkdir(small);
    await run("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", small]);
  });
  afterEach(async () => {
    await run("umount", [small]);
    await world.close();
  });

  async function committed(sizeBytes: number) {
    await world.write("step-1.pt", zipOf(randomBytes(sizeBytes)));
    await world.watch().flush(30_000);
    return await world.commit(1);
  }

  test("is told before a restore begins, with both numbers", async () => {
    const ref = await committed(8 * MIB);
    await expect(world.restore(ref, "small/restored")).rejects.toMatchObject({
      code: "DISK_FULL",
      message: expect.stringMatching(/9 MiB are needed and 4 MiB free/),
    });
  });

  test("that fills up during a download is named, and leaves no half of a file", async () => {
    const bytes = randomBytes(8 * MIB);
    const content = { sizeBytes: bytes.length, digest: digestOf(bytes) };
    const key = blobKey(JOB, content.digest);
    await world.store.put(key, bytes);
    const path = join(small, "file");
    await expect(world.store.getFile(key, path, content)).rejects.toMatchObject({
      code: "DISK_FULL",
      message: expect.stringContaining(small),
    });
    expect(await readdir(small)).toEqual([]);
  });

  test("under the store itself is the store's trouble, passes, and leaves nothing half", async () => {
    const store = await openFolderStore(join(small, "store"), { create: true, nowMs: Date.now() });
    const path = await world.write("large", randomBytes(8 * MIB));
    const put = store.putFile("large", path, await contentOf(path));
    await expect(put).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      isRetryable: true,
      message: expect.stringContaining("disk is full"),
    });
    expect(await store.head("large")).toBeNull();
    expect(await readdir(join(small, "store", ".tmp"))).toEqual([]);
    await store.put("small", Buffer.from("x"));
  });
});
