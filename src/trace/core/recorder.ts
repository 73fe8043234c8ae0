// Watches a simulation: what each tenant held and was due over time, how many jobs waited, how long
// passes took. Keeps figures, judges nothing: that is measures.ts's.

import { queuePath } from "../../base/ids.ts";
import { MINUTE_MS } from "../../base/time.ts";
import { fairShares } from "../../scheduler/core/fair-share.ts";
import type { LoggedEvent } from "../../scheduler/core/events.ts";
import type { Plan } from "../../scheduler/core/plan-types.ts";
import type { ClusterState } from "../../scheduler/core/state.ts";
import type { JobWork } from "./job-work.ts";
import type { SimulationObserver } from "./simulation.ts";

/** Virtual time between two samples of the shares. */
export const SAMPLE_MS = 10 * MINUTE_MS;

/** One tenant at the instants of `Recorder.sampledAtMs`. */
export interface TenantSeries {
  readonly tenant: string;
  /** GPU milliseconds held up to the instant, exact. */
  readonly receivedGpuMs: number[];
  /** Thousandths of a GPU that were due at the instant. */
  readonly dueMilliGpus: number[];
  /** GPUs held and waited for at the instant. */
  readonly demandGpus: number[];
}

export interface RecorderPorts {
  readonly tenants: readonly string[];
  /** Monotonic milliseconds, to measure passes with. */
  readonly clockMs: () => number;
  readonly onEvents: (events: readonly LoggedEvent[]) => void;
}

export class Recorder implements SimulationObserver {
  readonly sampleMs = SAMPLE_MS;
  readonly sampledAtMs: number[] = [];
  readonly tenants: readonly TenantSeries[];
  readonly pendingJobs: number[] = [];
  readonly pendingGpus: number[] = [];
  readonly passMs: number[] = [];
  /** Placements, evictions and reservations that were decided. */
  decisions = 0;
  readonly #ports: RecorderPorts;
  readonly #meters: ReadonlyMap<string, Meter>;
  #passStartedMs = 0;

  constructor(ports: RecorderPorts) {
    this.#ports = ports;
    this.#meters = new Map(ports.tenants.map((tenant) => [tenant, new Meter()]));
    this.tenants = ports.tenants.map((tenant) => ({
      tenant,
      receivedGpuMs: [],
      dueMilliGpus: [],
      demandGpus: [],
    }));
  }

  /** GPU milliseconds held by all jobs up to now. */
  heldGpuMs(nowMs: number): number {
    let sum = 0;
    for (const meter of this.#meters.values()) sum += meter.readGpuMs(nowMs);
    return sum;
  }

  heldGpuMsOf(tenant: string, nowMs: number): number {
    return this.#meters.get(tenant)?.readGpuMs(nowMs) ?? 0;
  }

  onEvents(events: readonly LoggedEvent[]): void {
    this.#ports.onEvents(events);
  }

  onHeld({ job, gpus }: JobWork, sign: 1 | -1, nowMs: number): void {
    this.#meters.get(job.tenant)?.change(sign * gpus, nowMs);
  }

  onPassStart(): void {
    this.#passStartedMs = this.#ports.clockMs();
  }

  onPassEnd({ starts, evictions, reservations }: Plan): void {
    this.passMs.push(this.#ports.clockMs() - this.#passStartedMs);
    this.decisions += starts.length + evictions.length + reservations.length;
  }

  onSample(state: ClusterState, nowMs: number): void {
    const shares = fairShares(state, nowMs);
    this.sampledAtMs.push(nowMs);
    let jobs = 0;
    let gpus = 0;
    for (const series of this.tenants) {
      const share = shares.get(queuePath(series.tenant));
      series.receivedGpuMs.push(this.#meters.get(series.tenant)?.readGpuMs(nowMs) ?? 0);
      series.dueMilliGpus.push(share?.dueMilliGpus ?? 0);
      series.demandGpus.push(share?.demandGpus ?? 0);
      jobs += share?.pendingJobs ?? 0;
      gpus += share?.pendingGpus ?? 0;
    }
    this.pendingJobs.push(jobs);
    this.pendingGpus.push(gpus);
  }
}

/** GPU time held, exact between samples. */
class Meter {
  #gpus = 0;
  #gpuMs = 0;
  #atMs = 0;

  change(gpus: number, nowMs: number): void {
    this.#gpuMs = this.readGpuMs(nowMs);
    this.#atMs = nowMs;
    this.#gpus += gpus;
  }

  readGpuMs(nowMs: number): number {
    return this.#gpuMs + this.#gpus * (nowMs - this.#atMs);
  }
}
