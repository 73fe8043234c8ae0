import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { announce, readJson, replaceFile, writeAtomic } from "./files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ty-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what a crash tore, and what is no file at all, reads as if it were not there", () => {
  writeFileSync(join(folder, "empty"), "");
  writeFileSync(join(folder, "torn"), '{"untilBootMs":12');
  mkdirSync(join(folder, "folder"));
  writeFileSync(join(folder, "whole"), '{"a":1}');
  const names = ["empty", "torn", "folder", "missing", "whole"];
  expect(names.map((name) => readJson(join(folder, name)))).toEqual([
    null,
    null,
    null,
    null,
    { a: 1 },
  ]);
});

test.each([announce, replaceFile, writeAtomic])(
  "%o changes no file that somebody reads",
  (write) => {
    const path = join(folder, "file");
    write(path, "old");
    const reader = openSync(path, "r");
    write(path, "new");
    expect([readFileSync(reader, "utf8"), readFileSync(path, "utf8")]).toEqual(["old", "new"]);
    closeSync(reader);
  },
);
