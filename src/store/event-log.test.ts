import { expect, test } from "vitest";
import { EventLog } from "./event-log.ts";
import { note, noteLog, notes, withFolder, withStore } from "../../test/crash/store-fixtures.ts";

test("rows that were appended are read back in order, also by the next process", async () => {
  await withFolder(async (folder) => {
    await withStore(folder, async ({ log }) => {
      expect([log.firstSeq, log.lastSeq]).toEqual([0, 0]);
      await log.append(notes(1, 3));
      await log.append(notes(4, 4));
    });
    await withStore(folder, async ({ log }) => {
      expect([log.firstSeq, log.lastSeq]).toEqual([1, 4]);
      expect([...log.read(1)]).toEqual(notes(1, 4));
      expect([...log.read(3)]).toEqual(notes(3, 4));
      expect([...log.read(5)]).toEqual([]);
    });
  });
});

test("reading goes on past a page, and past rows that were appended meanwhile", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ log }) => {
      await log.append(notes(1, 1_500));
      const rows = log.read(1);
      const seen = [rows.next().value?.seq];
      await log.append(notes(1_501, 2_500));
      for (const row of rows) seen.push(row.seq);
      expect(seen).toEqual(notes(1, 2_500).map((row) => row.seq));
    }),
  );
});

test("a row out of turn is a bug and nothing of its batch is written", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ log }) => {
      await log.append(notes(1, 2));
      await expect(log.append([note(3), note(5)])).rejects.toThrow(
        "event 5 appended where 4 was due",
      );
      expect([...log.read(1)]).toEqual(notes(1, 2));
    }),
  );
});

test("a missing row is named with the folder and what to do", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ environment, log }) => {
      await log.append(notes(1, 5));
      await environment.commit(() => void environment.table("events").remove(3));
      expect(() => [...log.read(1)]).toThrow(
        `Event 3 of the log in ${folder} cannot be read: it is missing; the next one is 4. ` +
          "Restore the folder from a backup; do not go on without the event.",
      );
      expect(() => [...log.read(3)]).toThrow("Event 3 of the log");
      await environment.commit(() => void environment.table("events").remove(5));
      expect(() => [...log.read(4)]).toThrow("Event 5 of the log");
    }),
  );
});

test.each([
  ['{"seq":2', "JSON"],
  ['{"seq":7}', "it says it is event 7"],
  ["{}", "it has no number"],
])("a row that reads %s is refused", async (text, why) => {
  await withFolder((folder) =>
    withStore(folder, async ({ environment, log }) => {
      await log.append(notes(1, 3));
      await environment.commit(() => void environment.table("events").put(2, text));
      expect(() => [...log.read(1)]).toThrow(why);
      expect(() => [...log.read(1)]).toThrow("Event 2 of the log");
    }),
  );
});

test("rows are found by their index key, from a number on and up to a limit", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ log }) => {
      await log.append([note(1, "a"), note(2, "b"), note(3, "a"), note(4), note(5, "ab")]);
      await log.append([note(6, "a")]);
      const seqs = (key: string, from: number, limit: number) =>
        log.readIndexed(key, from, limit).map((row) => row.seq);
      expect(seqs("a", 1, 10)).toEqual([1, 3, 6]);
      expect(seqs("a", 2, 10)).toEqual([3, 6]);
      expect(seqs("a", 1, 2)).toEqual([1, 3]);
      expect(seqs("c", 1, 10)).toEqual([]);
    }),
  );
});

test("trimming removes old rows and their index, never the last row", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ environment, log }) => {
      const rows = notes(1, 5_000).map((row) => note(row.seq, `k${row.seq % 2}`));
      await log.append(rows);
      expect(await log.trimBefore(4_998)).toBe(4_997);
      expect([log.firstSeq, log.lastSeq]).toEqual([4_998, 5_000]);
      expect(log.readIndexed("k0", 1, 10).map((row) => row.seq)).toEqual([4_998, 5_000]);
      expect(await log.trimBefore(99_999)).toBe(2);
      expect([...noteLog(environment).read(5_000)]).toEqual([note(5_000, "k0")]);
      await log.append([note(5_001)]);
      expect(() => [...log.read(4_000)]).toThrow("Event 4000 of the log");
    }),
  );
});

test("rows are stored as the JSON text that they were given as", async () => {
  await withFolder((folder) =>
    withStore(folder, async ({ environment, log }) => {
      expect(log).toBeInstanceOf(EventLog);
      await log.append([note(1, "a", "ü\n")]);
      expect(environment.table("events").get(1)).toBe('{"seq":1,"about":"a","text":"ü\\n"}');
    }),
  );
});
