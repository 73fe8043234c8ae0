// Everything before a task's process: its folder, its code, its setup line, the checkpoint that it
// resumes from. Broken off by the signal; whatever it started is gone when it has settled.

import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault, RefusalError } from "../base/errors.ts";
import type { Digest } from "../base/ids.ts";
import { orAborted } from "../rpc/abort.ts";
import type { DesiredTask } from "../scheduler/core/desired.ts";
import type { TaskExit } from "../scheduler/core/job.ts";
import { touchBundle } from "./cleanup.ts";
import { backoffMs } from "./core/backoff.ts";
import { TASK_MARKER } from "./core/torchrun.ts";
import type { BundleStore, Checkpoints } from "./ports.ts";
import { isErrno } from "./proc.ts";
import { killTask } from "./supervisor-handle.ts";
import type { TaskFolder } from "./task-folder.ts";

export interface PrepareContext {
  readonly stateDir: string;
  readonly bundles: BundleStore;
  readonly checkpoints: Checkpoints;
  /** For the setup line; asked for when there is one. */
  readonly env: () => Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly newId: () => string;
  /** Called when the folder is there, before anything runs in it. */
  readonly begin: () => void;
}

/** Null when all is in place, else how the task ends. Never rejects. */
export async function prepare(
  task: DesiredTask,
  folder: TaskFolder,
  context: PrepareContext,
): Promise<TaskExit | null> {
  try {
    folder.make();
    context.begin();
    await layOutCode(task, folder, context);
    await restore(task, folder, context);
    await setUp(task, folder, context);
    checkScript(task, folder);
    return null;
  } catch (error) {
    return prepareFailure(error, folder);
  }
}

/** About ten minutes with the waits of `backoffMs`; then another node may have more luck. */
const TRIES_MAX = 64;

/** A step that failed, in words for the user; `reason` decides how the scheduler counts it. */
class PrepareError extends Error {
  readonly reason: TaskExit["reason"];
  constructor(reason: TaskExit["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

async function layOutCode(
  task: DesiredTask,
  folder: TaskFolder,
  context: PrepareContext,
): Promise<void> {
  const bundle = task.spec.bundle;
  if (bundle === null) return;
  const cached = await fetchShared(bundle.digest, context);
  // A copy for each attempt: what a script writes into its working directory is its own.
  await cp(cached, folder.work, { recursive: true, verbatimSymlinks: true });
}

/** A task that is killed leaves at once; one whose fetching peer was killed fetches itself. */
async function fetchShared(digest: Digest, context: PrepareContext): Promise<string> {
  for (;;) {
    try {
      return await orAborted(fetchOnce(digest, context), context.signal);
    } catch (error) {
      if (context.signal.aborted || !isAbort(error)) throw error;
    }
  }
}

/** Bundles being fetched now, so that two tasks of one job fetch it once. */
const fetching = new Map<string, Promise<string>>();

function fetchOnce(digest: Digest, context: PrepareContext): Promise<string> {
  const folder = join(context.stateDir, "bundles", digest);
  if (existsSync(folder)) {
    touchBundle(folder);
    return Promise.resolve(folder);
  }
  const known = fetching.get(folder);
  if (known !== undefined) return known;
  const fetched = fetchTo(folder, digest, context).finally(() => fetching.delete(folder));
  fetching.set(folder, fetched);
  return fetched;
}

async function fetchTo(folder: string, digest: Digest, context: PrepareContext): Promise<string> {
  const aside = `${folder}.${context.newId()}.tmp`;
  mkdirSync(aside, { recursive: true });
  try {
    await patiently(() => context.bundles.fetch(digest, aside), context);
    renameSync(aside, folder);
    return folder;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

async function restore(
  task: DesiredTask,
  folder: TaskFolder,
  context: PrepareContext,
): Promise<void> {
  if (task.resume === null) return;
  mkdirSync(folder.resume, { recursive: true });
  const { jobId, rank } = task;
  try {
    const options = { jobId, rank, signal: context.signal };
    const resume = task.resume;
    await patiently(() => context.checkpoints.restore(resume, folder.resume, options), context);
  } catch (error) {
    if (isDiskFull(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    // Only a checkpoint that is known to be bad makes the scheduler take an older one.
    const isBad = error instanceof RefusalError;
    if (isAbort(error)) throw error;
    const message = `checkpoint ${task.resume.checkpointId} was not restored: ${why}`;
    throw new PrepareError(isBad ? "restore_failed" : "lost", message);
  }
}

/** An object store that is away is waited for; a job must not fail for it. */
async function patiently(act: () => Promise<void>, context: PrepareContext): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      // Waiting makes no room on this node; another one may have it.
      const mayPass = error instanceof Fault && error.isRetryable && !isDiskFull(error);
      if (!mayPass) throw error;
      if (attempt === TRIES_MAX) throw new PrepareError("lost", error.message);
      await sleep(backoffMs(attempt, 1), undefined, { signal: context.signal });
    }
  }
}

async function setUp(
  task: DesiredTask,
  folder: TaskFolder,
  context: PrepareContext,
): Promise<void> {
  if (task.spec.setup === "") return;
  const code = await runSetup(task.spec.setup, folder, context);
  context.signal.throwIfAborted();
  if (code === 0) return;
  const where = "its output is in the task's log";
  throw new PrepareError(
    "prepare_failed",
    `setup \`${task.spec.setup}\` ended with ${code}; ${where}`,
  );
}

/** Exit code, or the name of the signal that ended it. */
async function runSetup(
  line: string,
  folder: TaskFolder,
  context: PrepareContext,
): Promise<number | string> {
  const stdout = openSync(folder.file("stdout"), "a", 0o640);
  const stderr = openSync(folder.file("stderr"), "a", 0o640);
  const child = spawn("/bin/sh", ["-c", line], {
    cwd: folder.work,
    env: { ...context.env(), [TASK_MARKER]: folder.root },
    stdio: ["ignore", stdout, stderr],
    detached: true,
  });
  closeSync(stdout);
  closeSync(stderr);
  const abort = (): void => void killTask(folder.root, null);
  context.signal.addEventListener("abort", abort, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, name) => resolve(code ?? name ?? -1));
    });
  } finally {
    context.signal.removeEventListener("abort", abort);
    await killTask(folder.root, null);
  }
}

function checkScript(task: DesiredTask, folder: TaskFolder): void {
  const command = task.spec.command;
  if (command.kind !== "torchrun") return;
  const path = isAbsolute(command.script) ? command.script : join(folder.work, command.script);
  if (existsSync(path)) return;
  const hint = isAbsolute(command.script)
    ? "it does not exist on this node"
    : "it is not in the code bundle (is it git-ignored?)";
  throw new PrepareError("prepare_failed", `script ${command.script}: ${hint}`);
}

function isDiskFull(error: unknown): boolean {
  if (error instanceof Fault) return error.code === "DISK_FULL";
  return isErrno(error, "ENOSPC", "EDQUOT");
}

/** How a task ends for which no process could be started. */
export function prepareFailure(error: unknown, folder: TaskFolder): TaskExit {
  if (error instanceof PrepareError)
    return { reason: error.reason, code: -1, message: error.message };
  if (isDiskFull(error)) {
    return { reason: "disk_full", code: -1, message: `no space left for ${folder.root}` };
  }
  if (isAbort(error)) {
    return { reason: "killed", code: -1, message: "" };
  }
  const why = error instanceof Error ? error.message : String(error);
  return { reason: "prepare_failed", code: -1, message: why };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
