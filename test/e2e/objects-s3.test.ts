// The contract against a real S3 server, and what only S3 can get wrong.

import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RefusalError } from "../../src/base/errors.ts";
import { DAY_MS } from "../../src/base/time.ts";
import { blobKey } from "../../src/checkpoint/core/keys.ts";
import { contentOf, digestOf } from "../../src/objects/digest.ts";
import { forEachLimited } from "../../src/objects/parallel.ts";
import { openObjectStore } from "../../src/objects/open.ts";
import type { ObjectStore, UnfinishedUpload } from "../../src/objects/port.ts";
import { openS3Store } from "../../src/objects/s3.ts";
import { parseObjectStoreUrl, type S3Url } from "../../src/objects/url.ts";
import { createLogger } from "../../src/obs/log.ts";
import { World } from "../../src/scheduler/core/fixture.ts";
import { Sweep } from "../../src/scheduler/sweep.ts";
import { describeObjectStore } from "./objects-contract.ts";
import { makeBucket, type S3Server, startS3, whyNoS3 } from "./objects-rgw.ts";

const MIB = 1024 * 1024;
const PART_BYTES = 5 * MIB;
const CLOCK = { nowMs: () => 0, monotonicMs: () => 0 };
const why = await whyNoS3();

describe.skipIf(why !== null)(`S3${why === null ? "" : `: skipped, ${why}`}`, () => {
  const bucket = `trainyard-${randomUUID()}`;
  let server: S3Server;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "trainyard-s3-"));
    server = await startS3();
    await makeBucket(server.endpoint, bucket);
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const s3Url = (rest = ""): S3Url => {
    const url = parseObjectStoreUrl(
      `s3://${bucket}/some/prefix?endpoint=${server.endpoint}${rest}`,
    );
    if (url.kind !== "s3") throw new Error(JSON.stringify(url));
    return url;
  };
  const open = async (): Promise<ObjectStore> =>
    await openS3Store(s3Url(), { partBytesMin: PART_BYTES });

  describeObjectStore("S3 (Ceph RGW)", PART_BYTES, open);

  test("checksum headers may be on as well", async () => {
    const store = await openS3Store(s3Url("&checksums=when_supported"), {
      partBytesMin: PART_BYTES,
    });
    const path = join(folder, "summed");
    await writeFile(path, randomBytes(2 * PART_BYTES + 1));
    const content = await contentOf(path);
    expect(await store.putFile("summed", path, content)).toBe("stored");
    await store.getFile("summed", `${path}.down`, content);
    await store.put("summed-small", Buffer.from("x"));
    await store.close();
  });

  test("a list of more than a thousand keys is whole", async () => {
    const store = await open();
    const keys = Array.from(
      { length: 1100 },
      (_, index) => `many/${String(index).padStart(4, "0")}`,
    );
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, Buffer.from("x"))));
    }
    const found: string[] = [];
    for await (const { key } of store.list("many/")) found.push(key);
    expect(found).toEqual(keys);
    await store.delete(keys);
    await store.close();
  });

  test("a bucket that is not there is named at the start", async () => {
    const url = `s3://no-such-bucket-here?endpoint=${server.endpoint}`;
    await expect(openObjectStore(url, { clock: CLOCK })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      isRetryable: false,
      message: expect.stringMatching(/no-such-bucket-here.*Create it or correct the URL/),
    });
  });

  test("wrong credentials are not retried and the message says what to check", async () => {
    const before = process.env["AWS_SECRET_ACCESS_KEY"];
    process.env["AWS_SECRET_ACCESS_KEY"] = "WRONG";
    try {
      await expect(open()).rejects.toMatchObject({
        isRetryable: false,
        message: expect.stringContaining("Check the credentials"),
      });
    } finally {
      process.env["AWS_SECRET_ACCESS_KEY"] = before;
    }
  });

  test("a server that does not answer is retryable and named", async () => {
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(0, "127.0.0.1", resolve));
    const address = dead.address();
    const port = typeof address === "object" ? address?.port : 0;
    await new Promise((resolve) => dead.close(resolve));
    const url = `s3://${bucket}?endpoint=http://127.0.0.1:${port}`;
    await expect(openObjectStore(url, { clock: CLOCK })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      isRetryable: true,
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  test("a bad URL is a refusal that names the field", async () => {
    const error = await openObjectStore("s3://b", { clock: CLOCK }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(RefusalError);
    expect(error.refusal.field).toBe("objectStore.bucket");
  });

  test("an upload that broke off goes on with the parts that the store has", async () => {
    const proxy = await startProxy(server.endpoint);
    const url = parseObjectStoreUrl(`s3://${bucket}/resumed?endpoint=${proxy.endpoint}&parallel=1`);
    if (url.kind !== "s3") throw new Error(JSON.stringify(url));
    const store = await openS3Store(url, { partBytesMin: PART_BYTES });
    const path = join(folder, "resumed");
    await writeFile(path, randomBytes(6 * PART_BYTES));
    const content = await contentOf(path);
    proxy.cutAfterBytes(4.5 * PART_BYTES);
    const broken = { code: "STORE_UNAVAILABLE", isRetryable: true };
    await expect(store.putFile("resumed", path, content)).rejects.toMatchObject(broken);
    proxy.mend();
    expect(await store.putFile("resumed", path, content)).toBe("stored");
    expect(proxy.sentBytes()).toBeLessThan(4 * PART_BYTES);
    await store.getFile("resumed", `${path}.down`, content);
    await store.close();
    await proxy.stop();
  });

  describe("an upload that is noted", () => {
    const notePath = (): string => join(folder, "notes", "upload");
    /** Breaks off after four of six parts, as when its process is killed. */
    const breakOff = async (name: string) => {
      const proxy = await startProxy(server.endpoint);
      const rest = `endpoint=${proxy.endpoint}&parallel=1`;
      const url = parseObjectStoreUrl(`s3://${bucket}/${name}?${rest}`);
      if (url.kind !== "s3") throw new Error(JSON.stringify(url));
      const open = () => openS3Store(url, { partBytesMin: PART_BYTES });
      const path = join(folder, name);
      await writeFile(path, randomBytes(6 * PART_BYTES));
      const content = await contentOf(path);
      const store = await open();
      proxy.cutAfterBytes(4.5 * PART_BYTES);
      const put = store.putFile("blob", path, content, { notePath: notePath() });
      await expect(put).rejects.toMatchObject({ isRetryable: true });
      proxy.mend();
      await store.close();
      return { proxy, path, content, next: await open() };
    };
    const begun = async (): Promise<number> => {
      const region = "us-east-1";
      const client = new S3Client({ endpoint: server.endpoint, region, forcePathStyle: true });
      const left = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      client.destroy();
      return (left.Uploads ?? []).length;
    };

    test("goes on in another process with the parts that the store has", async () => {
      const { proxy, path, content, next } = await breakOff("noted");
      const options = { notePath: notePath() };
      expect(await next.putFile("blob", path, content, options)).toBe("stored");
      expect(proxy.sentBytes()).toBeLessThan(4 * PART_BYTES);
      await next.getFile("blob", `${path}.down`, content);
      expect(await readdir(join(folder, "notes"))).toEqual([]);
      expect(await begun()).toBe(0);
      await next.close();
      await proxy.stop();
    });

    test("begins anew when the store has forgotten it", async () => {
      const { proxy, path, content, next } = await breakOff("forgotten");
      const note = await readFile(notePath(), "utf8");
      await next.dropUpload(notePath());
      expect(await begun()).toBe(0);
      await writeFile(notePath(), note);
      const options = { notePath: notePath() };
      expect(await next.putFile("blob", path, content, options)).toBe("stored");
      await next.getFile("blob", `${path}.down`, content);
      await next.close();
      await proxy.stop();
    });

    test("is found by who looks for such, and dropped; who goes on with it begins anew", async () => {
      const { proxy, path, content, next } = await breakOff("abandoned");
      const found: UnfinishedUpload[] = [];
      for await (const upload of next.unfinished("bl")) found.push(upload);
      expect(found).toMatchObject([{ key: "blob" }]);
      expect(Math.abs((found[0]?.begunAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
      for await (const { key } of next.unfinished("other/")) expect(key).toBe("none");
      await next.dropUnfinished(found);
      await next.dropUnfinished(found);
      expect(await begun()).toBe(0);
      const options = { notePath: notePath() };
      expect(await next.putFile("blob", path, content, options)).toBe("stored");
      await next.getFile("blob", `${path}.down`, content);
      await next.close();
      await proxy.stop();
    });

    test("is dropped for another file that is noted in its place", async () => {
      const { proxy, path, next } = await breakOff("replaced");
      await writeFile(path, randomBytes(2 * PART_BYTES));
      const content = await contentOf(path);
      const options = { notePath: notePath() };
      expect(await next.putFile("other", path, content, options)).toBe("stored");
      expect(await begun()).toBe(0);
      expect(await readdir(join(folder, "notes"))).toEqual([]);
      await next.close();
      await proxy.stop();
    });
  });

  test("a sweep drops uploads of jobs that ended, page by page, and no other", async () => {
    const store = await openS3Store(s3Url(), { partBytesMin: PART_BYTES });
    const { world, running, ended } = twoJobs();
    const keys = [running, ended].flatMap((id) =>
      Array.from({ length: UPLOADS_EACH }, (_, n) => blobKey(id, digestOf(Buffer.from(`${n}`)))),
    );
    const region = "us-east-1";
    const client = new S3Client({ endpoint: server.endpoint, region, forcePathStyle: true });
    await forEachLimited(keys, 16, async (key) => {
      const Key = `some/prefix/${key}`;
      await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    });
    client.destroy();
    const sweep = new Sweep({
      brain: { state: () => world.state, nowMs: () => Date.now() + 2 * DAY_MS },
      objects: store,
      blobsOf: () => Promise.resolve([]),
      bundles: { drop: () => Promise.resolve(false) },
      clusterId: randomUUID(),
      logger: createLogger({ level: "silent", name: "test", style: "json" }),
      pauseMs: 0,
      onDeleted: () => undefined,
      timers: { after: () => () => undefined },
    });
    const result = await sweep.run({ isDryRun: false });
    if ("kind" in result) throw new Error(result.message);
    await result.finished;
    expect(result.found.uploads).toBe(UPLOADS_EACH);
    const left: UnfinishedUpload[] = [];
    for await (const upload of store.unfinished("")) left.push(upload);
    await store.dropUnfinished(left);
    expect(left.map(({ key }) => key).toSorted()).toEqual(keys.slice(0, UPLOADS_EACH).toSorted());
    await store.delete(["cluster.json"]);
    await store.close();
  });

  test("a short outage in the middle of a transfer is ridden over", async () => {
    const proxy = await startProxy(server.endpoint);
    const url = parseObjectStoreUrl(`s3://${bucket}/outage?endpoint=${proxy.endpoint}`);
    if (url.kind !== "s3") throw new Error(JSON.stringify(url));
    const store = await openS3Store(url, { partBytesMin: PART_BYTES });
    const path = join(folder, "outage");
    await writeFile(path, randomBytes(3 * PART_BYTES));
    const content = await contentOf(path);
    proxy.dropOnceAfterBytes(1.5 * PART_BYTES);
    expect(await store.putFile("outage", path, content)).toBe("stored");
    await store.getFile("outage", `${path}.down`, content);
    await store.close();
    await proxy.stop();
  });

  test("an upload that was not finished leaves no parts behind after the close", async () => {
    const store = await open();
    const path = join(folder, "unfinished");
    await writeFile(path, randomBytes(3 * PART_BYTES));
    const content = await contentOf(path);
    const changed = { ...content, sizeBytes: content.sizeBytes + PART_BYTES };
    expect(await store.putFile("unfinished", path, changed)).toBe("source_changed");
    await store.close();
    const client = new S3Client({
      endpoint: server.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
    });
    const left = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    client.destroy();
    expect(left.Uploads ?? []).toEqual([]);
  });
});

/** More than a server tells at once. */
const UPLOADS_EACH = 510;

/** One that runs, and one that ended long ago. */
function twoJobs() {
  const world = new World().nodes(1, 2);
  const [running, ended] = [world.submit(), world.submit()];
  world.plan();
  world.run();
  world.end(ended);
  return { world, running, ended };
}

/** Stands between store and server, and can be cut. */
async function startProxy(endpoint: string) {
  const target = new URL(endpoint);
  const sockets = new Set<Socket>();
  let sentBytes = 0;
  let limitBytes = Number.POSITIVE_INFINITY;
  let isOneCut = false;
  const dropAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((inner) => {
    const outer = connect(Number(target.port), target.hostname);
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    inner.on("data", (bytes) => {
      sentBytes += bytes.length;
      if (sentBytes > limitBytes) {
        if (isOneCut) limitBytes = Number.POSITIVE_INFINITY;
        dropAll();
      } else outer.write(bytes);
    });
    outer.on("data", (bytes) => inner.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    cutAfterBytes: (bytes: number) => {
      sentBytes = 0;
      limitBytes = bytes;
    },
    dropOnceAfterBytes: (bytes: number) => {
      sentBytes = 0;
      limitBytes = bytes;
      isOneCut = true;
    },
    mend: () => {
      sentBytes = 0;
      limitBytes = Number.POSITIVE_INFINITY;
    },
    sentBytes: () => sentBytes,
    stop: async () => {
      dropAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
