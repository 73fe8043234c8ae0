import { expect, test } from "vitest";
import { withFolder, withStore } from "../../test/crash/store-fixtures.ts";
import { Notes } from "./notes.ts";

test("a note is there after a restart as it was written last; what is no JSON is no note", async () => {
  await withFolder(async (folder) => {
    await withStore(folder, async ({ environment }) => {
      const notes = new Notes(environment);
      expect(notes.read("learned")).toBeNull();
      await notes.write("learned", { old: [1, 2] });
      await notes.write("learned", { counts: [3] });
      const table = environment.table("notes");
      await environment.commit(() => void table.put("broken", "{"));
    });
    await withStore(folder, async ({ environment }) => {
      const notes = new Notes(environment);
      expect(notes.read("learned")).toEqual({ counts: [3] });
      expect(notes.read("broken")).toBeNull();
    });
  });
});
