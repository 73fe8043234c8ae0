// A terminal in a task's environment. node-pty is loaded when the first one is opened: an agent
// whose machine has no build of it does everything else.

import { closeSync, constants, openSync } from "node:fs";
import type { IPty } from "node-pty";

export interface TerminalOptions {
  /** Empty = the user's shell. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
}

export interface Terminal {
  write(data: Buffer): void;
  resize(columns: number, rows: number): void;
  /** Holds the output up while its reader is slow. */
  pause(): void;
  resume(): void;
  /** As when the terminal's window is closed. */
  kill(): void;
}

export interface TerminalListener {
  output(data: Buffer): void;
  /** After the last output. */
  ended(exitCode: number): void;
}

/** After the command's end, its output is taken for complete when none came for this long. */
const QUIET_MS = 30;
const SIGNAL_EXIT_BASE = 128;

/** Rejects with an Error for the user when there is no node-pty here or the command cannot start. */
export async function openTerminal(
  options: TerminalOptions,
  listener: TerminalListener,
): Promise<Terminal> {
  const { spawn } = await loadPty();
  const [program, ...args] = commandOf(options);
  const pty = spawn(program ?? "/bin/sh", args, {
    name: "xterm-256color",
    cols: Math.max(1, options.columns),
    rows: Math.max(1, options.rows),
    cwd: options.cwd,
    env: { ...options.env, TERM: "xterm-256color" },
    // Bytes, not text: a character may be cut in two between reads.
    encoding: null,
  });
  drain(pty, listener);
  return {
    write: (data) => pty.write(data),
    resize: (columns, rows) => pty.resize(Math.max(1, columns), Math.max(1, rows)),
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    kill: () => pty.kill("SIGHUP"),
  };
}

async function loadPty(): Promise<typeof import("node-pty")> {
  try {
    return await import("node-pty");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `this node's agent cannot open terminals: node-pty did not load (${why}); ` +
        "reinstall the agent's packages with `npm rebuild node-pty`",
      { cause: error },
    );
  }
}

function commandOf(options: TerminalOptions): readonly string[] {
  return options.argv.length > 0 ? options.argv : [options.env["SHELL"] ?? "/bin/sh", "-i"];
}

/**
 * Tells the output and, after all of it, the end. The kernel drops what was written but not read
 * when the last holder of the terminal's other side goes away, and with a short command that is the
 * command itself: so this side holds it open until no more has come.
 */
function drain(pty: IPty, listener: TerminalListener): void {
  let slave = holdSlave(pty);
  let exitCode: number | null = null;
  let quiet: NodeJS.Timeout | null = null;
  const settle = (): void => {
    if (exitCode === null) return;
    if (quiet !== null) clearTimeout(quiet);
    quiet = setTimeout(() => {
      if (slave !== null) closeSync(slave);
      slave = null;
      listener.ended(exitCode ?? -1);
    }, QUIET_MS);
  };
  // With `encoding: null` these are buffers, whatever the types say.
  pty.onData((data: string | Buffer) => {
    listener.output(Buffer.from(data));
    settle();
  });
  pty.onExit(({ exitCode: code, signal }) => {
    exitCode = signal !== undefined && signal > 0 ? SIGNAL_EXIT_BASE + signal : code;
    settle();
  });
}

/** Null where this node-pty does not say which terminal it opened: then the risk remains. */
function holdSlave(pty: IPty): number | null {
  const path: unknown = Reflect.get(pty, "_pty");
  if (typeof path !== "string") return null;
  return openSync(path, constants.O_RDWR | constants.O_NOCTTY);
}
