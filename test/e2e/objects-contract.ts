// What every object store must do, run against the folder and against a real S3 server.

import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digest } from "../../src/base/ids.ts";
import { contentOf, digestOf } from "../../src/objects/digest.ts";
import type { ObjectInfo, ObjectStore } from "../../src/objects/port.ts";

const MIB = 1024 * 1024;
/** S3 counts in seconds, and by its own clock. */
const CLOCK_SLACK_MS = 5_000;
const WRONG = digest("0".repeat(64));

/** `partBytes` is the size above which the store sends a file in parts. */
export function describeObjectStore(
  name: string,
  partBytes: number,
  open: () => Promise<ObjectStore>,
): void {
  describe(`object store contract: ${name}`, () => {
    let store: ObjectStore;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "trainyard-objects-"));
      store = await open();
    });
    afterAll(async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    });

    const fileOf = async (file: string, bytes: Uint8Array): Promise<string> => {
      const path = join(folder, file);
      await writeFile(path, bytes);
      return path;
    };

    test("what was put is what one gets, byte for byte", async () => {
      const bytes = randomBytes(3 * MIB + 7);
      expect(await store.put("round/trip", bytes)).toBe("stored");
      expect((await store.get("round/trip"))?.equals(bytes)).toBe(true);
      expect(await store.head("round/trip")).toMatchObject({
        key: "round/trip",
        sizeBytes: bytes.length,
      });
    });

    test("an empty object is an object", async () => {
      await store.put("empty/object", new Uint8Array());
      expect(await store.get("empty/object")).toEqual(Buffer.alloc(0));
      expect(await store.head("empty/object")).toMatchObject({ sizeBytes: 0 });
    });

    test("what is not there is null, not an error", async () => {
      expect(await store.get("no/such/object")).toBeNull();
      expect(await store.head("no/such/object")).toBeNull();
      await store.put("a-file", Buffer.from("x"));
      expect(await store.head("a-file/below")).toBeNull();
    });

    test("a put replaces, unless it asked for absence", async () => {
      await store.put("replace", Buffer.from("one"));
      expect(await store.put("replace", Buffer.from("two"))).toBe("stored");
      expect(await store.put("replace", Buffer.from("three"), { ifAbsent: true })).toBe("exists");
      expect(await store.get("replace")).toEqual(Buffer.from("two"));
    });

    test("of many that put if absent at once exactly one wins, and its bytes stay", async () => {
      const bodies = Array.from({ length: 8 }, (_, index) => Buffer.from(`writer ${index}`));
      const results = await Promise.all(
        bodies.map((body) => store.put("race/one", body, { ifAbsent: true })),
      );
      expect(results.filter((result) => result === "stored")).toHaveLength(1);
      expect(await store.get("race/one")).toEqual(bodies[results.indexOf("stored")]);
    });

    test("a range gives these bytes, and fewer at the end", async () => {
      await store.put("ranged", Buffer.from("0123456789"));
      const range = async (offset: number, sizeBytes: number) =>
        (await store.get("ranged", { range: { offset, sizeBytes } }))?.toString();
      expect(await range(2, 3)).toBe("234");
      expect(await range(8, 5)).toBe("89");
      expect(await range(20, 5)).toBe("");
      expect(await range(3, 0)).toBe("");
    });

    test("an object over the limit is a fault, not a full memory", async () => {
      await store.put("over/limit", Buffer.alloc(1000));
      const read = store.get("over/limit", { limitBytes: 999 });
      await expect(read).rejects.toMatchObject({ code: "TOO_LARGE", isRetryable: false });
    });

    test.each([
      ["empty", 0],
      ["small", 12_345],
      ["exactly one part", partBytes],
      ["several parts", 2 * partBytes + 4711],
    ])("a file goes up and comes down the same: %s", async (label, sizeBytes) => {
      const key = `files/${label.replaceAll(" ", "-")}`;
      const path = await fileOf("up", randomBytes(sizeBytes));
      const content = await contentOf(path);
      expect(await store.putFile(key, path, content)).toBe("stored");
      expect((await store.head(key))?.sizeBytes).toBe(sizeBytes);
      const down = join(folder, "down");
      await store.getFile(key, down, content);
      expect(await contentOf(down)).toEqual(content);
    });

    test.each([1000, 2 * partBytes])(
      "a file that is not what was announced is not stored (%i bytes)",
      async (sizeBytes) => {
        const path = await fileOf("changed", randomBytes(sizeBytes));
        const content = await contentOf(path);
        const key = `changed/${sizeBytes}`;
        const other = { sizeBytes, digest: WRONG };
        expect(await store.putFile(key, path, other)).toBe("source_changed");
        await writeFile(path, randomBytes(sizeBytes + 1));
        expect(await store.putFile(key, path, content)).toBe("source_changed");
        await writeFile(path, randomBytes(sizeBytes - 1));
        expect(await store.putFile(key, path, content)).toBe("source_changed");
        expect(await store.head(key)).toBeNull();
      },
    );

    test("a file that is not there is this machine's fault, by name", async () => {
      const path = join(folder, "nowhere");
      const put = store.putFile("from/nowhere", path, { sizeBytes: 1, digest: WRONG });
      await expect(put).rejects.toMatchObject({
        code: "LOCAL_FILE",
        message: expect.stringContaining(path),
      });
    });

    test("wrong bytes, a wrong size and a missing object are corrupt, named, and leave no file", async () => {
      const bytes = randomBytes(5000);
      await store.put("lying/object", bytes);
      const good = { sizeBytes: 5000, digest: digestOf(bytes) };
      const path = join(folder, "target", "file");
      await mkdir(join(folder, "target"));
      const lies = [
        { key: "lying/object", content: { ...good, digest: WRONG } },
        { key: "lying/object", content: { ...good, sizeBytes: 4999 } },
        { key: "lying/object", content: { ...good, sizeBytes: 5001 } },
        { key: "lying/absent", content: good },
      ];
      for (const { key, content } of lies) {
        await expect(store.getFile(key, path, content)).rejects.toMatchObject({
          code: "STORE_CORRUPT",
          isRetryable: false,
          message: expect.stringContaining(key),
        });
      }
      expect(await readdir(join(folder, "target"))).toEqual([]);
    });

    test("a failed download leaves the file that was there before", async () => {
      await store.put("lying/again", randomBytes(10));
      const path = await fileOf("precious", Buffer.from("precious"));
      const read = store.getFile("lying/again", path, { sizeBytes: 10, digest: WRONG });
      await expect(read).rejects.toMatchObject({ code: "STORE_CORRUPT" });
      expect((await readFile(path)).toString()).toBe("precious");
    });

    test("a list has every key with the prefix, in order, with sizes", async () => {
      const keys = ["list/a-b", "list/a/1", "list/a/2/x", "list/a0", "list/b", "listing", "zzz"];
      for (const key of keys.toReversed()) await store.put(key, Buffer.from(key));
      expect((await all(store, "list/")).map(({ key }) => key)).toEqual(keys.slice(0, 5));
      expect((await all(store, "list/a")).map(({ key }) => key)).toEqual(keys.slice(0, 4));
      expect(await all(store, "list/a/2/")).toMatchObject([{ key: "list/a/2/x", sizeBytes: 10 }]);
      expect(await all(store, "nothing/here/")).toEqual([]);
    });

    test("an object says when it was stored, in the list too; replaced, it is young again", async () => {
      const fromMs = Date.now() - CLOCK_SLACK_MS;
      await store.put("dated/one", Buffer.from("x"));
      const first = await store.head("dated/one");
      expect(first?.modifiedAtMs).toBeGreaterThan(fromMs);
      expect(first?.modifiedAtMs).toBeLessThan(Date.now() + CLOCK_SLACK_MS);
      const [listed] = await all(store, "dated/");
      const differenceMs = (listed?.modifiedAtMs ?? 0) - (first?.modifiedAtMs ?? 0);
      expect(Math.abs(differenceMs)).toBeLessThan(1_000);
      await store.put("dated/one", Buffer.from("y"));
      const again = (await store.head("dated/one"))?.modifiedAtMs ?? 0;
      expect(again).toBeGreaterThanOrEqual(first?.modifiedAtMs ?? Infinity);
    });

    test("deleting takes what is named, and what is not there is fine", async () => {
      await store.put("gone/a/1", Buffer.from("x"));
      await store.put("gone/b", Buffer.from("x"));
      await store.delete(["gone/a/1", "gone/never"]);
      await store.delete(["gone/a/1"]);
      expect((await all(store, "gone/")).map(({ key }) => key)).toEqual(["gone/b"]);
      await store.put("gone/a/1", Buffer.from("again"));
      expect((await store.get("gone/a/1"))?.toString()).toBe("again");
    });

    test("putting and deleting neighbours at once loses nothing", async () => {
      const rounds = Array.from({ length: 20 }, (_, index) => index);
      await Promise.all(
        rounds.map(async (index) => {
          await store.put(`busy/x/${index}`, Buffer.from("x"));
          if (index % 2 === 0) await store.delete([`busy/x/${index}`]);
        }),
      );
      expect(await all(store, "busy/")).toHaveLength(10);
    });

    test.each(["", "/abs", "a//b", "../up", "a/../b", "a/.hidden", ".tmp/x", "a b", "a\\b", "é"])(
      "no object is called %j",
      async (key) => {
        await expect(store.put(key, Buffer.from("x"))).rejects.toThrow("not an object key");
        await expect(store.get(key)).rejects.toThrow("not an object key");
        await expect(store.delete([key])).rejects.toThrow("not an object key");
      },
    );

    test("an aborted call ends with the abort's reason and stores nothing", async () => {
      const path = await fileOf("aborted", randomBytes(2 * partBytes));
      const content = await contentOf(path);
      const signal = AbortSignal.abort(new Error("enough"));
      await expect(store.putFile("aborted/file", path, content, { signal })).rejects.toThrow(
        "enough",
      );
      expect(await store.head("aborted/file")).toBeNull();
    });
  });
}

async function all(store: ObjectStore, prefix: string): Promise<readonly ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of store.list(prefix)) found.push(info);
  return found;
}
