// The reference of all commands as Markdown, made from their own help.

import type { Command } from "commander";
import type { Entry } from "./command.ts";
import type { ProgramHooks } from "./program.ts";
import { createProgram, declareNamed } from "./program.ts";

const WIDTH = 100;

const SILENT: ProgramHooks = {
  onCommand: () => Promise.resolve(),
  writeOut: () => undefined,
  writeErr: () => undefined,
  helpWidth: WIDTH,
  isColoured: false,
};

export interface CommandHelp {
  /** `trainyard queue apply`. */
  readonly title: string;
  readonly help: string;
}

/** The help of the program and of every command that is not hidden, as it is printed. */
export async function allHelp(registry: readonly Entry[]): Promise<readonly CommandHelp[]> {
  const program = createProgram(registry, SILENT);
  const leaves = registry.filter((entry) => entry.isHidden !== true).flatMap(leafPaths);
  const texts: CommandHelp[] = [{ title: "trainyard", help: helpOf(program) }];
  for (const path of leaves) {
    await declareNamed(program, registry, path, SILENT);
    const command = path.reduce(childOf, program);
    texts.push({ title: ["trainyard", ...path].join(" "), help: helpOf(command) });
  }
  return texts;
}

function leafPaths(entry: Entry): readonly (readonly string[])[] {
  if (entry.children === undefined) return [[entry.name]];
  return entry.children.flatMap(leafPaths).map((path) => [entry.name, ...path]);
}

function childOf(command: Command, name: string): Command {
  return command.commands.find((one) => one.name() === name) ?? command;
}

/** With what `addHelpText` adds, which `helpInformation` leaves out. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text.trim();
}

export async function renderCliReference(registry: readonly Entry[]): Promise<string> {
  const parts = (await allHelp(registry)).map(
    ({ title, help }) => `## \`${title}\`\n\n\`\`\`text\n${help}\n\`\`\`\n`,
  );
  return [
    "# Commands",
    "",
    "<!-- Generated from src/cli. Do not edit: run the unit tests with `-u` after a change. -->",
    "",
    ...parts,
  ].join("\n");
}
