// What may come next on a command line that is being typed. Pure but for the lists of live names,
// which are handed in.

import type { Completion, Option, OptionTable } from "../config/option.ts";
import type { CommandSpec, Entry, Operand } from "./command.ts";
import { COMMON_FLAGS } from "./common-flags.ts";
import { CLIENT_OPTIONS } from "../config/client-options.ts";
import { bareWords, findEntry, leafTables } from "./program.ts";

export interface Suggestion {
  readonly word: string;
  /** Empty = none. */
  readonly says: string;
}

/** `files` and `directories` leave it to the shell. */
export type Suggestions = readonly Suggestion[] | "files" | "directories";

/** Names of what the running cluster has; empty when it does not answer. */
export type LiveNames = (
  what: "job" | "queue" | "node" | "context",
) => Promise<readonly Suggestion[]>;

const SHELLS = ["bash", "zsh", "fish"] as const;

/** `words` after the program's name; the last one is being typed, and may be empty. */
export async function suggest(
  registry: readonly Entry[],
  words: readonly string[],
  live: LiveNames,
): Promise<Suggestions> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  // After `--` stand the job's own words.
  if (before.includes("--")) return "files";
  const found = findEntry(registry, before);
  // A word that names no command has nothing after it.
  if (bareWords(before).length > (found?.path.length ?? 0) && found?.entry.load === undefined)
    return [];
  if (found === null || found.entry.children !== undefined) {
    const entries = found?.entry.children ?? registry;
    const flags = found === null ? { ...CLIENT_OPTIONS, ...COMMON_FLAGS } : {};
    return typed.startsWith("-") ? flagWords(flags, typed) : entryWords(entries, typed);
  }
  const spec = await found.entry.load?.();
  if (spec === undefined) return [];
  const { own, shared } = leafTables(spec);
  return leafWords(spec, { ...shared, ...own }, found.path.length, before, typed, live);
}

async function leafWords(
  spec: CommandSpec,
  table: OptionTable,
  depth: number,
  before: readonly string[],
  typed: string,
  live: LiveNames,
): Promise<Suggestions> {
  const equals = /^--([a-z-]+)=(.*)$/.exec(typed);
  if (equals !== null) {
    const option = findFlag(table, `--${equals[1]}`);
    const values = option === null ? [] : await valueWords(option, equals[2] ?? "", live);
    if (typeof values === "string") return values;
    return values.map(({ word, says }) => ({ word: `--${equals[1]}=${word}`, says }));
  }
  const pending = findFlag(table, before.at(-1) ?? "");
  if (pending !== null && pending.kind.placeholder !== "") return valueWords(pending, typed, live);
  if (typed.startsWith("-")) return flagWords(table, typed);
  const operand = operandAt(spec.operands, operandCount(before, table) - depth);
  return operand?.completion === undefined ? [] : namedWords(operand.completion, typed, live);
}

/** How many words are neither flags nor their values. */
function operandCount(words: readonly string[], table: OptionTable): number {
  return words.filter((word, index) => {
    if (word.startsWith("-")) return false;
    const flag = findFlag(table, words[index - 1] ?? "");
    return flag === null || flag.kind.placeholder === "";
  }).length;
}

function operandAt(operands: readonly Operand[], index: number): Operand | undefined {
  const last = operands.at(-1);
  return operands[index] ?? (last?.isVariadic === true ? last : undefined);
}

function findFlag(table: OptionTable, word: string): Option<unknown> | null {
  const options = Object.values(table);
  const isNamed = ({ name, short }: Option<unknown>): boolean =>
    word === `--${name}` || (short !== "" && word === `-${short}`);
  return options.find(isNamed) ?? null;
}

function valueWords(option: Option<unknown>, typed: string, live: LiveNames): Promise<Suggestions> {
  const { choices, completion } = option.kind;
  if (choices.length > 0) {
    return Promise.resolve(
      matching(
        choices.map((word) => ({ word, says: "" })),
        typed,
      ),
    );
  }
  return completion === null ? Promise.resolve([]) : namedWords(completion, typed, live);
}

async function namedWords(
  what: Completion | "shell",
  typed: string,
  live: LiveNames,
): Promise<Suggestions> {
  switch (what) {
    case "file":
    case "command":
      return "files";
    case "directory":
      return "directories";
    case "shell":
      return matching(
        SHELLS.map((word) => ({ word, says: "" })),
        typed,
      );
    default:
      return matching(await live(what), typed);
  }
}

function entryWords(entries: readonly Entry[], typed: string): readonly Suggestion[] {
  const shown = entries.filter((entry) => entry.isHidden !== true);
  return matching(
    shown.map(({ name, summary }) => ({ word: name, says: summary })),
    typed,
  );
}

function flagWords(table: OptionTable, typed: string): readonly Suggestion[] {
  const flags = Object.values(table).map(({ name, help }) => ({ word: `--${name}`, says: help }));
  return matching([...flags, { word: "--help", says: "Show help." }], typed);
}

function matching(suggestions: readonly Suggestion[], typed: string): readonly Suggestion[] {
  return suggestions.filter(({ word }) => word.startsWith(typed));
}
