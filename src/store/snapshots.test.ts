import { expect, test } from "vitest";
import { note, withFolder, withStore } from "../../test/crash/store-fixtures.ts";
import type { SnapshotRow } from "./snapshots.ts";

const rowsOf = (count: number, text: string): readonly SnapshotRow[] =>
  Array.from({ length: count }, (_, at) => ({ key: `row:${at}`, value: { text, at } }));

const same = (rows: readonly SnapshotRow[]): readonly SnapshotRow[] => rows;

test("the newest snapshot is loaded as it was written", async () => {
  await withFolder(async (folder) => {
    await withStore(folder, async ({ snapshots }) => {
      expect(snapshots.load(same)).toBeNull();
      await snapshots.write({ seq: 10, atMs: 1 }, rowsOf(3, "old"));
      await snapshots.write({ seq: 20, atMs: 2 }, rowsOf(5_000, "new"));
    });
    await withStore(folder, async ({ snapshots, unusable }) => {
      const loaded = snapshots.load(same);
      expect(loaded?.head).toMatchObject({ seq: 20, atMs: 2, rows: 5_000 });
      expect(loaded?.head.chunks).toBeGreaterThan(1);
      expect(loaded?.value).toEqual(rowsOf(5_000, "new"));
      expect(unusable).toEqual([]);
    });
  });
});

test("the last two are kept, and rows of one without a head are cleared away", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ environment, snapshots }) => {
      const chunks = environment.table("snapshot-chunks");
      await environment.commit(() => void chunks.put([5, 0], "left by a crash\n"));
      for (const seq of [10, 20, 30]) await snapshots.write({ seq, atMs: 0 }, rowsOf(1, "x"));
      expect(snapshots.seqs()).toEqual([20, 30]);
      expect([...chunks.getKeys()]).toEqual([
        [20, 0],
        [30, 0],
      ]);
    }),
  );
});

test("a snapshot whose bytes changed is passed over for the older one, then for none", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ environment, snapshots, unusable }) => {
      const chunks = environment.table("snapshot-chunks");
      await snapshots.write({ seq: 10, atMs: 0 }, rowsOf(2, "old"));
      await snapshots.write({ seq: 20, atMs: 0 }, rowsOf(2, "new"));
      const text = chunks.get([20, 0]) ?? "";
      await environment.commit(() => void chunks.put([20, 0], text.replace("new", "nEw")));
      expect(snapshots.load(same)?.value).toEqual(rowsOf(2, "old"));
      await environment.commit(() => void chunks.remove([10, 0]));
      expect(snapshots.load(same)).toBeNull();
      expect(unusable).toEqual([
        expect.stringContaining("20: snapshot 20 has digest"),
        expect.stringContaining("20: snapshot 20 has digest"),
        "10: chunk 0 of snapshot 10 is missing",
      ]);
    }),
  );
});

test("a head that is no JSON is passed over", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ environment, snapshots, unusable }) => {
      await environment.commit(() => void environment.table("snapshot-heads").put(7, "{"));
      expect(snapshots.load(same)).toBeNull();
      expect(unusable).toEqual(["7: the head of snapshot 7 is not readable"]);
    }),
  );
});

test("others get their turn while a snapshot is written", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ log, snapshots }) => {
      const writing = snapshots.write({ seq: 1, atMs: 0 }, rowsOf(20_000, "x".repeat(50)));
      let appends = 0;
      let isWritten = false;
      void writing.then(() => (isWritten = true));
      while (!isWritten) {
        await log.append([note(log.lastSeq + 1)]);
        appends += 1;
      }
      expect((await writing).chunks).toBeGreaterThan(5);
      expect(appends).toBeGreaterThan(5);
      expect(snapshots.load(same)?.value).toHaveLength(20_000);
    }),
  );
});

test("a snapshot that cannot be understood is passed over", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ snapshots, unusable }) => {
      await snapshots.write({ seq: 10, atMs: 0 }, rowsOf(1, "old"));
      await snapshots.write({ seq: 20, atMs: 0 }, rowsOf(2, "new"));
      const only = (rows: readonly SnapshotRow[]): number => {
        if (rows.length > 1) throw new Error("too many rows");
        return rows.length;
      };
      expect(snapshots.load(only)?.value).toBe(1);
      expect(unusable).toEqual(["20: too many rows"]);
    }),
  );
});
