// Reads a YAML file that a person wrote: bounded in size and depth before anything is parsed, and
// with the line and column of every value, so that later checks can point at it.

import { readFile, stat } from "node:fs/promises";
import type { Document, LineCounter, Pair, YAMLMap } from "yaml";
import type { ErrorCode } from "../base/errors.ts";
import { RefusalError, refuse } from "../base/errors.ts";
import type { Problem } from "./problem.ts";
import { problemsError } from "./problem.ts";

/** A job or configuration file is a page of text; whatever is larger is a mistake. */
export const YAML_BYTES_MAX = 1024 * 1024;
const ALIASES_MAX = 100;

export type PathSegment = string | number;

export interface YamlFile {
  /** As the user named it. */
  readonly file: string;
  readonly value: unknown;
  /** `file:line:column` of the key at this path, or of its nearest parent that exists. */
  where(path: readonly PathSegment[]): string;
}

export interface ReadYamlOptions {
  /** Name shown in errors. */
  readonly file: string;
  /** Catalogue code of the refusal when the file is wrong. */
  readonly code: ErrorCode;
}

/** @throws RefusalError when it is absent, no file, over 1 MiB, or not YAML. */
export async function readYamlFile(path: string, options: ReadYamlOptions): Promise<YamlFile> {
  return parseYaml(await readBounded(path, options), options);
}

/** A value as a person would write it. */
export async function renderYaml(value: unknown): Promise<string> {
  const { stringify } = await import("yaml");
  return stringify(value, { flowCollectionPadding: false, lineWidth: 100 });
}

/** Looks before it opens: opening a pipe waits for a writer, and a device never ends. */
async function readBounded(path: string, options: ReadYamlOptions): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    throw notReadable(error, options);
  });
  if (!found.isFile()) {
    throw new RefusalError(
      refuse(options.code, `${options.file} is not a regular file.`, "Name a YAML file."),
    );
  }
  if (found.size > YAML_BYTES_MAX) throw tooLarge(options.file, found.size);
  return readFile(path, "utf8").catch((error: unknown) => {
    throw notReadable(error, options);
  });
}

function notReadable(error: unknown, options: ReadYamlOptions): RefusalError {
  return new RefusalError(
    refuse(options.code, `${options.file}: ${openFailure(error)}.`, "Check the path."),
  );
}

function openFailure(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === "ENOENT") return "no such file";
  if (code === "EACCES") return "no permission to read it";
  return error instanceof Error ? error.message : String(error);
}

function tooLarge(file: string, sizeBytes: number): RefusalError {
  const mib = (sizeBytes / YAML_BYTES_MAX).toFixed(1);
  return new RefusalError(
    refuse(
      "TOO_LARGE",
      `${file} is ${mib} MiB; the limit is 1 MiB.`,
      "Name the YAML file itself, and put data into files that the job reads.",
    ),
  );
}

/** @throws RefusalError naming every place where the text is not YAML. */
export async function parseYaml(text: string, options: ReadYamlOptions): Promise<YamlFile> {
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  const document = guarded(options, () =>
    yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false }),
  );
  const problemAt = (offset: number, message: string): Problem => {
    return { where: place(options.file, lines, offset), path: "", message };
  };
  const problems = [...document.errors, ...document.warnings].map((error) =>
    problemAt(error.pos[0], firstLine(error.message)),
  );
  guarded(options, () =>
    yaml.visit(document, {
      Alias(_, alias, above) {
        // What contains itself has no end: no check of the value would come back.
        const isCycle = above.some((node) => yaml.isNode(node) && node.anchor === alias.source);
        const message = `*${alias.source} is inside &${alias.source} itself: a cycle`;
        if (isCycle) problems.push(problemAt(rangeOf(alias) ?? 0, message));
      },
    }),
  );
  if (problems.length > 0) throw notYaml(options, problems);
  const value: unknown = guarded(options, () => document.toJS({ maxAliasCount: ALIASES_MAX }));
  return {
    file: options.file,
    value,
    where: (path) => place(options.file, lines, offsetOf(yaml.isMap, document, path)),
  };
}

/** Deep nesting and alias bombs surface as exceptions of the parser. */
function guarded<T>(options: ReadYamlOptions, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw notYaml(options, [{ where: options.file, path: "", message: parserFailure(error) }]);
  }
}

function parserFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError) return "is nested too deeply";
  if (message.startsWith("Unresolved alias")) return firstLine(message);
  return `aliases (*name) expand to too much; at most ${ALIASES_MAX} are allowed`;
}

function notYaml(options: ReadYamlOptions, problems: readonly Problem[]): RefusalError {
  return problemsError(options.code, problems, `Mend the YAML of ${options.file}.`);
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}

function place(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
}

type IsMap = (node: unknown) => node is YAMLMap;

function offsetOf(isMap: IsMap, document: Document.Parsed, path: readonly PathSegment[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const key = isMap(parent)
      ? parent.items.find((pair) => keyText(pair) === String(last))?.key
      : null;
    const node = key ?? document.getIn(path.slice(0, length), true);
    const range = rangeOf(node);
    if (range !== null) return range;
  }
  return rangeOf(document.contents) ?? 0;
}

function keyText(pair: Pair): string {
  const { key } = pair;
  if (typeof key === "object" && key !== null && "value" in key) return String(key.value);
  return String(key);
}

function rangeOf(node: unknown): number | null {
  if (typeof node !== "object" || node === null || !("range" in node)) return null;
  const range: unknown = node.range;
  return Array.isArray(range) && typeof range[0] === "number" ? range[0] : null;
}
