import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findGpus, GpuProbe, virtualGpus } from "./gpu-probe.ts";
import type { AgentLog } from "./ports.ts";

let folder: string;
let warnings: string[];
const log: AgentLog = {
  info: () => undefined,
  warn: (_fields, message) => void warnings.push(message),
  error: () => undefined,
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ty-gpu-"));
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program in nvidia-smi's place. */
function program(body: string): string {
  const path = join(folder, "nvidia-smi");
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const LINE = "0, GPU-a, NVIDIA A100, 40960, 100, 7, 40, 60.5, 0";

test("the inventory is what nvidia-smi lists", async () => {
  const smi = program(`echo "${LINE}"; echo "1, GPU-b, NVIDIA A100, 40960, 0, 0, 30, 50, [N/A]"`);
  expect(await findGpus(log, smi)).toEqual([
    { index: 0, uuid: "GPU-a", type: "NVIDIA A100", memoryMib: 40_960, island: "" },
    { index: 1, uuid: "GPU-b", type: "NVIDIA A100", memoryMib: 40_960, island: "" },
  ]);
});

test("a machine without nvidia-smi has no GPUs, one whose driver fails says so", async () => {
  expect(await findGpus(log, join(folder, "none"))).toEqual([]);
  expect(warnings).toEqual([]);
  expect(await findGpus(log, program("echo 'no driver' >&2; exit 9"))).toEqual([]);
  expect(warnings).toHaveLength(1);
});

test("the newest sample of each GPU is kept, and lines that are none are passed over", async () => {
  const probe = new GpuProbe(log, program(`echo oops; echo "${LINE}"; exec sleep 30`));
  probe.start();
  try {
    await vi.waitFor(() => expect(probe.samples()).toHaveLength(1), { timeout: 5_000 });
    expect(probe.samples()[0]).toMatchObject({ utilizationPercent: 7, powerW: 60.5 });
  } finally {
    probe.stop();
  }
});

test("virtual GPUs have an index and no memory", () => {
  expect(virtualGpus(2).map((gpu) => gpu.uuid)).toEqual(["virtual-0", "virtual-1"]);
});
