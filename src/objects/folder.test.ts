import { mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeObjectStore } from "../../test/e2e/objects-contract.ts";
import { openFolderStore } from "./folder.ts";
import type { ObjectInfo, ObjectStore } from "./port.ts";

const NOW_MS = 1_800_000_000_000;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "trainyard-folder-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

describeObjectStore("folder", 1024 * 1024, async () => {
  const folder = await mkdtemp(join(tmpdir(), "trainyard-folder-"));
  const store = await openFolderStore(folder, { create: true, nowMs: NOW_MS });
  return Object.assign(store, {
    close: async () => await rm(folder, { recursive: true, force: true }),
  });
});

describe("a folder as object store", () => {
  test("is away when its folder is away, makes no new one, and works when it is back", async () => {
    const store = await openFolderStore(join(root, "store"), { create: true, nowMs: NOW_MS });
    await store.put("a/b", Buffer.from("x"));
    await rename(join(root, "store"), join(root, "elsewhere"));
    const away = { code: "STORE_UNAVAILABLE", isRetryable: true };
    await expect(store.put("a/c", Buffer.from("x"))).rejects.toMatchObject(away);
    await expect(store.get("a/b")).rejects.toMatchObject(away);
    await expect(store.head("a/b")).rejects.toMatchObject(away);
    await expect(store.delete(["a/b"])).rejects.toMatchObject(away);
    await expect(listAll(store)).rejects.toMatchObject(away);
    expect(await readdir(root)).toEqual(["elsewhere"]);
    await rename(join(root, "elsewhere"), join(root, "store"));
    expect((await store.get("a/b"))?.toString()).toBe("x");
  });

  test("an agent does not take an empty mount point for a store", async () => {
    const open = openFolderStore(root, { create: false, nowMs: NOW_MS });
    await expect(open).rejects.toThrow(/Is its file system mounted/);
    expect(await readdir(root)).toEqual([]);
  });

  test("a folder with other people's files is not made a store", async () => {
    await writeFile(join(root, "thesis.tex"), "");
    const open = openFolderStore(root, { create: true, nowMs: NOW_MS });
    await expect(open).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  test("temporary files of dead writers go after a day, younger ones stay", async () => {
    await openFolderStore(root, { create: true, nowMs: NOW_MS });
    await mkdir(join(root, ".tmp"));
    for (const [name, ageHours] of [
      ["old", 25],
      ["young", 23],
    ] as const) {
      const path = join(root, ".tmp", name);
      await writeFile(path, "x");
      const atS = NOW_MS / 1000 - ageHours * 3600;
      await utimes(path, atS, atS);
    }
    await openFolderStore(root, { create: false, nowMs: NOW_MS });
    expect(await readdir(join(root, ".tmp"))).toEqual(["young"]);
  });

  test("no temporary file and no empty folder stays behind", async () => {
    const store = await openFolderStore(root, { create: true, nowMs: NOW_MS });
    await store.put("deep/er/est", Buffer.from("x"));
    await store.put("deep/er/est", Buffer.from("y"), { ifAbsent: true });
    await store.delete(["deep/er/est"]);
    expect(await readdir(join(root, ".tmp"))).toEqual([]);
    expect((await readdir(root)).sort()).toEqual([".tmp", ".trainyard-store"]);
  });
});

async function listAll(store: ObjectStore): Promise<readonly ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of store.list("")) found.push(info);
  return found;
}
