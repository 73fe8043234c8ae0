// The commander program, made from the registry. It knows the words; what they do is in
// `commands/`.

import { Command, Option as CommanderOption } from "commander";
import { CLIENT_OPTIONS } from "../config/client-options.ts";
import type { Option, OptionTable } from "../config/option.ts";
import { defaultText } from "../config/reference.ts";
import type { CommandSpec, Entry } from "./command.ts";
import { COMMON_FLAGS } from "./common-flags.ts";

export interface ProgramHooks {
  /** Called with the leaf that was named, its operands, and its raw flags by option name. */
  readonly onCommand: (call: Call) => Promise<void>;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Cells of a line of help. */
  readonly helpWidth: number;
  readonly isColoured: boolean;
}

export interface Call {
  readonly spec: CommandSpec;
  readonly operands: readonly string[];
  /** Only those given by hand, wherever on the line. */
  readonly raw: ReadonlyMap<string, unknown>;
}

const FLAGS_HEADING = "Flags:";
const SHARED_HEADING = "Connection and output:";

const OVERVIEW = `
Examples:
  trainyard up                                     a whole cluster on this machine
  trainyard submit train.py --gpus 2 -- --lr 3e-4  hand in a script
  trainyard run job.yaml                           hand in a job file and watch it
  trainyard ps                                     what runs and what waits
  trainyard explain @last                          why the newest job waits

A job is named by its id (job-42 or 42), its name (the newest of that name), or @last (your newest).
\`trainyard <command> --help\` teaches each command by example.
`;

export function createProgram(registry: readonly Entry[], hooks: ProgramHooks): Command {
  const program = configure(new Command("trainyard"), hooks);
  program
    .description("A GPU-cluster scheduler and training runtime.")
    .usage("<command> [flags]")
    .enablePositionalOptions()
    .helpCommand(false)
    .addHelpText("after", OVERVIEW);
  // Understood before a command too, but the overview is about commands.
  addFlags(program, CLIENT_OPTIONS, null);
  addFlags(program, COMMON_FLAGS, null);
  for (const entry of registry) program.addCommand(entryCommand(entry, hooks), hidden(entry));
  return program;
}

function hidden(entry: Entry): { hidden: boolean } {
  return { hidden: entry.isHidden === true };
}

function configure(command: Command, hooks: ProgramHooks): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError(true)
    .allowExcessArguments(false)
    .addHelpOption(new CommanderOption("-h, --help", "Show this help.").helpGroup(FLAGS_HEADING))
    .configureOutput({
      writeOut: hooks.writeOut,
      writeErr: hooks.writeErr,
      // Errors are thrown, and printed in one place and one form.
      outputError: () => undefined,
      getOutHelpWidth: () => hooks.helpWidth,
      getErrHelpWidth: () => hooks.helpWidth,
      getOutHasColors: () => hooks.isColoured,
      getErrHasColors: () => hooks.isColoured,
    })
    .configureHelp({
      subcommandTerm: (sub) => [sub.name(), ...sub.aliases()].join(", "),
      // The longest flag leaves 34 cells of 80: less than commander would wrap at by itself.
      minWidthToWrap: 24,
    });
}

function entryCommand(entry: Entry, hooks: ProgramHooks): Command {
  const command = configure(new Command(entry.name), hooks);
  command
    .summary(entry.summary)
    .description(entry.summary)
    .aliases([...(entry.aliases ?? [])]);
  if (entry.heading !== undefined) command.helpGroup(entry.heading);
  if (entry.children !== undefined) {
    command.helpCommand(false).usage("<command> [flags]").enablePositionalOptions();
    for (const child of entry.children)
      command.addCommand(entryCommand(child, hooks), hidden(child));
    return command;
  }
  // A leaf's flags are unknown until its module is loaded, which its parent's hook does.
  return command;
}

/** Loads the leaf that these words name, and declares it. Null when they name none. */
export async function declareNamed(
  program: Command,
  registry: readonly Entry[],
  words: readonly string[],
  hooks: ProgramHooks,
): Promise<CommandSpec | null> {
  const found = findEntry(registry, words);
  if (found?.entry.load === undefined) return null;
  let command = program;
  for (const name of found.path) {
    const child = command.commands.find((one) => one.name() === name);
    if (child === undefined) return null;
    command = child;
  }
  const spec = await found.entry.load();
  declareLeaf(command, spec, hooks);
  return spec;
}

export interface FoundEntry {
  readonly entry: Entry;
  readonly path: readonly string[];
}

/** The entry that the first words name, however deep; flags among them are skipped. */
export function findEntry(registry: readonly Entry[], words: readonly string[]): FoundEntry | null {
  let entries = registry;
  let found: FoundEntry | null = null;
  for (const word of bareWords(words)) {
    const entry = entries.find((one) => one.name === word || one.aliases?.includes(word) === true);
    if (entry === undefined) return found;
    const above: readonly string[] = found?.path ?? [];
    found = { entry, path: [...above, entry.name] };
    if (entry.children === undefined) return found;
    entries = entry.children;
  }
  return found;
}

/** What is neither a flag nor the value of one that may stand before a command. */
export function bareWords(words: readonly string[]): readonly string[] {
  const valued = Object.values({ ...CLIENT_OPTIONS, ...COMMON_FLAGS })
    .filter((option) => option.kind.placeholder !== "")
    .flatMap(({ name, short }) => [`--${name}`, ...(short === "" ? [] : [`-${short}`])]);
  return words.filter(
    (word, index) => !word.startsWith("-") && !valued.includes(words[index - 1] ?? ""),
  );
}

/** All flags of a leaf: its own, the client's, and those of every command. */
export function leafTables(spec: CommandSpec): { own: OptionTable; shared: OptionTable } {
  if (spec.isDaemon === true) return { own: spec.flags, shared: {} };
  const without = spec.withoutClient ?? [];
  const shared = Object.entries({ ...CLIENT_OPTIONS, ...COMMON_FLAGS }).filter(
    ([, option]) => !without.includes(option.name),
  );
  return { own: spec.flags, shared: Object.fromEntries(shared) };
}

function declareLeaf(command: Command, spec: CommandSpec, hooks: ProgramHooks): void {
  const { own, shared } = leafTables(spec);
  addFlags(command, own, FLAGS_HEADING);
  addFlags(command, shared, SHARED_HEADING);
  command.usage(usageOf(spec)).addHelpText("after", afterHelp(spec));
  const details = spec.details?.replaceAll(/\s+/g, " ");
  command.description(
    details === undefined ? `${spec.summary}.` : `${spec.summary}.\n\n${details}`,
  );
  for (const operand of spec.operands) {
    const dots = operand.isVariadic === true ? "..." : "";
    const word = `${operand.name}${dots}`;
    command.argument(operand.isRequired ? `<${word}>` : `[${word}]`, operand.help);
  }
  command.action(async () => {
    const raw = new Map([...givenFlags(command.parent), ...givenFlags(command)]);
    await hooks.onCommand({ spec, operands: [...command.args], raw });
  });
}

export function usageOf(spec: CommandSpec): string {
  const words = spec.operands.map((operand) => {
    const word = `${operand.name}${operand.isVariadic === true ? "..." : ""}`;
    return operand.isRequired ? `<${word}>` : `[${word}]`;
  });
  return [...words, "[flags]", ...(spec.rest === undefined ? [] : [`[-- ${spec.rest}]`])].join(" ");
}

function afterHelp(spec: CommandSpec): string {
  const width = Math.max(0, ...spec.examples.map(({ command }) => command.length));
  const column = Math.min(width, 52);
  const lines = spec.examples.map(({ command, says }) =>
    command.length > column
      ? `  ${command}\n      ${says}`
      : `  ${command.padEnd(column)}  ${says}`,
  );
  const sample = spec.sample === undefined ? "" : `\n${spec.sample}\n`;
  return lines.length === 0 ? sample : `${sample}\nExamples:\n${lines.join("\n")}\n`;
}

/** Without a heading they are left out of the help. */
function addFlags(command: Command, table: OptionTable, heading: string | null): void {
  for (const option of Object.values(table)) {
    const made = commanderOption(option);
    command.addOption(heading === null ? made.hideHelp() : made.helpGroup(heading));
  }
}

function commanderOption(option: Option<unknown>): CommanderOption {
  const short = option.short === "" ? "" : `-${option.short}, `;
  const value = option.kind.placeholder === "" ? "" : ` ${option.kind.placeholder}`;
  const made = new CommanderOption(`${short}--${option.name}${value}`, helpText(option));
  // Values are read later, by the same rules as those of files; here they are only collected.
  if (option.kind.isList) made.argParser(collect);
  // `--no-color` would otherwise become a `color` that is true by default.
  if (option.name.startsWith("no-")) made.negate = false;
  return made;
}

function collect(value: string, before: unknown): readonly unknown[] {
  return Array.isArray(before) ? [...before, value] : [value];
}

function helpText(option: Option<unknown>): string {
  const fallback = defaultText(option);
  const isSwitch = option.kind.placeholder === "";
  return isSwitch || fallback === "" || fallback === "none"
    ? option.help
    : `${option.help} (default: ${fallback})`;
}

function givenFlags(command: Command | null): readonly (readonly [string, unknown])[] {
  if (command === null) return [];
  const own = command.options.flatMap((made): [string, unknown][] => {
    const key = made.attributeName();
    const isGiven = command.getOptionValueSource(key) === "cli";
    const value: unknown = command.getOptionValue(key);
    return isGiven ? [[made.long?.replace(/^--/, "") ?? key, value]] : [];
  });
  return [...givenFlags(command.parent), ...own];
}
