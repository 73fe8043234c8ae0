// A node's figures for Prometheus: its GPUs under the names that NVIDIA's DCGM exporter uses, so that
// dashboards made for that one work, and the state of the agent itself.

import { type MetricsRegistry, setGauge } from "../obs/metrics.ts";
import type { Agent } from "./agent.ts";
import type { GpuSample } from "./core/nvidia-smi.ts";
import { hasProcess } from "./core/reconcile.ts";

type GpuLabel = "gpu" | "UUID" | "modelName" | "Hostname";

/** By DCGM name: help, and where the figure is in a sample. */
const GPU_SERIES: readonly {
  readonly name: string;
  readonly help: string;
  readonly of: (sample: GpuSample) => number | null;
}[] = [
  {
    name: "DCGM_FI_DEV_GPU_UTIL",
    help: "GPU utilization (in %).",
    of: (sample) => sample.utilizationPercent,
  },
  {
    name: "DCGM_FI_DEV_FB_USED",
    help: "Framebuffer memory used (in MiB).",
    of: (sample) => sample.memoryUsedMib,
  },
  {
    name: "DCGM_FI_DEV_FB_FREE",
    help: "Framebuffer memory free (in MiB).",
    of: (sample) =>
      sample.memoryUsedMib === null ? null : sample.memoryTotalMib - sample.memoryUsedMib,
  },
  {
    name: "DCGM_FI_DEV_GPU_TEMP",
    help: "GPU temperature (in C).",
    of: (sample) => sample.temperatureC,
  },
  { name: "DCGM_FI_DEV_POWER_USAGE", help: "Power draw (in W).", of: (sample) => sample.powerW },
  {
    name: "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL",
    help: "Double-bit volatile ECC errors since the last reboot.",
    of: (sample) => sample.eccUncorrected,
  },
];

/** Adds the agent's series to a registry; they are read at each scrape. */
export function agentMetrics(metrics: MetricsRegistry, agent: Agent): void {
  const gpuGauges = GPU_SERIES.map((series) => ({
    of: series.of,
    gauge: metrics.gauge<GpuLabel>(series.name, series.help, [
      "gpu",
      "UUID",
      "modelName",
      "Hostname",
    ]),
  }));
  const connected = metrics.gauge(
    "trainyard_agent_connected",
    "1 while the agent has a stream to the scheduler.",
  );
  const leaseLeft = metrics.gauge(
    "trainyard_agent_lease_left_seconds",
    "Until the agent ends its tasks by itself, unless a heartbeat is acknowledged.",
  );
  const diskFree = metrics.gauge(
    "trainyard_agent_disk_free_bytes",
    "Free space for the agent's state folder; below --disk-free-min the node takes no new tasks.",
  );
  const tasks = metrics.gauge(
    "trainyard_agent_tasks",
    "Tasks on this node, by whether they live.",
    ["state"],
  );
  const host = metrics.gauge("trainyard_agent_host_info", "What this machine is; always 1.", [
    "cpu",
    "system",
    "kernel",
  ]);
  metrics.onScrape(() => {
    const samples = agent.gpus.samples();
    for (const { gauge, of } of gpuGauges) setGauge(gauge, gpuSeries(samples, of, agent.node));
    connected.set(agent.isConnected ? 1 : 0);
    leaseLeft.set(Math.max(0, agent.leaseLeftMs) / 1_000);
    if (agent.disk.freeBytes !== null) diskFree.set(agent.disk.freeBytes);
    const held = agent.tasks.state.tasks;
    tasks.set({ state: "alive" }, held.filter(hasProcess).length);
    tasks.set({ state: "over" }, held.filter((task) => !hasProcess(task)).length);
    const facts = agent.host;
    if (facts === null) return;
    setGauge(host, [[{ cpu: facts.cpuModel, system: facts.system, kernel: facts.kernel }, 1]]);
  });
}

function gpuSeries(
  samples: readonly GpuSample[],
  of: (sample: GpuSample) => number | null,
  node: string,
): readonly (readonly [Record<GpuLabel, string>, number])[] {
  return samples.flatMap((sample) => {
    const value = of(sample);
    if (value === null) return [];
    const { index, uuid, type } = sample;
    const labels = { gpu: String(index), UUID: uuid, modelName: type, Hostname: node };
    return [[labels, value] as const];
  });
}
