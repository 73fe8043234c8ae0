// A terminal in a task's environment. node-pty is loaded when the first one is opened: an agent
// whose machine has no build of it does everything else.

import { closeSync, constants, openSync } from "node:fs";
import { ReadStream } from "node:tty";
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
/** Whom the command left behind may write on: read for no longer than this. */
const LAST_MS = 1_000;
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
  const drain = new Drain(pty, listener);
  return {
    write: (data) => pty.write(data),
    resize: (columns, rows) => pty.resize(Math.max(1, columns), Math.max(1, rows)),
    pause: () => drain.pause(),
    resume: () => drain.resume(),
    kill: () => drain.kill(),
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
 * command itself: so this side holds it open until no more has come. node-pty closes its own side
 * 200 ms after the command's end, read or not: that waits as well.
 */
class Drain {
  readonly #pty: IPty;
  #slave: number | null;
  #isPaused = false;
  /** Set while the command is over and the terminal is not. */
  #close: (() => void) | null = null;
  #quiet: NodeJS.Timeout | null = null;
  #last: NodeJS.Timeout | null = null;

  constructor(pty: IPty, listener: TerminalListener) {
    this.#pty = pty;
    this.#slave = holdSlave(pty);
    // With `encoding: null` these are buffers, whatever the types say.
    pty.onData((data: string | Buffer) => {
      listener.output(Buffer.from(data));
      this.#settle();
    });
    onClose(pty, (close) => {
      this.#close ??= close;
      this.#settle();
    });
    pty.onExit(({ exitCode, signal }) => {
      this.#close = null;
      this.#letGo();
      listener.ended(signal !== undefined && signal > 0 ? SIGNAL_EXIT_BASE + signal : exitCode);
    });
  }

  pause(): void {
    this.#isPaused = true;
    this.#pty.pause();
    this.#settle();
  }

  resume(): void {
    this.#isPaused = false;
    this.#pty.resume();
    this.#settle();
  }

  /** Nobody reads any more. */
  kill(): void {
    this.resume();
    this.#pty.kill("SIGHUP");
  }

  #settle(): void {
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    this.#quiet = null;
    if (this.#close === null || this.#isPaused) {
      if (this.#last !== null) clearTimeout(this.#last);
      this.#last = null;
      return;
    }
    this.#last ??= setTimeout(() => this.#finish(), LAST_MS);
    const quiet = setTimeout(() => {
      // A process that was held up looks at its timers before it reads what has come.
      setImmediate(() => {
        if (this.#quiet === quiet) this.#finish();
      });
    }, QUIET_MS);
    this.#quiet = quiet;
  }

  #finish(): void {
    this.#letGo();
    this.#close?.();
  }

  /** No timer outlives the terminal. */
  #letGo(): void {
    for (const timer of [this.#quiet, this.#last]) if (timer !== null) clearTimeout(timer);
    this.#quiet = null;
    if (this.#slave !== null) closeSync(this.#slave);
    this.#slave = null;
  }
}

/** Takes over when the terminal is closed after its command's end: `closing` gets what does it. */
function onClose(pty: IPty, closing: (close: () => void) => void): void {
  const socket: unknown = Reflect.get(pty, "_socket");
  if (!(socket instanceof ReadStream)) return;
  const close = socket.destroy.bind(socket);
  socket.destroy = (error?: Error) => {
    closing(() => close(error));
    return socket;
  };
}

/** Null where this node-pty does not say which terminal it opened: then the risk remains. */
function holdSlave(pty: IPty): number | null {
  const path: unknown = Reflect.get(pty, "_pty");
  if (typeof path !== "string") return null;
  return openSync(path, constants.O_RDWR | constants.O_NOCTTY);
}
