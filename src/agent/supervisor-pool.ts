// Starts supervisors, one ahead of need: Node takes 40 ms and more to start, a task a few. The one
// in waiting ends by itself when this process does.

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type LaunchAnswer, type LaunchOrder, parseLaunchAnswer } from "./supervisor-protocol.ts";

export interface SupervisorPoolOptions {
  /** Supervisors write what goes wrong with them to `supervisor.log` in here. */
  readonly stateDir: string;
  /** Folder for the tasks' cgroups; null = none. */
  readonly cgroupParent: string | null;
  /** Program and arguments that start a supervisor; see `supervisorCommand`. */
  readonly command: readonly string[];
}

/** How this very program starts a supervisor: compiled, or through tsx in development. */
export function supervisorCommand(): readonly string[] {
  const isSource = import.meta.url.endsWith(".ts");
  const entry = new URL(isSource ? "./supervisor.ts" : "./supervisor.js", import.meta.url);
  const loader = isSource ? ["--import", import.meta.resolve("tsx")] : [];
  // A small heap: it lives as long as the training and holds next to nothing.
  return [process.execPath, "--max-old-space-size=32", ...loader, fileURLToPath(entry)];
}

const REFILL_MS = 100;
/** Starting takes milliseconds, on a machine that swaps seconds. */
const ANSWER_MS = 30_000;

export class SupervisorPool {
  readonly #options: SupervisorPoolOptions;
  #standby: ChildProcess | null = null;
  #isStopped = false;

  constructor(options: SupervisorPoolOptions) {
    this.#options = options;
  }

  /** Has one wait for the next order. */
  warm(): void {
    if (this.#isStopped || this.#standby !== null) return;
    const child = this.#spawn();
    this.#standby = child;
    // One that dies while it waits, or could not even start (no process or memory left for it), is
    // replaced when it is needed, not in a loop.
    const gone = (): void => {
      if (this.#standby === child) this.#standby = null;
    };
    child.once("exit", gone);
    child.once("error", gone);
  }

  /** Rejects when no supervisor could be started or it did not answer. */
  async launch(order: LaunchOrder): Promise<LaunchAnswer> {
    const child = this.#standby ?? this.#spawn();
    this.#standby = null;
    try {
      return await ask(child, order);
    } finally {
      // Not at once: starting Node takes a core from the task's own start, and from its gang's.
      setTimeout(() => this.warm(), REFILL_MS).unref();
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#standby?.stdin?.end();
    this.#standby = null;
  }

  #spawn(): ChildProcess {
    const { stateDir, cgroupParent, command } = this.#options;
    const log = openSync(join(stateDir, "supervisor.log"), "a", 0o640);
    const cgroup = cgroupParent === null ? [] : [join(cgroupParent, `task-${randomUUID()}`)];
    try {
      const child = spawn(command[0] ?? "", [...command.slice(1), ...cgroup], {
        // A session of its own: neither a terminal's Ctrl-C nor the agent's end reaches it.
        detached: true,
        stdio: ["pipe", "pipe", log],
        cwd: "/",
      });
      child.unref();
      child.stdin?.on("error", () => {});
      return child;
    } finally {
      closeSync(log);
    }
  }
}

function ask(child: ChildProcess, order: LaunchOrder): Promise<LaunchAnswer> {
  return new Promise((resolve, reject) => {
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new Error("the supervisor has no pipes");
    // Killed, it cannot carry out an order that nobody waits for any more.
    const patience = setTimeout(() => child.kill("SIGKILL"), ANSWER_MS);
    const lines = createInterface({ input: stdout });
    child.once("error", reject);
    lines.once("line", (line) => {
      clearTimeout(patience);
      try {
        resolve(parseLaunchAnswer(line));
      } catch (error) {
        reject(error);
      }
    });
    lines.once("close", () => {
      clearTimeout(patience);
      reject(new Error("the supervisor gave no answer"));
    });
    stdin.end(`${JSON.stringify(order)}\n`);
  });
}
