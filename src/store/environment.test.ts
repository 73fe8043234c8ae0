import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { StoreEnvironment } from "./environment.ts";
import { FORMAT, note, withFolder, withStore } from "../../test/crash/store-fixtures.ts";

const CHILD = join(import.meta.dirname, "../../test/crash/append-child.ts");
const hasStrace = existsSync("/usr/bin/strace");

interface ChildEnd {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the child that appends rows to `folder` until told or able to no more. */
function runChild(prefix: readonly string[], folder: string, count: number): Promise<ChildEnd> {
  const argv = [...prefix, process.execPath, "--import", "tsx", CHILD, folder, String(count)];
  const child = spawn(argv[0] ?? "", argv.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}

test("a folder that another process has open is refused, and free again when that one dies", async () => {
  await withFolder(async (folder) => {
    const child = spawn(process.execPath, ["--import", "tsx", CHILD, folder, "hold"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await expect(StoreEnvironment.open({ folder, format: FORMAT })).rejects.toThrow(
      `Data folder ${folder} is in use by process ${child.pid}. Stop that process`,
    );
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
    await withStore(folder, async ({ log }) => log.append([note(1)]));
    expect(readdirSync(folder).filter((name) => name.endsWith(".sock"))).toEqual([]);
  });
});

test("of many that open a folder at the same time at most one gets it", async () => {
  await withFolder(async (folder) => {
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, () => StoreEnvironment.open({ folder, format: FORMAT })),
    );
    const opened = tries.filter((result) => result.status === "fulfilled");
    expect(opened.length).toBeLessThanOrEqual(1);
    for (const { value } of opened) await value.close();
    await withStore(folder, async ({ log }) => log.append([note(1)]));
  });
});

test("a folder whose path is longer than a socket's may be is owned all the same", async () => {
  await withFolder(async (folder) => {
    const long = join(folder, "x".repeat(120));
    await withStore(long, async () => {
      await expect(StoreEnvironment.open({ folder: long, format: FORMAT })).rejects.toThrow(
        "is in use by process",
      );
    });
    await withStore(long, async ({ log }) => log.append([note(1)]));
  });
});

test("a newer format, another kind of store and a foreign text are refused by name", async () => {
  await withFolder(async (folder) => {
    const open = (name: string, version: number) =>
      StoreEnvironment.open({ folder, format: { name, version, migrations: new Map() } });
    await (await open("test", 2)).close();
    await expect(open("test", 1)).rejects.toThrow(
      'has format {"name":"test","version":2}, and this version reads test up to version 1',
    );
    await expect(open("tracker", 2)).rejects.toThrow("reads tracker up to version 2");
    const store = await open("test", 2);
    await store.commit(() => void store.table("meta").put("format", "?"));
    await store.close();
    await expect(open("test", 2)).rejects.toThrow("has format ?");
  });
});

test("an older format is brought up step by step, and a step that fails changes nothing", async () => {
  await withFolder(async (folder) => {
    const first = await StoreEnvironment.open({ folder, format: FORMAT });
    await first.commit(() => void first.table("t").put("k", "1"));
    await first.close();
    const rewrite = (from: string, to: string) => (tables: StoreEnvironment["table"]) => {
      const table = tables("t");
      if (table.get("k") !== from) throw new Error(`found ${table.get("k")}`);
      table.putSync("k", to);
    };
    const migrated = (steps: [number, ReturnType<typeof rewrite>][]) =>
      StoreEnvironment.open({
        folder,
        format: { name: "test", version: 3, migrations: new Map(steps) },
      });
    await expect(migrated([[1, rewrite("9", "2")]])).rejects.toThrow("found 1");
    await expect(migrated([[1, rewrite("1", "2")]])).rejects.toThrow(
      "no migration of test from version 2",
    );
    const store = await migrated([[2, rewrite("2", "3")]]);
    expect(store.table("t").get("k")).toBe("3");
    await store.close();
  });
});

test("a folder that is a file or holds something else says so", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    await expect(StoreEnvironment.open({ folder: file, format: FORMAT })).rejects.toThrow(
      `Data folder ${file} cannot be made`,
    );
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "data.mdb"), "x".repeat(10_000));
    await expect(StoreEnvironment.open({ folder: other, format: FORMAT })).rejects.toThrow(
      `Data folder ${other} cannot be opened as an LMDB store`,
    );
    rmSync(join(other, "data.mdb"));
    mkdirSync(join(other, "data.mdb"));
    await expect(StoreEnvironment.open({ folder: other, format: FORMAT })).rejects.toThrow(
      "cannot be opened as an LMDB store",
    );
    expect(readdirSync(other).filter((name) => name.endsWith(".sock"))).toEqual([]);
  });
});

test("when the file may not grow, the append fails with a remedy and the rows before it stay", async () => {
  await withFolder(async (folder) => {
    // Node ignores SIGXFSZ, so that the write fails as it does on a full disk.
    const limited = ["/bin/sh", "-c", 'ulimit -f 2000; exec "$@"', "sh"];
    const end = await runChild(limited, folder, 100_000);
    expect(end.code).toBe(3);
    expect(end.err).toContain("could not be written");
    expect(end.err).toContain("The disk is full or over its quota");
    expect(end.err).toContain("then start again: nothing that was acknowledged is lost");
    const acknowledged = Number(end.out.trim().split("\n").at(-1));
    expect(acknowledged).toBeGreaterThan(0);
    await withStore(folder, async ({ log }) => {
      expect(log.lastSeq).toBe(acknowledged);
      expect([...log.read(1)]).toHaveLength(acknowledged);
    });
  });
});

test.skipIf(!hasStrace)("an append resolves only after the disk has synced it", async () => {
  await withFolder(async (folder) => {
    const delayed = ["strace", "-f", "-q", "-e", "trace=fdatasync,fsync", "-o", "/dev/null"];
    const inject = ["-e", "inject=fdatasync,fsync:delay_enter=60000"];
    const end = await runChild([...delayed, ...inject], folder, 5);
    expect(end.code).toBe(0);
    const slowest = end.err.match(/appends took at least ([\d.]+) ms/)?.[1];
    expect(Number(slowest)).toBeGreaterThan(60);
  });
});

test("the size is that of the data file", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ environment }) => {
      const listed = execFileSync("stat", ["-c", "%s", join(folder, "data.mdb")]);
      expect(environment.sizeBytes()).toBe(Number(listed.toString()));
    }),
  );
});
