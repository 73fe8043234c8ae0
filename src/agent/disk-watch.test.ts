import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { DiskWatch } from "./disk-watch.ts";

const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

function watch(minBytes: number, enoughBytes: number) {
  const changes: string[] = [];
  const disk: DiskWatch = new DiskWatch({
    folder: tmpdir(),
    limits: { minBytes, enoughBytes },
    log: QUIET,
    onChange: () => changes.push(disk.conditions.map(({ kind }) => kind).join()),
  });
  return { disk, changes };
}

test("a disk with less than is asked for is a condition, told once", async () => {
  const { disk, changes } = watch(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  await disk.look();
  await disk.look();
  expect(changes).toEqual(["disk_full"]);
});

test("a task that found no room is believed until the next look finds enough", async () => {
  const { disk, changes } = watch(0, 0);
  await disk.look();
  disk.noRoom();
  await disk.look();
  expect(changes).toEqual(["disk_full", ""]);
});

test("a failed process blames the disk with its own words, or when there is no room at all", () => {
  const { disk } = watch(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  expect([disk.isToBlame(true), disk.isToBlame(false)]).toEqual([true, false]);
});
