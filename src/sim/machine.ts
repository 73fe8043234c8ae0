// One virtual GPU machine: its clock, its disk, the processes on it and the agent that comes and goes.
// Owns what outlives an agent; the agent's own memory is in agent.ts.

import type { AgentInstanceId } from "../base/ids.ts";
import type { Prng } from "../base/prng.ts";
import type { LocalTask } from "../agent/core/local.ts";
import { type TaskKey, taskName } from "../agent/core/task-key.ts";
import type { DesiredTask } from "../scheduler/core/desired.ts";
import type { TaskExit } from "../scheduler/core/job.ts";
import type { NodeSpec } from "../scheduler/core/state.ts";
import { HostClock } from "./host-clock.ts";
import type { Network } from "./network.ts";
import { type Home, Process } from "./process.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Timeline } from "./timeline.ts";
import type { Gang } from "./training.ts";

/** A task's folder. */
export interface TaskRecord {
  readonly order: DesiredTask;
  /** What the agent last knew of it. */
  local: LocalTask;
  process: Process | null;
  /** When it was first told to stop; infinite before. */
  stopAskedAtMs: number;
  /** Complete checkpoints that the script has written, oldest first. */
  readonly checkpoints: { readonly step: number; readonly takenAtMs: number }[];
}

/** What an agent process hears from its machine while it lives. */
export interface AgentEars {
  processEnded(key: TaskKey, exit: TaskExit): void;
  checkpointWritten(key: TaskKey): void;
  diskChanged(): void;
}

export interface MachinePorts {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly prng: Prng;
  readonly driftPpm: number;
  readonly sabotage: Sabotage;
  /** Told before a process starts, and for each one when the machine wakes up. */
  readonly onProcess: (process: Process) => void;
}

export class Machine implements Home {
  readonly spec: NodeSpec;
  readonly clock: HostClock;
  readonly network: Network;
  readonly records = new Map<string, TaskRecord>();
  readonly processes = new Set<Process>();
  readonly sabotage: Sabotage;
  isUp = true;
  isSuspended = false;
  isDiskFull = false;
  ears: AgentEars | null = null;
  instanceLast: AgentInstanceId | null = null;
  private readonly ports: MachinePorts;
  private bootNumber = 1;
  private lease = { untilBootMs: 0, bootNumber: 0 };
  private readonly woken: (() => void)[] = [];

  constructor(spec: NodeSpec, ports: MachinePorts) {
    this.spec = spec;
    this.ports = ports;
    this.network = ports.network;
    this.sabotage = ports.sabotage;
    this.clock = new HostClock(ports.timeline, ports.driftPpm);
  }

  get name(): string {
    return this.spec.id;
  }

  /** Like a timer of a process on this machine: gone after a reboot, late after a suspend. */
  after(delayMs: number, run: () => void): void {
    const bootNumber = this.bootNumber;
    this.ports.timeline.after(delayMs, () => {
      if (bootNumber !== this.bootNumber || !this.isUp) return;
      if (this.isSuspended) this.woken.push(run);
      else run();
    });
  }

  writeLease(untilBootMs: number): void {
    this.lease = { untilBootMs, bootNumber: this.bootNumber };
  }

  /** Boot time until which tasks may run; 0 when the lease is of another boot. */
  readLease(): number {
    return this.lease.bootNumber === this.bootNumber ? this.lease.untilBootMs : 0;
  }

  leaseLeftMs(): number {
    return this.readLease() - this.clock.bootMs();
  }

  launch(record: TaskRecord, gang: Gang, startStep: number, canFail: boolean): void {
    const key = record.local;
    const { gpus } = record.order;
    const process = new Process({ key: { ...key }, gpus, gang }, this, this.ports.prng.fork());
    this.ports.onProcess(process);
    record.process = process;
    this.processes.add(process);
    process.watchLease();
    gang.join(key.rank, process, startStep, canFail);
  }

  processEnded(process: Process): void {
    this.processes.delete(process);
    const { exit } = process;
    if (exit !== null) this.ears?.processEnded(process.key, exit);
  }

  checkpointWritten(key: TaskKey, step: number): void {
    const record = this.records.get(taskName(key));
    if (record === undefined) return;
    record.checkpoints.push({ step, takenAtMs: this.ports.timeline.nowMs });
    this.ears?.checkpointWritten(key);
  }

  /** Something else took the room; after a while somebody makes some. */
  fillDisk(forMs: number): void {
    this.isDiskFull = true;
    this.ears?.diskChanged();
    this.after(forMs, () => {
      this.isDiskFull = false;
      this.ears?.diskChanged();
    });
  }

  suspend(): void {
    this.isSuspended = true;
    this.network.pause(this.name);
  }

  /** Supervisors look at the lease first; that takes them a moment, which no design can avoid. */
  resume(): void {
    this.isSuspended = false;
    for (const process of this.processes) {
      if (this.leaseLeftMs() <= 0) process.isPastLease = true;
      process.watchLease();
      this.ports.onProcess(process);
    }
    for (const run of this.woken.splice(0)) run();
    this.network.resume(this.name);
  }

  /** Everything that ran is gone; the disk stays unless it is wiped. */
  powerOff(isWiped: boolean): void {
    this.isUp = false;
    this.isDiskFull = false;
    this.bootNumber += 1;
    for (const process of this.processes) process.vanish();
    this.processes.clear();
    this.woken.length = 0;
    if (this.isSuspended) this.resume();
    if (isWiped) this.records.clear();
    this.network.pause(this.name);
  }

  powerOn(): void {
    this.isUp = true;
    this.clock.reboot();
    this.network.resume(this.name);
  }
}
