import { appendFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOf } from "./digest.ts";
import { forgetNote, noteBegun, notePart, readNote } from "./upload-note.ts";

let dir: string;
let path: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ty-note-"));
  path = join(dir, "uploads", "note");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const BEGUN = {
  key: "jobs/job-1/blobs/a",
  uploadId: "2~x",
  partBytes: 64,
  sizeBytes: 200,
  digest: digestOf(Buffer.from("a")),
};

test("says what was noted, the newest of a part that was sent twice", async () => {
  await noteBegun(path, BEGUN);
  await Promise.all([1, 2, 3].map((n) => notePart(path, n, { etag: `"${n}"`, crc: n })));
  await notePart(path, 2, { etag: '"again"', crc: 7 });
  const note = await readNote(path);
  expect(note?.begun).toEqual(BEGUN);
  expect(note?.parts.get(1)).toEqual({ etag: '"1"', crc: 1 });
  expect(note?.parts.get(2)).toEqual({ etag: '"again"', crc: 7 });
  await forgetNote(path);
  expect(await readNote(path)).toBeNull();
  expect(await readdir(join(dir, "uploads"))).toEqual([]);
});

test("a line that broke off costs that part, and a first line that did costs the note", async () => {
  await noteBegun(path, BEGUN);
  await notePart(path, 1, { etag: "x", crc: 1 });
  await appendFile(path, '{"number":2,"eta');
  expect([...((await readNote(path))?.parts.keys() ?? [])]).toEqual([1]);
  await writeFile(path, '{"key":"jobs/job-1/blo');
  expect(await readNote(path)).toBeNull();
  await writeFile(path, "null\n[]\n7");
  expect(await readNote(path)).toBeNull();
});

test("where nothing can be written, nothing is noted and nothing fails", async () => {
  await writeFile(join(dir, "uploads"), "a file");
  await noteBegun(path, BEGUN);
  await notePart(path, 1, { etag: "x", crc: 1 });
  await forgetNote(path);
  expect(await readNote(path)).toBeNull();
});
