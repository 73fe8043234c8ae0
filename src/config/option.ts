// What an option is: one declaration gives its type, unit, range, environment variable, flag,
// default, help text and documentation. The tables are in `*-options.ts`.

import type { Host } from "./host.ts";
import type { Parsed } from "./words.ts";

/** Raw values come from flags and the environment as text, from YAML as it is. */
export type RawValue = unknown;

/** Names of something that shell completion can list. */
export type Completion = "job" | "queue" | "node" | "context" | "file" | "directory" | "command";

export interface ValueKind<T> {
  /** What stands after the flag in help: `<duration>`; empty for a switch. */
  readonly placeholder: string;
  /** What is accepted, for people: `duration, 1s to 10m`. */
  readonly accepts: string;
  /** True: the flag may be repeated and the values add up. */
  readonly isList: boolean;
  /** The closed set of values, when there is one. */
  readonly choices: readonly string[];
  readonly completion: Completion | null;
  parse(raw: RawValue, host: Host): Parsed<T>;
  /** The text that `parse` reads back. */
  format(value: T): string;
}

export interface Option<T> {
  readonly kind: ValueKind<T>;
  /** Kebab-case: the flag without its dashes, and the key in files. */
  readonly name: string;
  /** One letter; empty = none. */
  readonly short: string;
  /** One sentence without the default, which help adds. */
  readonly help: string;
  fallback(host: Host): T;
  /** The default in words, where it depends on the host; empty = `format` of the fallback. */
  readonly fallbackText: string;
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

export type OptionValues<Table extends OptionTable> = {
  readonly [Key in keyof Table]: Table[Key] extends Option<infer Value> ? Value : never;
};

/** Whose options a table holds: the section's name in configuration files. */
export type Section = "client" | "scheduler" | "agent" | "up";

interface OptionText {
  readonly name: string;
  readonly help: string;
  readonly short?: string;
}

/** An option that always has a value. */
export function option<T>(
  kind: ValueKind<T>,
  text: OptionText & {
    readonly fallback: NoInfer<T> | ((host: Host) => NoInfer<T>);
    readonly fallbackText?: string;
  },
): Option<T> {
  const { fallback } = text;
  return {
    kind,
    name: text.name,
    short: text.short ?? "",
    help: text.help,
    fallback: (host) => (isFunction(fallback) ? fallback(host) : fallback),
    fallbackText: text.fallbackText ?? "",
  };
}

/** An option that may be left out; its value is then null. */
export function optional<T>(kind: ValueKind<T>, text: OptionText): Option<T | null> {
  return {
    kind: { ...kind, format: (value) => (value === null ? "" : kind.format(value)) },
    name: text.name,
    short: text.short ?? "",
    help: text.help,
    fallback: () => null,
    fallbackText: "none",
  };
}

function isFunction<T>(value: T | ((host: Host) => T)): value is (host: Host) => T {
  return typeof value === "function";
}

/** `TRAINYARD_SERVER` for the client, `TRAINYARD_SCHEDULER_LISTEN` for a daemon. */
export function environmentName(section: Section, option: Pick<Option<unknown>, "name">): string {
  const words = section === "client" ? [option.name] : [section, option.name];
  return `TRAINYARD_${words.join("_").replaceAll("-", "_").toUpperCase()}`;
}
