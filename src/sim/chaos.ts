// What goes wrong, and when: partitions, crashes, sleeping machines, an operator with a change of mind.
// Decides nothing about the system; it only breaks things and, at the end, mends them all.

import { unreachable } from "../base/assert.ts";
import type { Prng } from "../base/prng.ts";
import { CHAOS_KINDS, type ChaosKind, type Faults } from "./faults.ts";
import type { Machine } from "./machine.ts";
import type { Network } from "./network.ts";
import type { Timeline } from "./timeline.ts";

/** What chaos may do to the world. */
export interface ChaosPorts {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly prng: Prng;
  readonly machines: readonly Machine[];
  readonly crashScheduler: () => void;
  readonly crashAgent: (machine: Machine) => void;
  readonly startAgent: (machine: Machine) => void;
  readonly powerOff: (machine: Machine, isWiped: boolean) => void;
  readonly powerOn: (machine: Machine) => void;
  readonly operate: () => void;
  readonly trace: (actor: string, text: string) => void;
}

export class Chaos {
  private readonly ports: ChaosPorts;
  private readonly faults: Faults;
  private isOver = false;

  constructor(faults: Faults, ports: ChaosPorts) {
    this.faults = faults;
    this.ports = ports;
    for (const kind of CHAOS_KINDS) this.again(kind);
  }

  /** Nothing new breaks from now on; the world mends what is broken. */
  stop(): void {
    this.isOver = true;
  }

  /** kill -9; its supervisor of services starts it again. */
  crashAgent(machine: Machine): void {
    this.ports.crashAgent(machine);
    this.ports.timeline.after(100 + this.longMs(), () => this.ports.startAgent(machine));
  }

  private again(kind: ChaosKind): void {
    const mean = this.faults.meanMs[kind];
    if (mean === 0) return;
    const { prng, timeline } = this.ports;
    timeline.after(-Math.log(1 - prng.unit()) * mean, () => {
      if (this.isOver) return;
      this.strike(kind);
      this.again(kind);
    });
  }

  private strike(kind: ChaosKind): void {
    const { ports } = this;
    const machine = ports.prng.pick(ports.machines);
    ports.trace("chaos", `${kind} ${machine.name}`);
    switch (kind) {
      case "partition":
        return this.partition(machine, true);
      case "partition_one_way":
        return this.partition(machine, false);
      case "agent_crash":
        return this.crashAgent(machine);
      case "agent_and_host":
        return this.outage(machine, false);
      case "host_wiped":
        return this.outage(machine, true);
      case "suspend":
        return this.suspend(machine);
      case "scheduler_crash":
        return ports.crashScheduler();
      case "operator":
        return ports.operate();
      default:
        return unreachable(kind);
    }
  }

  /** From a blink to several leases. */
  private longMs(): number {
    const { prng } = this.ports;
    return prng.below(prng.chance(1, 2) ? 5_000 : 60_000);
  }

  private partition(machine: Machine, isTwoWay: boolean): void {
    const { network, timeline, prng } = this.ports;
    const isOutward = prng.chance(1, 2);
    const ways: (readonly [string, string])[] = [];
    if (isTwoWay || isOutward) ways.push([machine.name, "scheduler"]);
    if (isTwoWay || !isOutward) ways.push(["scheduler", machine.name]);
    for (const [from, to] of ways) network.block(from, to);
    timeline.after(this.longMs(), () => {
      for (const [from, to] of ways) network.unblock(from, to);
    });
  }

  private outage(machine: Machine, isWiped: boolean): void {
    this.ports.powerOff(machine, isWiped);
    this.ports.timeline.after(1_000 + this.longMs(), () => this.ports.powerOn(machine));
  }

  private suspend(machine: Machine): void {
    if (!machine.isUp || machine.isSuspended) return;
    machine.suspend();
    this.ports.timeline.after(this.longMs(), () => {
      if (machine.isSuspended) machine.resume();
    });
  }
}
