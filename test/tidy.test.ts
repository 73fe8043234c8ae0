// The rules of ARCHITECTURE.md about the code itself: who may import whom, what is pure, how large a
// file may be. Says how much it looked at, and fails when that was nothing.

import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const SOURCE = join(ROOT, "src");
const LINES_MAX = 500;
const LINE_LENGTH_MAX = 100;

interface SourceFile {
  /** Below src, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

async function sources(): Promise<readonly SourceFile[]> {
  const entries = await readdir(SOURCE, { recursive: true });
  const paths = entries.filter((path) => path.endsWith(".ts") && !path.startsWith("rpc/gen/"));
  return paths.sort().map((path) => {
    const text = readFileSync(join(SOURCE, path), "utf8");
    return { path, text, imports: importsOf(text) };
  });
}

function importsOf(text: string): readonly string[] {
  const pattern = /(?:^|\n)\s*(?:import|export)\b[^;"]*?from\s*"([^"]+)"|import\(\s*"([^"]+)"/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? "");
}

const all = await sources();
const isTest = (path: string): boolean => path.endsWith(".test.ts") || path.endsWith("fixture.ts");
const files = all.filter((file) => !isTest(file.path));
const SHARED = ["store", "rpc", "objects", "obs", "config"];

type Layer =
  | { readonly kind: "base" | "shared" | "core" | "shell"; readonly feature: string }
  | { readonly kind: "sim" | "cli" | "main"; readonly feature: "" };

function layerOf(path: string): Layer {
  const [first = "", second = ""] = path.split("/");
  if (!path.includes("/")) return { kind: "main", feature: "" };
  if (first === "base") return { kind: "base", feature: first };
  if (first === "sim") return { kind: "sim", feature: "" };
  if (first === "cli") return { kind: "cli", feature: "" };
  if (SHARED.includes(first)) return { kind: "shared", feature: first };
  return { kind: second === "core" ? "core" : "shell", feature: first };
}

/** Cores that another core may see: the agent's and the simulator's vocabulary is the scheduler's. */
const DECLARED_CORES: Readonly<Record<string, readonly string[]>> = {
  agent: ["scheduler"],
  checkpoint: ["scheduler"],
  trace: ["scheduler", "checkpoint"],
};

function isAllowed(from: Layer, to: Layer): boolean {
  if (from.kind === "main") return true;
  if (to.kind === "base") return true;
  if (to.kind === "main" || to.kind === "cli" || to.kind === "sim") return from.kind === to.kind;
  switch (from.kind) {
    case "base":
      return false;
    case "core":
      return (
        to.kind === "core" &&
        (to.feature === from.feature || (DECLARED_CORES[from.feature] ?? []).includes(to.feature))
      );
    case "shared":
      return to.kind === "shared" && (to.feature === from.feature || to.feature === "obs");
    case "shell":
      return to.kind === "core" || to.kind === "shared" || to.feature === from.feature;
    case "sim":
      return to.kind === "core";
    case "cli":
      return to.kind === "core" || (to.kind === "shared" && ["rpc", "config"].includes(to.feature));
  }
}

function targetOf(file: SourceFile, specifier: string): string {
  return relative(SOURCE, resolve(SOURCE, dirname(file.path), specifier));
}

describe("the source tree", () => {
  test("has files to look at", () => {
    console.log(`tidy: ${files.length} source files, ${all.length - files.length} test files`);
    expect(files.length).toBeGreaterThan(40);
  });

  test("imports only in the directions of the table", () => {
    const breaches: string[] = [];
    for (const file of files) {
      for (const specifier of file.imports.filter((name) => name.startsWith("."))) {
        const target = targetOf(file, specifier);
        if (!isAllowed(layerOf(file.path), layerOf(target)))
          breaches.push(`${file.path} -> ${target}`);
      }
    }
    expect(breaches).toEqual([]);
  });

  test("has no import cycles", () => {
    expect(cycles()).toEqual([]);
  });

  test("keeps cores and base pure: no packages, no clock, no randomness, no async", () => {
    const breaches: string[] = [];
    const banned =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bsetTimeout\(|\bsetInterval\(|\bconsole\.|\basync\b|\bawait\b|\bPromise</;
    for (const file of files) {
      const kind = layerOf(file.path).kind;
      if (kind !== "core" && kind !== "base") continue;
      for (const name of file.imports) {
        if (!name.startsWith(".")) breaches.push(`${file.path} imports ${name}`);
      }
      const found = banned.exec(withoutStrings(withoutComments(file.text)));
      if (found !== null) breaches.push(`${file.path} has ${found[0]}`);
    }
    expect(breaches).toEqual([]);
  });

  test("reads the environment only in the option tables and where a child's is made", () => {
    const allowed = /^(config|main\.ts|wire-|agent\/|cli\/terminal)/;
    const readers = files.filter((file) => /\bprocess\.env\b/.test(withoutComments(file.text)));
    expect(readers.map((file) => file.path).filter((path) => !allowed.test(path))).toEqual([]);
  });

  test("opens every file with what it owns", () => {
    const silent = files.filter((file) => !/^(#!.*\n)?(\/\/|\/\*\*)/.test(file.text));
    expect(silent.map((file) => file.path)).toEqual([]);
  });

  test(`keeps files under ${LINES_MAX} lines and lines under ${LINE_LENGTH_MAX} characters`, () => {
    const large = all.filter((file) => file.text.split("\n").length > LINES_MAX);
    expect(large.map((file) => file.path)).toEqual([]);
    const wide: string[] = [];
    for (const file of files) {
      for (const [index, line] of file.text.split("\n").entries()) {
        const isFree = /["'`/]/.test(line); // Texts and patterns may be long: the formatter leaves them.
        if (line.length > LINE_LENGTH_MAX && !isFree) wide.push(`${file.path}:${index + 1}`);
      }
    }
    expect(wide).toEqual([]);
  });

  test("leaves nothing unfinished", () => {
    const marks = /\b(TODO|FIXME|XXX|HACK)\b|not implemented|@ts-(ignore|expect-error|nocheck)/;
    const unfinished = all.filter((file) => marks.test(file.text));
    expect(unfinished.map((file) => file.path)).toEqual([]);
  });

  test("has no marks of a merge in its documents", async () => {
    const below = (await readdir(join(ROOT, "docs"), { recursive: true })).map((path) =>
      join("docs", path),
    );
    const paths = [...(await readdir(ROOT)), ...below].filter((path) => path.endsWith(".md"));
    const torn = paths.filter((path) =>
      /^(<{7}|>{7}) /m.test(readFileSync(join(ROOT, path), "utf8")),
    );
    expect(paths).toContain("ARCHITECTURE.md");
    expect(torn).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

function withoutStrings(text: string): string {
  return text.replace(/"[^"\n]*"|'[^'\n]*'/g, '""').replace(/`[^`$]*`/g, "``");
}

function cycles(): readonly string[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      file.imports.filter((name) => name.startsWith(".")).map((name) => targetOf(file, name)),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(" -> "));
    if (at >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}
