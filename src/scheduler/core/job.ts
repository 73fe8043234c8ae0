// Jobs as the scheduler knows them: what was asked, where it is in its life, what its attempts did.

import type { CheckpointId, Digest, JobId, NodeId, QueuePath } from "../../base/ids.ts";
import type { Resources } from "../../base/resources.ts";

/** Who asks. Filled by the identity interceptor, recorded with everything that is made. */
export interface Identity {
  readonly tenant: string;
  readonly user: string;
}

export const userKey = (owner: Identity): string => `${owner.user}@${owner.tenant}`;

/** What each node of a gang runs. */
export type JobCommand =
  | {
      readonly kind: "torchrun";
      /** Path inside the code bundle, or an absolute path on the node. */
      readonly script: string;
      readonly args: readonly string[];
      /** Worker processes on each node; 1..64. */
      readonly procsPerNode: number;
      /** Python interpreter; empty = the agent's `--python`. */
      readonly python: string;
    }
  | {
      /** One process a node, run as it is; ranks come as environment variables. */
      readonly kind: "exec";
      readonly argv: readonly string[];
    };

/** Code that travels with the job: a content-addressed tar.gz in the object store. */
export interface CodeBundle {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** The git commit it was packed from; empty outside git. */
  readonly commit: string;
  readonly isDirty: boolean;
}

export interface CheckpointPolicy {
  /** How many committed checkpoints to keep; at least 1, default 3. */
  readonly keep: number;
  /** Names to look for below the checkpoint folder, `*` and `?` as wildcards; empty = the known layouts. */
  readonly patterns: readonly string[];
}

/** How a job that another one waits for must have ended. `failed` = in any way but well. */
export type DependencyCondition = "ok" | "failed" | "any";

/** Not placed before `job` has ended so. */
export interface Dependency {
  /** A job, or an array as a whole. */
  readonly job: JobId;
  readonly on: DependencyCondition;
}

/** One submission that makes many jobs of one spec. */
export interface ArraySpec {
  /** As `parseIndexes` reads it: `0-99`, `1,3,5-9`. */
  readonly indexes: string;
  /** How many of its jobs may run, or wait to be placed, at once; null = all. */
  readonly parallel: number | null;
}

/** From the tightest to the widest. An island is a set of GPUs of one node that NVLink joins. */
export const TOPOLOGY_LEVELS = ["island", "node", "rack", "block"] as const;
export type TopologyLevel = (typeof TOPOLOGY_LEVELS)[number];

export interface TopologyRequest {
  /**
   * `rack`, `block`: the whole gang inside one. `node`: on one node. `island`: the GPUs of each
   * task inside one.
   */
  readonly level: TopologyLevel;
  /** `preferred` = at this level if there is room, else at the next wider one, else anywhere. */
  readonly mode: "required" | "preferred";
}

/** A validated submission. All fields are set; defaults were filled in at the edge. */
export interface JobSpec {
  readonly name: string;
  readonly queue: QueuePath;
  /** A key of `Policy.priorityClasses`. */
  readonly priorityClass: string;
  /** Nodes in the gang, at most; placed together or not at all. */
  readonly nodes: number;
  /** The fewest with which it runs; fewer than `nodes` = an elastic job. See elastic.ts. */
  readonly nodesMin: number;
  readonly perNode: Resources;
  /**
   * Models that will do, such as `H100`, the preferred one first; empty = any. See
   * `gpuTypeMatches`.
   */
  readonly gpuTypes: readonly string[];
  /** May the tasks of the gang have GPUs of different types? Default false. */
  readonly mixesGpuTypes: boolean;
  /** How close together the gang must stand; null = anywhere. */
  readonly topology: TopologyRequest | null;
  /** `avoid` = never on spot nodes, `prefer` = there while they have room. Default `allow`. */
  readonly spot: "avoid" | "allow" | "prefer";
  readonly command: JobCommand;
  readonly env: Readonly<Record<string, string>>;
  readonly bundle: CodeBundle | null;
  /** Shell line run once per node and attempt before the command; empty = none. */
  readonly setup: string;
  /** Running time of one attempt after which it is stopped and the job fails; null = none. */
  readonly timeLimitMs: number | null;
  /** What a preempted attempt gets for a last checkpoint. */
  readonly graceMs: number;
  /** Signal to the workers' main processes when asked to stop; `none` = only the stop-file. */
  readonly stopSignal: "SIGTERM" | "SIGUSR1" | "SIGUSR2" | "SIGINT" | "none";
  /** How often the job may be started again after its own failure. Preemption and lost nodes are free. */
  readonly restartsMax: number;
  readonly checkpoint: CheckpointPolicy;
  /** Null = one job. */
  readonly array: ArraySpec | null;
  /** Empty = waits for no other job. */
  readonly after: readonly Dependency[];
  /** Not placed before; null = at once. */
  readonly beginAtMs: number | null;
  /** By when it should have ended; needs a time limit, and counts in `edf` queues. Null = none. */
  readonly deadlineMs: number | null;
  /** Submitted held: waits until it is released. */
  readonly isHeld: boolean;
}

/** What logs of versions before these fields have instead of them. */
export const SPEC_DEFAULTS = {
  array: null,
  after: [],
  beginAtMs: null,
  deadlineMs: null,
  isHeld: false,
  gpuTypes: [],
  mixesGpuTypes: false,
  topology: null,
  spot: "allow",
} as const satisfies Partial<JobSpec>;

/** The part of a gang that goes to one node. Its index in a placement is the task's rank. */
export interface TaskPlacement {
  readonly nodeId: NodeId;
  /** Indexes of the node's GPUs, ascending. */
  readonly gpus: readonly number[];
}

export type TaskEndReason =
  | "exited" // by itself, with `code`
  | "signalled" // by a signal that we did not send
  | "stopped" // because it was told to stop, in time
  | "killed" // told to stop, did not in time
  | "prepare_failed" // bundle, setup or launch went wrong
  | "restore_failed" // the checkpoint to resume from does not match its manifest
  | "lease_expired" // the agent stopped it by itself
  | "disk_full" // the node has no room left for it
  | "supervisor_lost" // the process that watches over it was killed, and it with that
  | "lost"; // the node or its agent's memory of the task is gone

export interface TaskExit {
  readonly reason: TaskEndReason;
  /** Exit code, or 128 + signal number; -1 when there was no process. */
  readonly code: number;
  /** What a person should read: the first error, the missing file. May be empty. */
  readonly message: string;
}

export type TaskState =
  | { readonly kind: "assigned" }
  | { readonly kind: "preparing" }
  | { readonly kind: "running"; readonly sinceMs: number }
  | { readonly kind: "ended"; readonly atMs: number; readonly exit: TaskExit };

/** Where rank 0 listens for the others. Chosen by rank 0's agent. */
export interface Rendezvous {
  readonly host: string;
  readonly port: number;
}

/** One placement of the whole gang. `number` is the fencing token. */
export interface Attempt {
  readonly number: number;
  readonly placement: readonly TaskPlacement[];
  /** Log sequence at which the placement was written: reports from before say nothing about it. */
  readonly placedSeq: number;
  readonly placedAtMs: number;
  /** When the last task's process had started; null until then. */
  readonly runningAtMs: number | null;
  readonly resumeFrom: CheckpointId | null;
  readonly rendezvous: Rendezvous | null;
  /** By rank. */
  readonly tasks: readonly TaskState[];
}

/**
 * `reclaim` = a queue takes back what it is guaranteed; `share` = a queue takes back its fair share;
 * `priority` = a higher class of the same queue; `las`, `shortest` = a job of the same queue and
 * class that had less service, or has less to come; `drain` = its node empties. Of elastic jobs,
 * which go on at once with another size: `shrink` = others have a right to some of its nodes,
 * or, for nobody, some are drained;
 * `grow` = idle nodes join it, and nobody gets any of its own.
 */
export type PreemptionKind =
  | "reclaim"
  | "share"
  | "priority"
  | "las"
  | "shortest"
  | "drain"
  | "shrink"
  | "grow";

/** Why a running attempt is being brought to an end. */
export type StopCause =
  | {
      readonly kind: "preempted";
      readonly how: PreemptionKind;
      /** The job that gets the GPUs; null for a drain. */
      readonly preemptor: JobId | null;
      readonly why: string;
    }
  | { readonly kind: "cancelled"; readonly by: string; readonly why: string }
  | { readonly kind: "time_limit" }
  | { readonly kind: "task_failed"; readonly rank: number; readonly exit: TaskExit }
  | { readonly kind: "node_lost"; readonly nodeId: NodeId }
  /** The node is there, and it is to blame for the end of a task. */
  | {
      readonly kind: "node_failed";
      readonly nodeId: NodeId;
      readonly rank: number;
      readonly exit: TaskExit;
    };

export type PendingCause =
  | "submitted"
  | "preempted"
  | "node_lost"
  | "node_failed"
  | "failed"
  | "restore_failed";

export type JobPhase =
  | {
      readonly kind: "pending";
      readonly sinceMs: number;
      /** Backoff: not placed before this. */
      readonly notBeforeMs: number;
      readonly cause: PendingCause;
    }
  | { readonly kind: "placed"; readonly attempt: Attempt } // no agent has taken it up yet
  | { readonly kind: "starting"; readonly attempt: Attempt } // some task prepares or runs
  | { readonly kind: "running"; readonly attempt: Attempt } // every task's process has started
  | {
      readonly kind: "stopping";
      readonly attempt: Attempt;
      readonly cause: StopCause;
      readonly askedAtMs: number;
      /** The agents end what still runs then. */
      readonly deadlineMs: number;
    }
  | { readonly kind: "succeeded"; readonly endedAtMs: number }
  | {
      readonly kind: "failed";
      readonly endedAtMs: number;
      readonly reason: "task_failed" | "time_limit" | "restore_failed";
      readonly exit: TaskExit | null;
    }
  | {
      readonly kind: "cancelled";
      readonly endedAtMs: number;
      readonly by: string;
      readonly why: string;
    };

export type AttemptOutcome =
  | "succeeded"
  | "preempted"
  | "failed"
  | "cancelled"
  | "time_limit"
  | "node_lost"
  | "node_failed"
  | "restore_failed";

/** An attempt that is over, kept for `show`, `explain` and the timeline. */
export interface AttemptRecord {
  readonly number: number;
  readonly placement: readonly TaskPlacement[];
  readonly placedAtMs: number;
  readonly runningAtMs: number | null;
  readonly endedAtMs: number;
  readonly resumeFrom: CheckpointId | null;
  readonly outcome: AttemptOutcome;
  readonly cause: StopCause | null;
  /** The first task that went wrong; null when none did. */
  readonly exit: TaskExit | null;
  /** GPU time after the newest committed checkpoint: work to be done again. 0 on success. */
  readonly lostGpuMs: number;
}

/** What one task of an attempt uploaded for one checkpoint. */
export interface CheckpointPart {
  readonly rank: number;
  /** sha256 of the part document (the list of files) in the object store; null = this task wrote none. */
  readonly digest: Digest | null;
  readonly sizeBytes: number;
  /** What really went over the wire; the rest was in the store already. */
  readonly uploadedBytes: number;
}

export type CheckpointState = "gathering" | "committed" | "rejected";

export interface Checkpoint {
  readonly id: CheckpointId;
  readonly jobId: JobId;
  readonly attempt: number;
  /** Training step, from the name or content of what was written; counts up when none is found. */
  readonly step: number;
  readonly state: CheckpointState;
  /** By rank; whole when there is one for each task of the attempt, be it an empty one. */
  readonly parts: readonly CheckpointPart[];
  /** When the script had finished writing it. */
  readonly takenAtMs: number;
  readonly committedAtMs: number | null;
  /** sha256 of the manifest object; null until committed. */
  readonly manifestDigest: Digest | null;
}

/** Who keeps a job from being placed, and why. */
export interface UserHold {
  /** `user@tenant`. */
  readonly by: string;
  /** May be empty. */
  readonly why: string;
  readonly atMs: number;
}

/** What keeps a job, or a whole array, from being looked at by the planner. */
export interface Gate {
  readonly userHold: UserHold | null;
  /** Not met yet. */
  readonly waitsFor: readonly Dependency[];
}

/** Jobs that were submitted as one. Their specs are this one object. */
export interface JobArray extends Gate {
  /** Counts like a job's, but is no job: its elements have the numbers after it. */
  readonly id: JobId;
  readonly spec: JobSpec;
  readonly owner: Identity;
  readonly submittedAtMs: number;
  /** Ascending. The element at position p has the number of the array + 1 + p. */
  readonly indexes: readonly number[];
  /** Elements that are admitted and have not ended; at most `spec.array.parallel`. */
  readonly admittedCount: number;
  /** Elements before this position are not admitted later unless they are released. */
  readonly cursor: number;
  readonly ended: Readonly<Record<"succeeded" | "failed" | "cancelled", number>>;
  /** Ended elements that the state no longer has. */
  readonly forgottenCount: number;
}

/** How long a job still has to run, as somebody said who knows. */
export interface RunForecast {
  readonly remainingMs: number;
  readonly atMs: number;
  /** What it had run by then; see `usefulRunMs`. */
  readonly ranMs: number;
}

/** A gate of its own is closed for the job alone; an element also waits for its array's. */
export interface Job extends Gate {
  readonly id: JobId;
  readonly spec: JobSpec;
  readonly owner: Identity;
  readonly submittedAtMs: number;
  /** Null = submitted alone. */
  readonly array: { readonly id: JobId; readonly index: number } | null;
  /** Since when it may be placed: no gate is closed, and it is its turn in its array; null = not. */
  readonly admittedAtMs: number | null;
  readonly phase: JobPhase;
  /** Number of the newest attempt; 0 before the first. */
  readonly attemptLast: number;
  /** Ended attempts, oldest first, the newest `ATTEMPTS_KEPT`. */
  readonly history: readonly AttemptRecord[];
  /** The job's own failures so far: what `restartsMax` bounds. */
  readonly failures: number;
  readonly preemptions: number;
  /** Attempts that ended because a node was lost or failed them. */
  readonly nodeLosses: number;
  /** GPU milliseconds consumed by ended attempts. Never goes down. */
  readonly attainedGpuMs: number;
  readonly lostGpuMs: number;
  /** Oldest step first; rejected ones stay until deleted. */
  readonly checkpoints: readonly Checkpoint[];
  /** Nodes that failed this job, newest last: avoided while there are others. */
  readonly avoidNodes: readonly NodeId[];
  /** Null = nobody said. */
  readonly forecast: RunForecast | null;
}

/** What snapshots of versions before these fields have instead of them. */
export const JOB_DEFAULTS = {
  array: null,
  admittedAtMs: 0,
  userHold: null,
  waitsFor: [],
  forecast: null,
} as const satisfies Partial<Job>;

/** A record as this version has them, also when an older one wrote it. */
export function withDefaults<T extends object, D extends Partial<T>>(row: T, defaults: D): T {
  return Object.keys(defaults).every((key) => key in row) ? row : { ...defaults, ...row };
}

export const ATTEMPTS_KEPT = 50;

export function isEnded(phase: JobPhase): boolean {
  return phase.kind === "succeeded" || phase.kind === "failed" || phase.kind === "cancelled";
}

/** Does the job go on with another size right after this? That is no preemption of the job. */
export const isResize = (cause: StopCause | null): boolean =>
  cause?.kind === "preempted" && (cause.how === "shrink" || cause.how === "grow");

/** The attempt that holds resources now, or null. */
export function activeAttempt(phase: JobPhase): Attempt | null {
  switch (phase.kind) {
    case "placed":
    case "starting":
    case "running":
    case "stopping":
      return phase.attempt;
    default:
      return null;
  }
}

/** GPUs of its tasks that have not ended. */
export function gpusHeld({ phase, spec }: Job): number {
  let tasks = 0;
  for (const { kind } of activeAttempt(phase)?.tasks ?? []) if (kind !== "ended") tasks += 1;
  return tasks * spec.perNode.gpus;
}

/** Nodes of an attempt: the size of the gang while it ran. */
export function nodesOfAttempt({ phase, history, spec }: Job, number: number): number {
  const active = activeAttempt(phase);
  const attempt = active?.number === number ? active : history.find((it) => it.number === number);
  return attempt?.placement.length ?? spec.nodes;
}

/** The newest committed checkpoint: where the job would resume from. */
export function resumePoint(job: Job): Checkpoint | null {
  let best: Checkpoint | null = null;
  for (const checkpoint of job.checkpoints) {
    if (checkpoint.state !== "committed") continue;
    if (best === null || checkpoint.step >= best.step) best = checkpoint;
  }
  return best;
}
