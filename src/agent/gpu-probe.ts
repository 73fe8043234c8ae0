// GPUs of this machine: an inventory once, then samples from one long-lived nvidia-smi. A driver that
// hangs takes nvidia-smi with it, so that child is watched, and never waited for.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Gpu } from "../scheduler/core/state.ts";
import { backoffMs } from "./core/backoff.ts";
import { GPU_QUERY, type GpuSample, parseGpuLine } from "./core/nvidia-smi.ts";
import type { AgentLog } from "./ports.ts";
import { bootMs, isErrno } from "./proc.ts";

const SMI = "nvidia-smi";
const QUERY = [`--query-gpu=${GPU_QUERY.join(",")}`, "--format=csv,noheader,nounits"];
const INTERVAL_S = 5;
/** Without a line for so long nvidia-smi hangs. */
const SILENCE_MS = 4 * INTERVAL_S * 1_000;
/** The first question may have to wake the driver up. */
const INVENTORY_TIMEOUT_MS = 30_000;

/** So many GPUs that do not exist. */
export function virtualGpus(count: number): readonly Gpu[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    uuid: `virtual-${index}`,
    type: "virtual",
    memoryMib: 0,
    island: "",
  }));
}

/** GPUs of this machine by index; none where there is no driver. Rejects when the driver hangs. */
export async function findGpus(log: AgentLog, program = SMI): Promise<readonly Gpu[]> {
  try {
    const { stdout } = await promisify(execFile)(program, QUERY, {
      timeout: INVENTORY_TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    return stdout.split("\n").flatMap((line) => {
      const sample = parseGpuLine(line);
      if (sample === null) return [];
      const { index, uuid, type, memoryTotalMib } = sample;
      return [{ index, uuid, type, memoryMib: memoryTotalMib, island: "" }];
    });
  } catch (error) {
    if (isErrno(error, "ENOENT", "EACCES")) return [];
    const why = error instanceof Error ? error.message : String(error);
    if (/timed out|SIGKILL/.test(why)) throw error;
    log.warn({ why }, "nvidia-smi failed: this node offers no GPUs");
    return [];
  }
}

export class GpuProbe {
  readonly #program: string;
  readonly #log: AgentLog;
  readonly #samples = new Map<number, GpuSample>();
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #heardAtMs = 0;
  #failures = 0;
  #isStopped = false;

  constructor(log: AgentLog, program = SMI) {
    this.#log = log;
    this.#program = program;
  }

  start(): void {
    this.#spawn();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#child?.kill("SIGKILL");
  }

  /** The newest of each GPU; none while nvidia-smi is silent, so that stale figures are not shown. */
  samples(): readonly GpuSample[] {
    return this.isHealthy ? [...this.#samples.values()] : [];
  }

  get isHealthy(): boolean {
    return this.#samples.size > 0 && bootMs() - this.#heardAtMs < SILENCE_MS;
  }

  #spawn(): void {
    const child = spawn(this.#program, [...QUERY, "-l", String(INTERVAL_S)], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#child = child;
    this.#heardAtMs = bootMs();
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    child.once("error", () => this.#again());
    child.once("exit", () => this.#again());
    this.#watch(child);
  }

  #take(line: string): void {
    const sample = parseGpuLine(line);
    if (sample === null) return;
    this.#heardAtMs = bootMs();
    this.#failures = 0;
    this.#samples.set(sample.index, sample);
  }

  #watch(child: ChildProcess): void {
    this.#timer = setTimeout(() => {
      if (bootMs() - this.#heardAtMs < SILENCE_MS) {
        this.#watch(child);
        return;
      }
      this.#log.warn({ silentMs: bootMs() - this.#heardAtMs }, "nvidia-smi hangs: started again");
      // One that is stuck in the kernel does not die; a new one is not held up by it.
      child.removeAllListeners("exit");
      child.kill("SIGKILL");
      this.#again();
    }, SILENCE_MS).unref();
  }

  #again(): void {
    if (this.#isStopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#spawn(), backoffMs(this.#failures + 3, 1)).unref();
  }
}
