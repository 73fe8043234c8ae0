// Turns what zod found in a YAML file into problems with line, column and a nearby known key.

import type { core, ZodType } from "zod";
import type { Problem } from "./problem.ts";
import { suggestion } from "./suggest.ts";

export type Path = readonly (string | number)[];

export interface Placer {
  /** Where the value at this path was written. */
  where(path: Path): string;
}

/** Own words for keys that are known from elsewhere but have no meaning here. */
export type ForeignKeys = Readonly<Record<string, string>>;

export interface ZodProblemOptions {
  readonly schema: ZodType;
  readonly placer: Placer;
  readonly foreignKeys?: ForeignKeys;
}

export function zodProblems(
  issues: readonly core.$ZodIssue[],
  options: ZodProblemOptions,
): readonly Problem[] {
  return issues.flatMap((issue) => issueProblems(issue, toPath(issue.path), options));
}

function issueProblems(issue: core.$ZodIssue, path: Path, options: ZodProblemOptions): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(key, path, options));
  }
  if (issue.code === "invalid_union") {
    const branch = likelyBranch(issue.errors);
    if (branch !== null) {
      return branch.flatMap((inner) =>
        issueProblems(inner, [...path, ...toPath(inner.path)], options),
      );
    }
  }
  // What is wrong with a key says more than that it is wrong.
  const message = issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
  return [
    {
      where: options.placer.where(path),
      path: pathText(path),
      message: message ?? issue.message,
    },
  ];
}

/** The one alternative whose outer type fits: what the writer meant. */
function likelyBranch(
  branches: readonly (readonly core.$ZodIssue[])[],
): readonly core.$ZodIssue[] | null {
  const isOther = ({ code, path }: core.$ZodIssue): boolean =>
    path.length === 0 && (code === "invalid_type" || code === "invalid_value");
  const near = branches.filter((issues) => !issues.some(isOther));
  return near.length === 1 ? (near[0] ?? null) : null;
}

function unknownKey(key: string, parent: Path, options: ZodProblemOptions): Problem {
  const path = [...parent, key];
  const foreign = options.foreignKeys?.[pathText(path)];
  const message = foreign ?? `unknown key${suggestion(key, knownKeys(options.schema, parent))}`;
  return { where: options.placer.where(path), path: pathText(path), message };
}

/** Keys that the schema has at this path, looking through wrappers, lists and unions. */
function knownKeys(schema: unknown, path: Path): readonly string[] {
  const bare = unwrap(schema);
  const branches = field(bare, "options");
  if (Array.isArray(branches)) return branches.flatMap((branch) => knownKeys(branch, path));
  const [head, ...rest] = path;
  if (head === undefined) return Object.keys(field(bare, "shape") ?? {});
  const next =
    typeof head === "number"
      ? field(bare, "element")
      : (field(field(bare, "shape"), head) ?? field(bare, "valueType"));
  return next === undefined ? [] : knownKeys(next, rest);
}

/** The schema below `optional`, `default`, `pipe` and the like. */
function unwrap(schema: unknown): unknown {
  const definition = field(schema, "def");
  const inner = field(definition, "innerType") ?? field(definition, "in");
  const getter = field(definition, "getter");
  if (typeof getter === "function") return unwrap(getter());
  return inner === undefined ? schema : unwrap(inner);
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Reflect.get(value, key);
}

function toPath(path: readonly PropertyKey[]): Path {
  return path.map((segment) => (typeof segment === "number" ? segment : String(segment)));
}

/** `resources.gpus`, `queues[2].weight`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === "number") return `${text}[${segment}]`;
    return text === "" ? segment : `${text}.${segment}`;
  }, "");
}
