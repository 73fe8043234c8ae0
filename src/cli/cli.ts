// Runs one command line: finds the command, settles its flags, runs it, prints what went wrong, and
// gives the exit code.

import { CommanderError } from "commander";
import type { ClientOptions, OutputFormat } from "../config/client-options.ts";
import { CLIENT_OPTIONS, OUTPUT_FORMATS } from "../config/client-options.ts";
import type { ConfigFile } from "../config/files.ts";
import { configLayers, readConfigFiles } from "../config/files.ts";
import type { OptionTable, Section } from "../config/option.ts";
import type { Layer } from "../config/resolve.ts";
import { flagLayer, resolveOptions } from "../config/resolve.ts";
import { OPTION_TABLES } from "../config/tables.ts";
import type { Cluster } from "./cluster.ts";
import type { Invocation } from "./command.ts";
import { COMMON_FLAGS } from "./common-flags.ts";
import { EXIT } from "./exit-codes.ts";
import { toFailure, usageError } from "./failure.ts";
import type { Io } from "./io.ts";
import type { CliPorts } from "./ports.ts";
import type { Call, ProgramHooks } from "./program.ts";
import { createProgram, declareNamed } from "./program.ts";
import { REGISTRY } from "./registry.ts";
import { createPrinter } from "./terminal/print.ts";
import { wantsColour } from "./terminal/style.ts";

/** `argv` without the program's own name. Never throws: what went wrong is printed. */
export async function runCli(argv: readonly string[], io: Io, ports: CliPorts): Promise<number> {
  const line = splitLine(argv);
  try {
    return await runLine(line, io, ports);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    // A group without a command: its help has been shown.
    if (error instanceof CommanderError && error.code === "commander.help") return EXIT.usage;
    const failure = toFailure(error);
    createPrinter(io, {
      format: wantsJson(line.words, io) ? "json" : "table",
      isQuiet: false,
      isColourRefused: line.words.includes("--no-color"),
    }).failure(failure);
    if (io.host.env["TRAINYARD_DEBUG"] !== undefined && error instanceof Error) {
      io.stderr.write(`${error.stack ?? error.message}\n`);
    }
    return failure.exitCode;
  }
}

interface Line {
  readonly words: readonly string[];
  /** What followed the first `--`; null when there was none. */
  readonly rest: readonly string[] | null;
}

/** `help X` is `X --help`; `-V` and `--version` are `version`. */
function splitLine(argv: readonly string[]): Line {
  const dash = argv.indexOf("--");
  const words = dash < 0 ? [...argv] : argv.slice(0, dash);
  const rest = dash < 0 ? null : argv.slice(dash + 1);
  if (words[0] === "help") return { words: [...words.slice(1), "--help"], rest };
  if (words[0] === "-V" || words[0] === "--version") return { words: ["version"], rest };
  return { words, rest };
}

async function runLine(line: Line, io: Io, ports: CliPorts): Promise<number> {
  let exitCode: number = EXIT.ok;
  const hooks: ProgramHooks = {
    writeOut: (text) => void io.stdout.write(text),
    writeErr: (text) => void io.stderr.write(text),
    helpWidth: Math.min(io.stdout.columns ?? 100, 120),
    isColoured: wantsColour({ env: io.host.env, stream: io.stdout, isRefused: false }),
    onCommand: async (call) => {
      exitCode = await runCall(call, line.rest, io, ports);
    },
  };
  const program = createProgram(REGISTRY, hooks);
  if (line.words.length === 0) {
    program.outputHelp();
    return EXIT.ok;
  }
  await declareNamed(program, REGISTRY, line.words, hooks);
  await program.parseAsync([...line.words], { from: "user" });
  return exitCode;
}

async function runCall(
  call: Call,
  rest: readonly string[] | null,
  io: Io,
  ports: CliPorts,
): Promise<number> {
  const { spec, raw } = call;
  if (rest !== null && spec.rest === undefined) {
    throw usageError(`\`${spec.name}\` takes nothing after \`--\`.`, "Leave it out.");
  }
  const config = configReader(call, io);
  const client = spec.isDaemon === true ? NO_CLIENT : await clientOptions(config, io);
  const session = openSession(client, io, ports);
  const common = resolveOptions(COMMON_FLAGS, [flagLayer(raw)], io.host).values;
  const print = createPrinter(io, {
    format: common.json ? "json" : client.output,
    isQuiet: common.quiet,
    isColourRefused: common.noColor,
  });
  const invocation: Invocation<OptionTable> = {
    operands: call.operands,
    rest: rest ?? [],
    flags: resolveOptions(spec.flags, [flagLayer(raw)], io.host).values,
    given: new Set(raw.keys()),
    io,
    ports,
    print,
    registry: REGISTRY,
    client,
    cluster: session.cluster,
    layers: config.layers,
  };
  try {
    return await spec.run(invocation);
  } finally {
    session.close();
  }
}

interface ConfigReader {
  readonly layers: (section: Section) => Promise<readonly Layer[]>;
}

/** Reads the files once, and only when somebody asks. */
function configReader(call: Call, io: Io): ConfigReader {
  let files: Promise<readonly ConfigFile[]> | null = null;
  return {
    layers: async (section) => {
      files ??= readConfigFiles(io.host);
      const flags = section === "client" ? clientFlags(call) : call.raw;
      const inputs = { section, flags, host: io.host, files: await files, tables: OPTION_TABLES };
      return configLayers(inputs);
    },
  };
}

/** A command's own `--timeout` is not the client's. */
function clientFlags({ spec, raw }: Call): ReadonlyMap<string, unknown> {
  const own = new Set(Object.values(spec.flags).map((option) => option.name));
  const flags = new Map([...raw].filter(([name]) => !own.has(name)));
  if (raw.get("json") === true) flags.set("output", "json");
  return flags;
}

async function clientOptions(config: ConfigReader, io: Io): Promise<ClientOptions> {
  return resolveOptions(CLIENT_OPTIONS, await config.layers("client"), io.host).values;
}

/** Daemons print nothing through the printer but their failures. */
const NO_CLIENT: ClientOptions = {
  context: null,
  server: "",
  tls: false,
  ca: null,
  tenant: "",
  user: "",
  project: null,
  output: "table",
  timeoutMs: 0,
};

function openSession(client: ClientOptions, io: Io, ports: CliPorts) {
  let opened: Promise<Cluster> | null = null;
  let cluster: Cluster | null = null;
  return {
    cluster: async (): Promise<Cluster> => {
      opened ??= ports.connect({ ...client, signal: io.signal });
      cluster = await opened;
      return cluster;
    },
    close: (): void => cluster?.close(),
  };
}

/** For errors before the flags were read: a script that asked for JSON gets JSON. */
function wantsJson(words: readonly string[], io: Io): boolean {
  const isFlag = words.some((word, index) => {
    if (word === "--json" || word === "--output=json" || word === "-ojson") return true;
    return (word === "-o" || word === "--output") && words[index + 1] === "json";
  });
  const format: OutputFormat | undefined = OUTPUT_FORMATS.find(
    (one) => one === io.host.env["TRAINYARD_OUTPUT"],
  );
  return isFlag || (format === "json" && !words.includes("--output") && !words.includes("-o"));
}
