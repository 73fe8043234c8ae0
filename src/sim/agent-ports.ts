// What a simulated agent needs of the world around it.

import type { JobId } from "../base/ids.ts";
import type { Prng } from "../base/prng.ts";
import type { DesiredTask } from "../scheduler/core/desired.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Stream, StreamSide } from "./stream.ts";
import type { Gang, Profile } from "./training.ts";

export interface AgentPorts {
  readonly prng: Prng;
  readonly store: ObjectStore;
  readonly dial: (agent: StreamSide) => Stream;
  readonly gangOf: (task: DesiredTask) => Gang;
  readonly profileOf: (jobId: JobId, name: string) => Profile;
  /** A task is about to restore: the world checks that it may. */
  readonly onRestore: (task: DesiredTask) => void;
  readonly onMissingCheckpoint: (task: DesiredTask) => void;
  /** The agent process dies here; another one starts later. */
  readonly onCrash: () => void;
  readonly nowMs: () => number;
  readonly isHealed: () => boolean;
  readonly trace: (actor: string, text: string) => void;
}
