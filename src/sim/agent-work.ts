// What a simulated agent does for its tasks: prepare, launch, stop, upload. The doing only; what to do
// was decided by the agent core.

import { unreachable } from "../base/assert.ts";
import { type Digest, digest } from "../base/ids.ts";
import type { AgentAction } from "../agent/core/actions.ts";
import type { LocalEvent, LocalState, LocalTask } from "../agent/core/local.ts";
import { isSameTask, type TaskKey, taskName } from "../agent/core/task-key.ts";
import type { DesiredTask } from "../scheduler/core/desired.ts";
import type { Rendezvous, TaskExit } from "../scheduler/core/job.ts";
import type { AgentPorts } from "./agent-ports.ts";
import type { Machine } from "./machine.ts";

const UPLOAD_MS_MAX = 1_000;
const SLOW_UPLOAD_MS_MAX = 30_000;
const DISK_FULL_MS_MAX = 30_000;
const PART_BYTES = 1_000;

/** The agent process that the work is done in. */
export interface Worker {
  readonly local: LocalState;
  after(delayMs: number, run: () => void): void;
  news(event: LocalEvent): void;
}

export class TaskWork {
  private readonly machine: Machine;
  private readonly ports: AgentPorts;
  private readonly worker: Worker;
  private readonly uploading = new Set<string>();

  constructor(machine: Machine, ports: AgentPorts, worker: Worker) {
    this.machine = machine;
    this.ports = ports;
    this.worker = worker;
  }

  /** Makes the task's folder. */
  open(order: DesiredTask): void {
    const { jobId, attempt, rank } = order;
    const local: LocalTask = {
      jobId,
      attempt,
      rank,
      nodes: order.nodeNames.length,
      graceMs: order.spec.graceMs,
      rendezvous: null,
      parts: [],
      phase: { kind: "preparing" },
    };
    this.machine.records.set(taskName(order), {
      order,
      local,
      process: null,
      stopAskedAtMs: Infinity,
      checkpoints: [],
    });
  }

  carryOut(action: AgentAction): void {
    switch (action.kind) {
      case "prepare":
        return this.prepare(action.task);
      case "choose_rendezvous":
        return this.chooseRendezvous(action.key);
      case "launch":
        return this.launch(action.task, action.rendezvous);
      case "stop":
        return this.stop(action.key, action.order.deadlineMs);
      case "kill":
        return this.kill(action.key, action.why === "lease_expired" ? "lease_expired" : "killed");
      case "flush_uploads":
        this.upload(action.key);
        return this.finishUploads(action.key);
      case "abandon_uploads":
        return;
      case "forget":
        this.machine.records.delete(taskName(action.key));
        return;
      default:
        return unreachable(action);
    }
  }

  /** Sends every complete checkpoint of the task that is not known to be stored. */
  upload(key: TaskKey): void {
    const name = taskName(key);
    for (const { step, takenAtMs } of this.machine.records.get(name)?.checkpoints ?? []) {
      const id = `${name}@${step}`;
      if (this.uploading.has(id) || this.isStored(key, step)) continue;
      this.uploading.add(id);
      this.worker.after(this.uploadMs(), () => {
        this.uploading.delete(id);
        if (!this.machine.records.has(name)) return;
        this.stored(key, step, takenAtMs, digest(`part:${id}`));
        this.finishUploads(key);
      });
    }
  }

  /** A rank that writes nothing says so, once another rank has stored its part of the step. */
  emptyParts(task: DesiredTask): readonly LocalEvent[] {
    const record = this.machine.records.get(taskName(task));
    if (record === undefined || this.ports.gangOf(task).writes(task.rank)) return [];
    return task.gatheringSteps.map((step) => ({
      kind: "part_stored",
      key: keyOf(task),
      part: { step, takenAtMs: 0, digest: null, sizeBytes: 0, uploadedBytes: 0 },
      isAfterStop: false,
    }));
  }

  private isStored(key: TaskKey, step: number): boolean {
    const task = this.find(key);
    return task?.parts.some((part) => part.step === step) ?? false;
  }

  private stored(key: TaskKey, step: number, takenAtMs: number, part: Digest): void {
    this.ports.store.putPart(part);
    const askedAtMs = this.machine.records.get(taskName(key))?.stopAskedAtMs ?? Infinity;
    const sizes = { sizeBytes: PART_BYTES, uploadedBytes: PART_BYTES };
    this.worker.news({
      kind: "part_stored",
      key: keyOf(key),
      part: { step, takenAtMs, digest: part, ...sizes },
      isAfterStop: takenAtMs >= askedAtMs,
    });
  }

  private finishUploads(key: TaskKey): void {
    const prefix = `${taskName(key)}@`;
    if (this.find(key)?.phase.kind !== "flushing") return;
    if ([...this.uploading].some((id) => id.startsWith(prefix))) return;
    this.worker.after(1, () => this.worker.news({ kind: "uploads_done", key: keyOf(key) }));
  }

  private prepare(task: DesiredTask): void {
    const profile = this.ports.profileOf(task.jobId, task.spec.name);
    if (task.resume !== null) this.ports.onRestore(task);
    this.worker.after(1 + this.ports.prng.below(profile.prepareMs), () => {
      if (this.find(task)?.phase.kind !== "preparing") return;
      const problem = this.prepareProblem(task);
      if (problem === null) return this.worker.news({ kind: "prepared", key: keyOf(task) });
      this.exited(task, problem);
    });
  }

  private prepareProblem(task: DesiredTask): TaskExit | null {
    const { prepareFails } = this.machine.network.faults;
    if (this.ports.prng.chance(prepareFails, 1_000)) {
      if (this.ports.prng.chance(1, 2)) {
        return { reason: "prepare_failed", code: -1, message: "its setup line failed" };
      }
      this.machine.fillDisk(this.ports.prng.below(DISK_FULL_MS_MAX));
      return { reason: "disk_full", code: -1, message: "no room on the disk" };
    }
    if (task.resume === null) return null;
    const found = this.ports.store.read(task.resume.manifestDigest);
    if (found === null) this.ports.onMissingCheckpoint(task);
    if (found?.kind === "ok") return null;
    return { reason: "restore_failed", code: -1, message: "a file does not match its hash" };
  }

  private chooseRendezvous(key: TaskKey): void {
    const rendezvous: Rendezvous = {
      host: this.machine.name,
      port: 20_000 + this.ports.prng.below(10_000),
    };
    this.worker.after(this.ports.prng.below(20), () =>
      this.worker.news({ kind: "rendezvous_chosen", key, rendezvous }),
    );
  }

  private launch(task: DesiredTask, rendezvous: Rendezvous): void {
    const record = this.machine.records.get(taskName(task));
    if (record === undefined) return;
    record.local = { ...record.local, rendezvous };
    const gang = this.ports.gangOf(task);
    this.machine.launch(record, gang, task.resume?.step ?? 0, !this.ports.isHealed());
    this.worker.after(1 + this.ports.prng.below(100), () =>
      this.worker.news({ kind: "launched", key: keyOf(task) }),
    );
  }

  private stop(key: TaskKey, deadlineBootMs: number): void {
    const record = this.machine.records.get(taskName(key));
    if (record === undefined) return;
    record.stopAskedAtMs = Math.min(record.stopAskedAtMs, this.ports.nowMs());
    record.process?.stop(deadlineBootMs);
  }

  private kill(key: TaskKey, reason: "killed" | "lease_expired"): void {
    const process = this.machine.records.get(taskName(key))?.process ?? null;
    if (process !== null) return process.kill(reason);
    this.exited(key, { reason: "signalled", code: 137, message: "" });
  }

  private exited(key: TaskKey, exit: TaskExit): void {
    const nowMs = this.machine.clock.bootMs();
    this.worker.after(this.ports.prng.below(20), () =>
      this.worker.news({ kind: "exited", key: keyOf(key), exit, nowMs }),
    );
  }

  private find(key: TaskKey): LocalTask | undefined {
    return this.worker.local.tasks.find((task) => isSameTask(task, key));
  }

  private uploadMs(): number {
    const isSlow = this.machine.network.chance(this.machine.network.faults.slowStore);
    return 20 + this.ports.prng.below(isSlow ? SLOW_UPLOAD_MS_MAX : UPLOAD_MS_MAX);
  }
}

function keyOf({ jobId, attempt, rank }: TaskKey): TaskKey {
  return { jobId, attempt, rank };
}
