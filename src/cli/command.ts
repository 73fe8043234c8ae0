// What a command is: its words, flags, examples and what it does. The commander program, the shell
// completion and the reference are all made from this.

import type { ClientOptions } from "../config/client-options.ts";
import type { Layer } from "../config/resolve.ts";
import type { Completion, OptionTable, OptionValues, Section } from "../config/option.ts";
import type { Cluster } from "./cluster.ts";
import type { Io } from "./io.ts";
import type { CliPorts } from "./ports.ts";
import type { Printer } from "./terminal/print.ts";

export interface Operand {
  readonly name: string;
  readonly help: string;
  readonly isRequired: boolean;
  /** The last one only: takes all that follow. */
  readonly isVariadic?: boolean;
  readonly completion?: Completion | "shell";
}

export interface Example {
  readonly command: string;
  readonly says: string;
}

export interface Invocation<Flags extends OptionTable> {
  readonly operands: readonly string[];
  /** What stood after `--`; empty when there was nothing. */
  readonly rest: readonly string[];
  readonly flags: OptionValues<Flags>;
  /** Names of the flags that were given by hand. */
  readonly given: ReadonlySet<string>;
  readonly io: Io;
  readonly ports: CliPorts;
  readonly print: Printer;
  /** Every command there is, for those that talk about commands. */
  readonly registry: readonly Entry[];
  readonly client: ClientOptions;
  /** Connected on first use, closed when the command ends. */
  readonly cluster: () => Promise<Cluster>;
  /** Layers of a section, with this command's flags on top. */
  readonly layers: (section: Section) => Promise<readonly Layer[]>;
}

export interface CommandSpec<Flags extends OptionTable = OptionTable> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Sentences below the summary in `--help`; line breaks mean nothing. */
  readonly details?: string;
  /** A piece of a file, shown as it is. */
  readonly sample?: string;
  readonly operands: readonly Operand[];
  /** What follows `--`; absent = nothing may. */
  readonly rest?: string;
  readonly flags: Flags;
  /** Options of the client that have another meaning here. */
  readonly withoutClient?: readonly string[];
  /** True: a daemon, which has no client options. */
  readonly isDaemon?: boolean;
  readonly examples: readonly Example[];
  /** Resolves to the exit code. */
  readonly run: (invocation: Invocation<Flags>) => Promise<number>;
}

/** Gives `run` the exact type of the flags, then forgets it: callers see any command alike. */
export function defineCommand<const Flags extends OptionTable>(
  spec: CommandSpec<Flags>,
): CommandSpec {
  return decodeSpec(spec);
}

/** `run` is only ever called with values resolved from this very spec's table. */
function decodeSpec<Flags extends OptionTable>(spec: CommandSpec<Flags>): CommandSpec {
  return spec as unknown as CommandSpec;
}

export interface Entry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Heading in the overview. */
  readonly heading?: string;
  readonly isHidden?: boolean;
  readonly load?: () => Promise<CommandSpec>;
  readonly children?: readonly Entry[];
}
