// The state as rows, and back. A snapshot only shortens a restart: the rows must give the very state
// that folding the log gives, down to the order of its maps.

import { assert, must } from "../../base/assert.ts";
import type { JobId, NodeId, RequestId } from "../../base/ids.ts";
import { chargeUser } from "./allocate.ts";
import { createState } from "./apply.ts";
import { noteDependent } from "./apply-admission.ts";
import { isArrayOver } from "./array.ts";
import { gpusHeld, isEnded, type Job, type JobArray, JOB_DEFAULTS, withDefaults } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { RunTimes } from "./run-times.ts";
import { completeQueueSpec } from "./queue-spec.ts";
import {
  type ClusterState,
  DEFAULT_POLICY,
  type MutableClusterState,
  NO_COUNTS,
  type Node,
  type Policy,
  type Queue,
  type RequestRecord,
  type Reservation,
  type Totals,
} from "./state.ts";
import { upgradeNode, upgradeSpec } from "./upgrade.ts";

export interface SnapshotRow {
  /** `<table>` for the head, else `<table>:<id>`. */
  readonly key: string;
  /** Plain JSON. */
  readonly value: unknown;
}

interface Head {
  readonly seq: number;
  readonly atMs: number;
  readonly jobNumberLast: number;
  /** Absent in snapshots of releases that kept only the half-life. */
  readonly policy?: Policy;
  readonly usageHalfLifeMs?: number;
  readonly totals: Totals;
  /** Orders of the index sets, which the jobs alone do not tell. */
  readonly active: readonly JobId[];
  readonly ended: readonly JobId[];
}

type QueueRow = Omit<Queue, "heldByUser">;

/** What a snapshot holds: the index of pending jobs is made again. */
export type SnapshotState = Omit<ClusterState, "pending">;

/** The head first, then every record in the order of its map. */
export function* encodeState(state: SnapshotState): Generator<SnapshotRow> {
  const { seq, atMs, jobNumberLast, policy, totals } = state;
  const active = [...state.active.keys()];
  const ended = [...state.ended];
  const head: Head = { seq, atMs, jobNumberLast, policy, totals, active, ended };
  yield { key: "head", value: head };
  for (const [path, queue] of state.queues) {
    yield { key: `queue:${path}`, value: encodeQueue(queue) };
  }
  for (const [id, node] of state.nodes) yield { key: `node:${id}`, value: node };
  for (const [id, array] of state.arrays) yield { key: `array:${id}`, value: array };
  for (const [id, job] of state.jobs) yield { key: `job:${id}`, value: encodeJob(job) };
  for (const [id, held] of state.reservations) yield { key: `reservation:${id}`, value: held };
  for (const [id, record] of state.requests) yield { key: `request:${id}`, value: record };
  for (const [of, times] of state.runTimes) yield { key: `run-times:${of}`, value: times };
}

/** Which user holds what, its jobs tell. */
const encodeQueue = ({ heldByUser: _heldByUser, ...queue }: Queue): QueueRow => queue;

/** An element's spec is its array's: thousands of them have one. */
const encodeJob = ({ spec, ...job }: Job): object => (job.array === null ? { ...job, spec } : job);

/** Rows as `encodeState` gave them, in that order. The store has checked their digest. */
export function decodeState(rows: Iterable<SnapshotRow>): MutableClusterState {
  const state = createState();
  let head: Head | null = null;
  for (const row of rows) {
    const [table, ...rest] = row.key.split(":");
    if (table === "head") head = row.value as Head;
    decodeRow(state, must(table, "table"), rest.join(":"), row.value);
  }
  assert(head !== null, "the snapshot has no head");
  for (const id of head.active) state.active.set(id, jobOf(state, id));
  for (const { spec } of state.queues.values()) {
    state.pending.setByRunTime(spec.path, spec.order === "shortest", state.jobs);
  }
  for (const job of state.jobs.values()) {
    if (job.phase.kind === "pending") state.pending.add(job, state.atMs, state.seq);
    assertIndexed(state, job);
    if (!isEnded(job.phase)) noteDependent(state, job);
    chargeUser(state, job, gpusHeld(job));
  }
  for (const array of state.arrays.values()) if (!isArrayOver(array)) noteDependent(state, array);
  return state;
}

// The casts are the boundary: these rows were written by `encodeState` and their digest was checked.
function decodeRow(state: MutableClusterState, table: string, id: string, value: unknown): void {
  switch (table) {
    case "head":
      return decodeHead(state, value as Head);
    case "queue":
      return decodeQueue(state, value as QueueRow);
    case "node":
      state.nodes.set(id as NodeId, upgradeNode(value as Node));
      return;
    case "array":
      state.arrays.set(id as JobId, decodeArray(value as JobArray));
      return;
    case "job":
      state.jobs.set(id as JobId, decodeJob(state, value as Job));
      return;
    case "reservation":
      state.reservations.set(id as JobId, value as Reservation);
      return;
    case "request":
      state.requests.set(id as RequestId, value as RequestRecord);
      return;
    case "run-times":
      state.runTimes.set(id, value as RunTimes);
      return;
    default:
      assert(false, `the snapshot has an unknown table ${table}`);
  }
}

const decodeArray = (row: JobArray): JobArray => ({ ...row, spec: upgradeSpec(row.spec) });

/** Its array, whose spec it shares, stands before it. */
function decodeJob(state: ClusterState, row: Job): Job {
  const job = withDefaults(row, JOB_DEFAULTS);
  if (job.array === null) return { ...job, spec: upgradeSpec(row.spec) };
  return { ...job, spec: must(state.arrays.get(job.array.id), `array of ${job.id}`).spec };
}

/** Absent in snapshots of releases that kept the past of GPUs only, and no account. */
const LATER_FIELDS = { usageCoreMs: 0, usageGibMs: 0, noted: null, accountGpuMs: 0 };

function decodeQueue(state: MutableClusterState, queue: QueueRow): void {
  // Absent in snapshots of releases that counted for the whole cluster only.
  const counts = withDefaults(queue.counts ?? NO_COUNTS, NO_COUNTS);
  const preemptions = { ...NO_COUNTS.preemptions, ...counts.preemptions };
  const spec = completeQueueSpec(queue.spec);
  const whole = withDefaults(queue, LATER_FIELDS);
  state.queues.set(spec.path, {
    ...whole,
    spec,
    heldByUser: new Map(),
    counts: { ...counts, preemptions },
  });
}

function decodeHead(state: MutableClusterState, head: Head): void {
  state.seq = head.seq;
  state.atMs = head.atMs;
  state.jobNumberLast = head.jobNumberLast;
  const { usageHalfLifeMs } = head;
  const older = usageHalfLifeMs === undefined ? {} : { usageHalfLifeMs };
  state.policy = { ...DEFAULT_POLICY, ...older, ...head.policy };
  const { totals } = head;
  state.totals = { ...totals, preemptions: { ...state.totals.preemptions, ...totals.preemptions } };
  for (const id of head.ended) state.ended.add(id);
}

function assertIndexed(state: ClusterState, job: Job): void {
  const found = [state.active.has(job.id), state.ended.has(job.id)];
  const expected = [job.phase.kind !== "pending" && !isEnded(job.phase), isEnded(job.phase)];
  assert(found.join() === expected.join(), `the snapshot's index is wrong about ${job.id}`);
}
