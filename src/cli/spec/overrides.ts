// Flags and `--set a.b=1` on top of a job file. They are put into the plain value before it is
// checked, so that one set of rules holds for all, and remembered, so that errors name the flag.

import type { Path } from "../../config/zod-problems.ts";
import { pathText } from "../../config/zod-problems.ts";
import { usageError } from "../failure.ts";
import { ALIASES } from "./schema.ts";

export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  /** As the user gave it: `--gpus` or `--set resources.gpus=2`. */
  readonly where: string;
}

export interface Overridden {
  readonly value: unknown;
  /** By path text: which flag wrote there. */
  readonly flags: ReadonlyMap<string, string>;
}

/** Later overrides win. The given value is not changed. */
export function applyOverrides(base: unknown, overrides: readonly Override[]): Overridden {
  const root = isMap(base)
    ? structuredClone(base)
    : base === null || base === undefined
      ? {}
      : base;
  const flags = new Map<string, string>();
  if (!isMap(root)) return { value: base, flags };
  for (const { path, value, where } of overrides) {
    setAt(root, path, value);
    for (const twin of twins(path.join("."))) removeAt(root, twin.split("."));
    flags.set(pathText(path), where);
  }
  return { value: root, flags };
}

/** A flag beats the file whichever of a field's two names the file uses. */
function twins(path: string): readonly string[] {
  return ALIASES.flatMap(([alias, name]) =>
    path === alias ? [name] : path === name ? [alias] : [],
  );
}

/** The flag that wrote this path or something above it; null when the file did. */
export function flagAt(flags: ReadonlyMap<string, string>, path: Path): string | null {
  for (let length = path.length; length > 0; length--) {
    const where = flags.get(pathText(path.slice(0, length)));
    if (where !== undefined) return where;
  }
  return null;
}

const SEGMENT = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/**
 * `resources.gpus=4`: the value is read as YAML, so that numbers and lists are what they look
 * like.
 */
export async function parseSet(text: string): Promise<Override> {
  const at = text.indexOf("=");
  const path = text.slice(0, Math.max(0, at)).split(".");
  if (path.some((segment) => !SEGMENT.test(segment) || FORBIDDEN.has(segment))) {
    throw usageError(
      `--set ${JSON.stringify(text)} is not field=value.`,
      "Write it like `--set resources.gpus=4`.",
      "set",
    );
  }
  const yaml = await import("yaml");
  const document = yaml.parseDocument(text.slice(at + 1));
  const value: unknown = document.errors.length > 0 ? text.slice(at + 1) : document.toJS();
  return { path, value, where: `--set ${text}` };
}

type PlainMap = Record<string, unknown>;

function setAt(root: PlainMap, path: readonly string[], value: unknown): void {
  let node = root;
  for (const segment of path.slice(0, -1)) {
    const next = node[segment];
    const child = isMap(next) ? next : {};
    node[segment] = child;
    node = child;
  }
  const last = path.at(-1);
  if (last !== undefined) node[last] = value;
}

function removeAt(root: PlainMap, path: readonly string[]): void {
  let node: unknown = root;
  for (const segment of path.slice(0, -1)) node = isMap(node) ? node[segment] : undefined;
  const last = path.at(-1);
  if (isMap(node) && last !== undefined) delete node[last];
}

function isMap(value: unknown): value is PlainMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
