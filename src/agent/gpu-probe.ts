// GPUs of this machine: an inventory once, then samples from one long-lived nvidia-smi. A driver that
// hangs takes nvidia-smi with it, so that child is watched, and never waited for.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Gpu } from "../scheduler/core/state.ts";
import { ISLAND_LABEL } from "../scheduler/core/topology.ts";
import { backoffMs } from "./core/backoff.ts";
import {
  cutUp,
  parseIslandLabel,
  parseIslands,
  parseMigMode,
  parseMigSlices,
  withIslands,
} from "./core/gpu-inventory.ts";
import { GPU_QUERY, type GpuSample, parseGpuLine } from "./core/nvidia-smi.ts";
import type { AgentLog } from "./ports.ts";
import { bootMs, isErrno } from "./proc.ts";

const SMI = "nvidia-smi";
const QUERY = [`--query-gpu=${GPU_QUERY.join(",")}`, "--format=csv,noheader,nounits"];
const MIG_MODE = ["--query-gpu=index,mig.mode.current", "--format=csv,noheader"];
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

/**
 * What this machine offers, by index: its GPUs, or their MIG slices, with their NVLink islands;
 * none where there is no driver. Rejects when the driver hangs.
 */
export async function findGpus(log: AgentLog, program = SMI): Promise<readonly Gpu[]> {
  try {
    const gpus = (await ask(program, QUERY)).split("\n").flatMap((line): readonly Gpu[] => {
      const sample = parseGpuLine(line);
      if (sample === null) return [];
      const { index, uuid, type, memoryTotalMib } = sample;
      return [{ index, uuid, type, memoryMib: memoryTotalMib, island: "" }];
    });
    if (gpus.length === 0) return gpus;
    // Drivers and GPUs that know neither MIG nor NVLink fail at these, and have neither.
    const [migMode, list, topology] = await Promise.all(
      [MIG_MODE, ["-L"], ["topo", "-m"]].map((argv) => ask(program, argv).catch(() => "")),
    );
    const islands = gpus.length < 2 ? new Map<number, string>() : parseIslands(topology ?? "");
    const whole = withIslands(gpus, islands);
    return cutUp(whole, parseMigMode(migMode ?? ""), parseMigSlices(list ?? ""));
  } catch (error) {
    if (isErrno(error, "ENOENT", "EACCES")) return [];
    const why = error instanceof Error ? error.message : String(error);
    if (/timed out|SIGKILL/.test(why)) throw error;
    log.warn({ why }, "nvidia-smi failed: this node offers no GPUs");
    return [];
  }
}

async function ask(program: string, argv: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...argv], {
    timeout: INVENTORY_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  return stdout;
}

/** Islands as an operator's label has them, in place of those that were found. */
export function labelledIslands(
  gpus: readonly Gpu[],
  labels: Readonly<Record<string, string>>,
  log: AgentLog,
): readonly Gpu[] {
  const label = labels[ISLAND_LABEL];
  if (label === undefined) return gpus;
  const islands = parseIslandLabel(label);
  if (islands !== null) return withIslands(gpus, islands);
  log.warn({ label }, `${ISLAND_LABEL} is not like 0-3;4-7: it is not used`);
  return gpus;
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
