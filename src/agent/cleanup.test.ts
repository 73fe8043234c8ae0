import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jobId } from "../base/ids.ts";
import { cleanUp, type KeepPolicy } from "./cleanup.ts";
import { desiredTask } from "./core/fixture.ts";
import { TaskFolder, type TaskRecord } from "./task-folder.ts";

const NOW_MS = 1_800_000_000_000;
const DAY_MS = 86_400_000;
const KEEP: KeepPolicy = { keepMs: 7 * DAY_MS, keepBytes: 1_000_000, bundleKeepMs: DAY_MS };

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "ty-clean-"));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

function task(name: string, ageDays: number, change: Partial<TaskRecord> = {}): TaskFolder {
  const desired = desiredTask({ jobId: jobId(name) });
  const folder = new TaskFolder(stateDir, desired);
  folder.make();
  writeFileSync(folder.file("stdout"), "x".repeat(400_000));
  const exit = { reason: "exited", code: 0, message: "" } as const;
  folder.save({
    task: desired,
    rendezvous: null,
    exit,
    isForgotten: true,
    isShipped: true,
    ...change,
  });
  const at = new Date(NOW_MS - ageDays * DAY_MS);
  utimesSync(join(folder.root, "task.json"), at, at);
  return folder;
}

test("old ended tasks go, and the oldest of the rest when they are too large together", async () => {
  const old = task("job-1", 8);
  const [third, second, first] = [task("job-2", 3), task("job-3", 2), task("job-4", 1)];
  expect(new Set(await cleanUp(stateDir, KEEP, NOW_MS))).toEqual(new Set([old.root, third.root]));
  expect([old, third, second, first].map((folder) => existsSync(folder.root))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(existsSync(join(stateDir, "tasks", "job-1"))).toBe(false);
});

test("a task that is not recorded as over, or not all in the tracker, stays whatever its age", async () => {
  const alive = task("job-1", 99, { isForgotten: false });
  const unshipped = task("job-2", 99, { isShipped: false });
  expect(await cleanUp(stateDir, KEEP, NOW_MS)).toEqual([]);
  expect([alive, unshipped].every((folder) => existsSync(folder.root))).toBe(true);
});

test("a folder without a readable record goes by its age, too", async () => {
  const [torn, fresh] = [task("job-1", 1), task("job-2", 1)];
  for (const { root } of [torn, fresh]) writeFileSync(join(root, "task.json"), "");
  const at = new Date(NOW_MS - 8 * DAY_MS);
  utimesSync(torn.root, at, at);
  const now = new Date(NOW_MS);
  utimesSync(fresh.root, now, now);
  expect(await cleanUp(stateDir, KEEP, NOW_MS)).toEqual([torn.root]);
});

test("bundles that nobody has used for a while go", async () => {
  for (const [name, ageDays] of [
    ["aa", 2],
    ["bb", 0],
  ] as const) {
    const path = join(stateDir, "bundles", name);
    mkdirSync(path, { recursive: true });
    const at = new Date(NOW_MS - ageDays * DAY_MS);
    utimesSync(path, at, at);
  }
  expect(await cleanUp(stateDir, KEEP, NOW_MS)).toEqual([join(stateDir, "bundles", "aa")]);
});
