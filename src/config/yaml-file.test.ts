import { execFileSync } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseYaml, readYamlFile } from "./yaml-file.ts";

const options = { file: "job.yaml", code: "INVALID_SPEC" } as const;

describe("what is no YAML", () => {
  it.each([
    ["a: [1", /^job\.yaml:1:6: /],
    ["a: 1\na: 2\n", /^job\.yaml:2:1: Map keys must be unique/],
    ["a: *nowhere", /^job\.yaml: Unresolved alias .*: nowhere/],
    ["a: 1\n--- \nb: 2", /multiple documents/],
    ["\tname: x", /^job\.yaml:1:/],
    ["a: &a\n  b: [1, *a]\n", /^job\.yaml:2:10: \*a is inside &a itself: a cycle/],
  ])("%j is refused with line and column", async (text, message) => {
    await expect(parseYaml(text, options)).rejects.toThrow(message);
  });

  it("an alias bomb is refused before it expands", async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const below = level === 0 ? "x" : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array.from({ length: 10 }, () => below).join(", ")}]`;
    });
    await expect(parseYaml(levels.join("\n"), options)).rejects.toThrow("aliases");
  });

  it("bottomless nesting is refused, not a crash", async () => {
    await expect(parseYaml("[".repeat(200_000), options)).rejects.toThrow("job.yaml");
  });
});

describe("files", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "trainyard-yaml-"));
  });
  afterEach(() => rm(root, { recursive: true }));

  it("one of 100 MB is refused by its size, unread", async () => {
    const path = join(root, "big.yaml");
    await writeFile(path, "");
    await truncate(path, 100_000_000);
    await expect(readYamlFile(path, options)).rejects.toThrow(
      "job.yaml is 95.4 MiB; the limit is 1 MiB.",
    );
  });

  it("an absent one and a folder are refused by name", async () => {
    await expect(readYamlFile(join(root, "none"), options)).rejects.toThrow("no such file");
    await expect(readYamlFile(root, options)).rejects.toThrow("not a regular file");
  });

  it("a pipe that nobody writes to does not hang", async () => {
    const path = join(root, "pipe.yaml");
    execFileSync("mkfifo", [path]);
    await expect(readYamlFile(path, options)).rejects.toThrow("not a regular file");
  });

  it("a device that never ends is not read", async () => {
    await expect(readYamlFile("/dev/zero", options)).rejects.toThrow("not a regular file");
  });
});
