// What an agent finds in its state folder at the start: tasks that go on under their supervisors,
// tasks that ended meanwhile, and remains of what can no longer be known.

import type { StopOrder } from "../scheduler/core/desired.ts";
import type { TaskExit } from "../scheduler/core/job.ts";
import type { LocalPhase, LocalTask } from "./core/local.ts";
import type { TaskKey } from "./core/task-key.ts";
import { readJson } from "./files.ts";
import { bootId, bootMs, isSameProcess } from "./proc.ts";
import { killTask, SUPERVISOR_LOST } from "./supervisor-handle.ts";
import type { SupervisorState } from "./supervisor-protocol.ts";
import { listTaskKeys, TaskFolder, type TaskRecord } from "./task-folder.ts";

export interface FoundTask {
  readonly key: TaskKey;
  readonly folder: TaskFolder;
  readonly record: TaskRecord;
  /** As it was when the agent went away. */
  readonly local: LocalTask;
  readonly now:
    | { readonly kind: "runs"; readonly state: SupervisorState }
    | { readonly kind: "over"; readonly exit: TaskExit };
}

/** Looks through all task folders. Kills what has no supervisor any more before it says so. */
export async function findTasks(stateDir: string): Promise<readonly FoundTask[]> {
  const found: FoundTask[] = [];
  for (const key of listTaskKeys(stateDir)) {
    const folder = new TaskFolder(stateDir, key);
    const record = folder.load();
    if (record === null) await killTask(folder.root, folder.supervisorState());
    else found.push(await look(key, folder, record));
  }
  return found;
}

async function look(key: TaskKey, folder: TaskFolder, record: TaskRecord): Promise<FoundTask> {
  const local = asItWas(key, folder, record);
  const over = (exit: TaskExit): FoundTask => ({
    key,
    folder,
    record,
    local,
    now: { kind: "over", exit },
  });
  const exit = record.exit ?? folder.exit();
  if (exit !== null) return over(exit);
  const state = folder.supervisorState();
  if (state === null) {
    await killTask(folder.root, null);
    return over(lost("the agent ended while it prepared the task"));
  }
  if (state.process.bootId !== bootId()) return over(lost("the machine was restarted"));
  if (isSameProcess(state.supervisor)) {
    return { key, folder, record, local, now: { kind: "runs", state } };
  }
  await killTask(folder.root, state);
  // It may have written its last word between the two looks.
  return over(folder.exit() ?? SUPERVISOR_LOST);
}

function lost(message: string): TaskExit {
  return { reason: "lost", code: -1, message };
}

function asItWas(key: TaskKey, folder: TaskFolder, record: TaskRecord): LocalTask {
  return {
    ...key,
    nodes: record.task.nodeNames.length,
    graceMs: record.task.spec.graceMs,
    rendezvous: record.rendezvous,
    parts: [],
    phase: phaseOf(folder),
  };
}

function phaseOf(folder: TaskFolder): LocalPhase {
  if (folder.supervisorState() === null) return { kind: "preparing" };
  const order = stopOrderOf(folder);
  return order === null ? { kind: "running" } : { kind: "stopping", order, checkpointStep: null };
}

/** From the stop file: with it, the end of the task is an end that was asked for. */
function stopOrderOf(folder: TaskFolder): StopOrder | null {
  const content = parseStopFile(readJson(folder.file("stop")));
  if (content === null) return null;
  const { reason, deadlineUnixMs } = content;
  const wantsCheckpoint = reason === "preempted" || reason === "time_limit";
  return { reason, deadlineMs: bootMs() + deadlineUnixMs - Date.now(), wantsCheckpoint };
}

function parseStopFile(
  value: unknown,
): { reason: StopOrder["reason"]; deadlineUnixMs: number } | null {
  if (typeof value !== "object" || value === null) return null;
  const { reason, deadline_unix_ms: deadline } = value as Readonly<Record<string, unknown>>;
  if (typeof deadline !== "number") return null;
  const known = (["preempted", "cancelled", "time_limit", "gang_failed"] as const).find(
    (candidate) => candidate === reason,
  );
  return known === undefined ? null : { reason: known, deadlineUnixMs: deadline };
}
