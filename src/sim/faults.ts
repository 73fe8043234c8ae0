// Which faults a run has and how often. Swarm testing: each seed switches each kind on or off, since a
// bug that needs one kind alone is hidden where all of them rage at once.

import type { Prng } from "../base/prng.ts";

/** Chances are in thousandths, per occasion; 0 = the kind is off in this run. */
export interface Faults {
  /** A message takes up to seconds instead of milliseconds. */
  readonly slowMessage: number;
  /** A message takes the stream down with it. */
  readonly streamBreak: number;
  /** A call or its reply is lost. */
  readonly callLost: number;
  /** A call arrives twice. */
  readonly callTwice: number;
  /** An agent's report arrives once more, later, after newer ones. */
  readonly reportTwice: number;
  /** At each of the three crash points of a commit. */
  readonly crashAtCommit: number;
  /** The agent dies before or after it does what it has decided to do. */
  readonly crashAtAction: number;
  /** A commit takes up to seconds. */
  readonly slowCommit: number;
  /** A checkpoint does not match its manifest when it is restored. */
  readonly corruptCheckpoint: number;
  /** Preparing a task fails, by its own fault or for want of room on the disk. */
  readonly prepareFails: number;
  /** An upload or a manifest takes half a minute. */
  readonly slowStore: number;
  /** Killing takes over a second instead of milliseconds. */
  readonly slowKill: number;
  /** Mean time between two of a kind in the whole cluster, in milliseconds; 0 = never. */
  readonly meanMs: Readonly<Record<ChaosKind, number>>;
  readonly driftPpm: number;
}

export const CHAOS_KINDS = [
  "partition",
  "partition_one_way",
  "agent_crash",
  "agent_and_host",
  "host_wiped",
  "suspend",
  "scheduler_crash",
  "operator",
] as const;
export type ChaosKind = (typeof CHAOS_KINDS)[number];

const MEAN_MS: Readonly<Record<ChaosKind, readonly [number, number]>> = {
  partition: [20_000, 120_000],
  partition_one_way: [20_000, 120_000],
  agent_crash: [15_000, 90_000],
  agent_and_host: [40_000, 200_000],
  host_wiped: [60_000, 300_000],
  suspend: [30_000, 150_000],
  scheduler_crash: [20_000, 150_000],
  operator: [10_000, 60_000],
};

export function drawFaults(prng: Prng): Faults {
  // In a calm run jobs live long enough to compete; in a wild one nothing lasts.
  const [numerator, denominator] = prng.chance(2, 5) ? [1, 8] : [1, 2];
  const isOn = (): boolean => prng.chance(numerator, denominator);
  const rate = (max: number): number => (isOn() ? 1 + prng.below(max) : 0);
  const mean = ([least, most]: readonly [number, number]): number =>
    isOn() ? least + prng.below(most - least) : 0;
  return {
    slowMessage: rate(100),
    streamBreak: rate(10),
    callLost: rate(300),
    callTwice: rate(300),
    reportTwice: rate(50),
    crashAtCommit: rate(12),
    crashAtAction: rate(40),
    slowCommit: rate(50),
    corruptCheckpoint: rate(200),
    prepareFails: rate(60),
    slowStore: rate(100),
    slowKill: rate(500),
    meanMs: {
      partition: mean(MEAN_MS.partition),
      partition_one_way: mean(MEAN_MS.partition_one_way),
      agent_crash: mean(MEAN_MS.agent_crash),
      agent_and_host: mean(MEAN_MS.agent_and_host),
      host_wiped: mean(MEAN_MS.host_wiped),
      suspend: mean(MEAN_MS.suspend),
      scheduler_crash: mean(MEAN_MS.scheduler_crash),
      operator: mean(MEAN_MS.operator),
    },
    driftPpm: rate(500),
  };
}

/** What is left once everything is healed: the network and the machines just work. */
export const NO_FAULTS: Faults = {
  slowMessage: 0,
  streamBreak: 0,
  callLost: 0,
  callTwice: 0,
  reportTwice: 0,
  crashAtCommit: 0,
  crashAtAction: 0,
  slowCommit: 0,
  corruptCheckpoint: 0,
  prepareFails: 0,
  slowStore: 0,
  slowKill: 0,
  meanMs: {
    partition: 0,
    partition_one_way: 0,
    agent_crash: 0,
    agent_and_host: 0,
    host_wiped: 0,
    suspend: 0,
    scheduler_crash: 0,
    operator: 0,
  },
  driftPpm: 0,
};
