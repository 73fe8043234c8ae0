import { execFileSync } from "node:child_process";
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { create } from "tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RefusalError } from "../base/errors.ts";
import { contentOf } from "../objects/digest.ts";
import { openFolderStore } from "../objects/folder.ts";
import type { ObjectStore } from "../objects/port.ts";
import { packBundle, writeArchive } from "./bundle.ts";
import { fetchBundle } from "./bundle-fetch.ts";
import { bundleKey } from "./core/keys.ts";

let root: string;
let work: string;
let store: ObjectStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "trainyard-bundle-test-"));
  work = join(root, "work");
  await mkdir(work);
  store = await openFolderStore(join(root, "store"), { create: true, nowMs: Date.now() });
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function write(path: string, text = path): Promise<void> {
  await mkdir(dirname(join(work, path)), { recursive: true });
  await writeFile(join(work, path), text);
}

const git = (...args: readonly string[]): string =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
    cwd: work,
    encoding: "utf8",
  }).trim();

async function pack(limitBytes?: number) {
  const packed = await packBundle(work, limitBytes === undefined ? {} : { limitBytes });
  await rm(dirname(packed.path), { recursive: true });
  return packed;
}

async function packAfter(write: typeof writeArchive): Promise<void> {
  await writeFile(join(work, "train.py"), "print()");
  await packBundle(work, { write });
}

function shorter(path: string): Error {
  const error = new Error("encountered unexpected EOF");
  return Object.assign(error, { code: "EOF", syscall: "read", path });
}

async function leftBehind(): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter((name) => /^trainyard-bundle-\w{6}$/.test(name));
}

async function throughTheStore(): Promise<string> {
  const packed = await packBundle(work);
  await store.putFile(bundleKey(packed.digest), packed.path, packed);
  await rm(dirname(packed.path), { recursive: true });
  const dest = join(root, "unpacked");
  await mkdir(dest);
  await fetchBundle(store, packed.digest, dest);
  return dest;
}

describe("packing", () => {
  test("does without a file that goes away in that moment, and takes a shorter one as it is", async () => {
    for (const name of ["train.py", "core.1234", "train.log"]) await write(name);
    const changes = [
      () => rm(join(work, "core.1234")),
      // In the middle of the reading, as tar tells it.
      () => Promise.reject(shorter(join(work, "train.log"))),
    ];
    const packed = await packBundle(work, {
      write: async (...args) => {
        await changes.shift()?.();
        await writeArchive(...args);
      },
    });
    await rm(dirname(packed.path), { recursive: true });
    expect(packed.files).toEqual(["train.log", "train.py"]);
    expect(changes).toEqual([]);
  });

  test("says which file keeps going away, and leaves nothing behind", async () => {
    const before = await leftBehind();
    const write = (): Promise<void> => Promise.reject(shorter(join(work, "train.log")));
    await expect(packAfter(write)).rejects.toMatchObject({
      refusal: { field: "workdir", message: expect.stringContaining("such as train.log") },
    });
    expect(await leftBehind()).toEqual(before);
  });

  test("a folder that is not there is named at once", async () => {
    await expect(packBundle(join(root, "gone"))).rejects.toMatchObject({
      code: "LOCAL_FILE",
      message: expect.stringContaining(join(root, "gone")),
    });
  });

  test("inside git takes tracked and untracked files, and what is ignored stays", async () => {
    git("init", "-q");
    await write(".gitignore", "data/\n");
    await write("train.py");
    await write("gone.py");
    git("add", ".");
    git("commit", "-qm", "first");
    expect(await pack()).toMatchObject({ isDirty: false, commit: git("rev-parse", "HEAD") });
    await write("data/large.bin");
    await write("new.py");
    await rm(join(work, "gone.py"));
    expect(await pack()).toMatchObject({
      files: [".gitignore", "new.py", "train.py"],
      isDirty: true,
      commit: git("rev-parse", "HEAD"),
    });
  });

  test("of a folder below a repository takes only that folder", async () => {
    execFileSync("git", ["init", "-q"], { cwd: root });
    await writeFile(join(root, "outside.py"), "");
    await write("train.py");
    expect(await pack()).toMatchObject({ files: ["train.py"], commit: "" });
  });

  test("of a repository inside the repository takes its files as well", async () => {
    git("init", "-q");
    await write("lib/.gitignore", "cache\n");
    await write("lib/a.py");
    await write("lib/cache");
    execFileSync("git", ["init", "-q"], { cwd: join(work, "lib") });
    expect((await pack()).files).toEqual(["lib/.gitignore", "lib/a.py"]);
  });

  test("outside git takes everything but the usual ballast", async () => {
    for (const path of ["train.py", "a/b.py", ".env", "a/__pycache__/b.pyc"]) await write(path);
    for (const path of [".venv/bin/python", "node_modules/x/y.js"]) await write(path);
    expect(await pack()).toMatchObject({
      files: [".env", "a/b.py", "train.py"],
      commit: "",
      isDirty: false,
    });
  });

  test("gives the same bytes for the same files, whenever and wherever they were written", async () => {
    await write("b.py", "x");
    await write("a.py", "x");
    const first = await pack();
    await utimes(join(work, "a.py"), 1, 1);
    await chmod(join(work, "a.py"), 0o600);
    await rm(join(work, "b.py"));
    await link(join(work, "a.py"), join(work, "b.py"));
    await chmod(join(work, "a.py"), 0o644);
    expect((await pack()).digest).toBe(first.digest);
    await write("a.py", "y");
    expect((await pack()).digest).not.toBe(first.digest);
  });

  test("of too much is refused, and the largest files are named", async () => {
    await write("small.py");
    await write("data.bin", "x".repeat(3 * 1024 * 1024));
    const error = await pack(1024 * 1024).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RefusalError);
    expect(error).toMatchObject({
      refusal: {
        code: "TOO_LARGE",
        field: "workdir",
        message: expect.stringContaining("largest: data.bin (3.0 MiB), small.py"),
        remedy: expect.stringContaining(".gitignore"),
      },
    });
  });

  test("of nothing is refused", async () => {
    await expect(pack()).rejects.toMatchObject({ refusal: { field: "workdir" } });
    await rm(work, { recursive: true });
    await expect(pack()).rejects.toThrow(work);
  });

  test("leaves out links that lead outside, and says so", async () => {
    await write("a.py");
    await symlink("a.py", join(work, "inside"));
    await symlink("/etc", join(work, "absolute"));
    await symlink("../..", join(work, "above"));
    expect(await pack()).toMatchObject({
      files: ["a.py", "inside"],
      leftOut: ["above", "absolute"],
    });
  });

  test("of a thousand files takes less than a second on an idle machine", async () => {
    for (let index = 0; index < 1000; index += 1) await write(`src/${index}.py`, "x".repeat(2000));
    const beganMs = performance.now();
    expect((await pack()).files).toHaveLength(1000);
    // Others may be at work here: the bound is five times what is promised.
    expect(performance.now() - beganMs).toBeLessThan(5_000);
  });
});

describe("a bundle", () => {
  test("arrives as it was packed: names, bytes, links, executable bits", async () => {
    await write("@odd name é.py", "odd");
    await write("bin/run.sh", "#!/bin/sh\n");
    await chmod(join(work, "bin/run.sh"), 0o755);
    await write("empty", "");
    await symlink("run.sh", join(work, "bin/link"));
    await write(`${"deep/".repeat(40)}file`, "deep");
    const dest = await throughTheStore();
    expect(await readFile(join(dest, "@odd name é.py"), "utf8")).toBe("odd");
    expect((await stat(join(dest, "bin/run.sh"))).mode & 0o777).toBe(0o755);
    expect(await readlink(join(dest, "bin/link"))).toBe("run.sh");
    expect((await stat(join(dest, "empty"))).size).toBe(0);
    expect(await readFile(join(dest, `${"deep/".repeat(40)}file`), "utf8")).toBe("deep");
    expect(await readdir(root)).not.toContain("unpacked.tar.gz");
  });

  test("that is not in the store, or is another one, is refused", async () => {
    const packed = await packBundle((await write("a.py"), work));
    await mkdir(join(root, "dest"));
    const fetch = () => fetchBundle(store, packed.digest, join(root, "dest"));
    await expect(fetch()).rejects.toMatchObject({ refusal: { code: "BUNDLE_NOT_FOUND" } });
    await store.put(bundleKey(packed.digest), Buffer.from("something else"));
    await expect(fetch()).rejects.toMatchObject({ refusal: { code: "STORE_CORRUPT" } });
    expect(await readdir(join(root, "dest"))).toEqual([]);
    await rm(dirname(packed.path), { recursive: true });
  });

  /** A bundle that our packer would never make. */
  async function fetchForged(entries: readonly string[]): Promise<void> {
    const file = join(root, "forged.tar.gz");
    const plain = join(root, "forged.tar");
    await create({ cwd: work, file: plain, preservePaths: true }, [...entries]);
    await writeFile(file, gzipSync(await readFile(plain)));
    const content = await contentOf(file);
    await store.putFile(bundleKey(content.digest), file, content);
    await mkdir(join(root, "a/b/dest"), { recursive: true });
    await fetchBundle(store, content.digest, join(root, "a/b/dest"));
  }

  test.each([
    ["a path above its folder", async () => ["../outside.py"]],
    ["an absolute path", async () => [join(root, "outside.py")]],
    [
      "a link above its folder",
      async () => {
        await symlink("../../..", join(work, "up"));
        return ["up"];
      },
    ],
    [
      "an absolute link",
      async () => {
        await symlink("/etc", join(work, "etc"));
        return ["etc"];
      },
    ],
    [
      "a hard link",
      async () => {
        await write("a.py");
        await link(join(work, "a.py"), join(work, "b.py"));
        return ["a.py", "b.py"];
      },
    ],
  ])("with %s is refused and writes nothing outside", async (_what, prepare) => {
    await writeFile(join(root, "outside.py"), "original");
    const entries = await prepare();
    await expect(fetchForged(entries)).rejects.toMatchObject({
      refusal: { code: "STORE_CORRUPT" },
    });
    expect(await readdir(join(root, "a"))).toEqual(["b"]);
    expect(await readdir(join(root, "a/b"))).toEqual(["dest"]);
    expect(await readFile(join(root, "outside.py"), "utf8")).toBe("original");
  });
});
