// Runs every scenario file of this folder: commands with the expected output beneath. One file per trap
// that a scheduler can fall into. `TRAINYARD_UPDATE_SCENARIOS=1` writes what really came out.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runLine } from "./script.ts";
import { Stage } from "./stage.ts";

const FOLDER = import.meta.dirname;
const IS_UPDATE = process.env["TRAINYARD_UPDATE_SCENARIOS"] === "1";
const ENDING = ".scenario";
const files = readdirSync(FOLDER).filter((name) => name.endsWith(ENDING));

test("there are scenarios", () => {
  expect(files.length).toBeGreaterThan(0);
});

test.each(files)("%s", (name) => {
  const path = join(FOLDER, name);
  const before = readFileSync(path, "utf8");
  const after = play(before);
  if (IS_UPDATE) writeFileSync(path, after);
  expect(after).toBe(IS_UPDATE ? after : before);
});

/** The same file with what the commands really say beneath them. Comments and blank lines stay. */
function play(text: string): string {
  const stage = new Stage();
  const lines = text.split("\n").flatMap((line) => {
    if (line.startsWith("> ")) return [line, ...runLine(stage, line.slice(2))];
    return line === "" || line.startsWith("#") ? [line] : [];
  });
  return lines.join("\n");
}
