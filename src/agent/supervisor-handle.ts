// The agent's end of one supervisor: gives it commands and notices its end. Works the same for one
// that this agent started and for one that it found again.

import { connect } from "node:net";
import type { TaskExit } from "../scheduler/core/job.ts";
import { TASK_MARKER } from "./core/torchrun.ts";
import { killCgroup, removeCgroup } from "./cgroup.ts";
import { isSameProcess, killAll } from "./proc.ts";
import type { SupervisorCommand, SupervisorState } from "./supervisor-protocol.ts";
import type { TaskFolder } from "./task-folder.ts";
import { shortPath } from "./unix-socket.ts";

/** A supervisor that does not take a command within this is not one any more. */
const COMMAND_TIMEOUT_MS = 2_000;
/** For supervisors that were found again, and in case the socket's end goes unnoticed. */
const POLL_MS = 1_000;

/** How a task ends whose supervisor left no word: it was killed itself. */
export const SUPERVISOR_LOST: TaskExit = {
  reason: "supervisor_lost",
  code: -1,
  message: "its supervisor was killed from outside (the node's out-of-memory killer?)",
};

export class SupervisorHandle {
  readonly #folder: TaskFolder;
  readonly #state: SupervisorState;
  #poll: NodeJS.Timeout | null = null;
  #socket: ReturnType<typeof connect> | null = null;

  constructor(folder: TaskFolder, state: SupervisorState) {
    this.#folder = folder;
    this.#state = state;
  }

  /** Main process of the task. */
  get pid(): number {
    return this.#state.process.pid;
  }

  /** Calls back once, when the task is over and nothing of it is left. */
  watch(onExit: (exit: TaskExit) => void): void {
    let isOver = false;
    const look = (): void => {
      if (isOver || isSameProcess(this.#state.supervisor)) return;
      isOver = true;
      this.release();
      void this.#readExit().then(onExit);
    };
    this.#poll = setInterval(look, POLL_MS);
    this.#socket = this.#open();
    // The supervisor never closes it while it lives, so its end is the task's, without delay.
    this.#socket.on("error", () => {});
    this.#socket.once("close", () => void this.#untilGone().then(look));
    this.#socket.resume();
  }

  /** Stops watching; the task goes on. */
  release(): void {
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#poll = null;
    this.#socket?.removeAllListeners("close");
    this.#socket?.destroy();
    this.#socket = null;
  }

  /** Resolves once the supervisor has taken the command; false when it is not there. */
  send(command: SupervisorCommand): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = this.#open();
      socket.setTimeout(COMMAND_TIMEOUT_MS, () => socket.destroy());
      socket.on("error", () => {});
      socket.once("data", () => {
        resolve(true);
        socket.destroy();
      });
      socket.once("close", () => resolve(false));
      socket.write(`${JSON.stringify(command)}\n`);
    });
  }

  /** Through the supervisor, so that it writes how it ended; else directly. */
  async kill(reason: "killed" | "lease_expired"): Promise<void> {
    if (await this.send({ kind: "kill", reason })) return;
    await killTask(this.#folder.root, this.#state);
  }

  #open(): ReturnType<typeof connect> {
    const short = shortPath(this.#folder.file("socket"));
    const socket = connect(short.path);
    socket.once("connect", () => short.close());
    socket.once("error", () => short.close());
    return socket;
  }

  async #untilGone(): Promise<void> {
    for (let round = 0; round < 20 && isSameProcess(this.#state.supervisor); round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** A supervisor that left no exit file was itself killed: its task goes with it. */
  async #readExit(): Promise<TaskExit> {
    const exit = this.#folder.exit();
    if (exit !== null) return exit;
    await killTask(this.#folder.root, this.#state);
    return SUPERVISOR_LOST;
  }
}

/** Kills whatever carries the task's marker, with or without a supervisor. */
export async function killTask(root: string, state: SupervisorState | null): Promise<number> {
  const isLeaderOurs = state !== null && isSameProcess(state.process);
  const left = await killAll({
    leader: isLeaderOurs ? state.process.pid : null,
    marker: { name: TASK_MARKER, value: root },
    killGroup: () => killCgroup(state?.cgroup ?? null),
  });
  removeCgroup(state?.cgroup ?? null);
  return left;
}
