// The machine, apart from its GPUs. systeminformation is loaded for it, once, and asked nothing that
// changes: its answers cost processes and tens of milliseconds.

import { availableParallelism, networkInterfaces, totalmem } from "node:os";

export interface HostFacts {
  readonly cpus: number;
  readonly memoryMib: number;
  /** For people, such as `AMD EPYC 9654` and `Debian GNU/Linux 12`; empty when unknown. */
  readonly cpuModel: string;
  readonly system: string;
  readonly kernel: string;
}

export async function findHostFacts(): Promise<HostFacts> {
  const { cpu, osInfo } = await import("systeminformation");
  const [processor, system] = await Promise.all([cpu(), osInfo()]);
  return {
    cpus: availableParallelism(),
    memoryMib: Math.floor(totalmem() / 1024 ** 2),
    cpuModel: `${processor.manufacturer} ${processor.brand}`.trim(),
    system: `${system.distro} ${system.release}`.trim(),
    kernel: system.kernel,
  };
}

/** Name of the interface that has this address; null for a host name or somebody else's. */
export function interfaceOf(address: string): string | null {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some((entry) => entry.address === address)) return name;
  }
  return null;
}
