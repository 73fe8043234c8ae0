import { mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { must } from "../base/assert.ts";
import type { ListedFile } from "./core/layouts.ts";
import { isUnchanged, stage, unstage } from "./staging.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "trainyard-staging-"));
  await writeFile(join(dir, "a.pt"), "before");
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function listed(): Promise<ListedFile> {
  const { size, mtimeMs, ino } = await stat(join(dir, "a.pt"));
  return { path: "a.pt", sizeBytes: size, mtimeMs, inode: ino };
}

/** Same size, same inode, other bytes, at another time. */
async function rewriteInPlace(): Promise<void> {
  const { mtimeMs } = await stat(join(dir, "a.pt"));
  while ((await stat(join(dir, "a.pt"))).mtimeMs === mtimeMs) {
    await writeFile(join(dir, "a.pt"), "after!");
  }
}

const staging = async (prefersCopy: boolean, file?: ListedFile) =>
  await stage({ dir, folder: join(dir, "staged"), files: [file ?? (await listed())], prefersCopy });

describe("a staged file", () => {
  test.each([false, true])("outlives its deletion (copied: %s)", async (prefersCopy) => {
    const staged = must(await staging(prefersCopy), "staged");
    await unlink(join(dir, "a.pt"));
    expect(await readFile(must(staged.files[0], "a file").path, "utf8")).toBe("before");
    expect(await isUnchanged(staged)).toBe(true);
    await unstage(staged);
    expect(await readdir(dir)).toEqual([]);
  });

  test("that is a link notices a rewrite in place; a copy keeps what it was", async () => {
    const link = must(await staging(false), "staged");
    await rewriteInPlace();
    expect(await isUnchanged(link)).toBe(false);
    await unstage(link);
    const copy = must(await staging(true), "staged");
    await writeFile(join(dir, "a.pt"), "third");
    expect(await isUnchanged(copy)).toBe(true);
    expect(await readFile(must(copy.files[0], "a file").path, "utf8")).toBe("after!");
  });

  test.each([false, true])(
    "is none when it changed since the listing (copied: %s)",
    async (copied) => {
      const before = await listed();
      await rewriteInPlace();
      expect(await staging(copied, before)).toBeNull();
      await unlink(join(dir, "a.pt"));
      expect(await staging(copied, before)).toBeNull();
      expect(await readdir(dir)).toEqual([]);
    },
  );
});
