import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { batchOf } from "../../test/property/tracker-world.ts";
import { lossCurve } from "../../test/property/tracker-points.ts";
import { storeBatch } from "./append.ts";
import { TrackerStore } from "./store.ts";
import { Unit } from "./unit.ts";

let folder: string;
let store: TrackerStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "trainyard-unit-"));
  store = await TrackerStore.open(folder);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function commit(unit: Unit): Promise<void> {
  const writes = unit.writes();
  if (writes !== null) await store.commit(writes);
}

test("a head counts points and chunks exactly over many units", async () => {
  const points = lossCurve(2_000);
  for (let from = 0; from < 2_000; from += 50) {
    const unit = new Unit(store, 0);
    storeBatch(unit, batchOf({ from, to: from + 50, points: points.slice(from, from + 50) }));
    await commit(unit);
  }
  const head = store.series(1, "loss");
  const [row] = head?.attempts ?? [];
  expect(row).toMatchObject({ points: 2_000, stepMin: 0, latest: points.at(-1) });
  expect(row?.chunks).toBeGreaterThan(1);
  expect(row?.chunks).toBeLessThan(8);
});

test("a unit reads what it wrote itself, and the store nothing of it before the commit", () => {
  const unit = new Unit(store, 0);
  storeBatch(unit, batchOf({ from: 0, to: 10, points: lossCurve(5) }));
  expect(unit.position("job-1/1/0")).toBe(10);
  expect(unit.run("job-1")).toMatchObject({ metrics: 1 });
  expect([store.position("job-1/1/0"), store.run("job-1"), store.series(1, "loss")]).toEqual([
    0,
    null,
    null,
  ]);
});

test("a unit that changed nothing has nothing to commit", () => {
  const unit = new Unit(store, 0);
  expect(unit.run("job-1")).toBeNull();
  expect(unit.writes()).toBeNull();
});
