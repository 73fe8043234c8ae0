// What a simulated scheduler process needs of the world around it.

import type { Prng } from "../base/prng.ts";
import type { LoggedEvent } from "../scheduler/core/events.ts";
import type { MutableClusterState, Policy } from "../scheduler/core/state.ts";
import type { DurableLog } from "./durable-log.ts";
import type { Faults } from "./faults.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Timeline } from "./timeline.ts";

export interface SchedulerPorts {
  readonly timeline: Timeline;
  readonly prng: Prng;
  readonly log: DurableLog;
  readonly store: ObjectStore;
  readonly policy: Policy;
  readonly faults: () => Faults;
  readonly sabotage: Sabotage;
  /** Told of each batch of events once applied, before it is durable. */
  readonly onApplied: (state: MutableClusterState, events: readonly LoggedEvent[]) => void;
  readonly onDurable: (events: readonly LoggedEvent[]) => void;
  /** The process dies here. */
  readonly onCrash: () => void;
  readonly trace: (actor: string, text: string) => void;
}
