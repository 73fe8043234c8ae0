// The smallest change that would start a waiting job now. Tries what a person would try: to be less
// particular, the same GPUs on more nodes, a smaller gang, fewer GPUs, a higher limit, another class.
// What is promised is proven: in a copy of the state the job is changed, and the planner starts it.

import { unreachable } from "../../base/assert.ts";
import { atOnce } from "../../base/at-once.ts";
import { compareText } from "../../base/ids.ts";
import { fitGang } from "./gang.ts";
import { amountText, type Hold, type Holds } from "./hold.ts";
import type { Command } from "./commands.ts";
import type { Moment } from "./explain-when.ts";
import type { Job, JobSpec } from "./job.ts";
import { jobOf, queueOf } from "./lookup.ts";
import { poolOf } from "./node-pools.ts";
import type { Eviction } from "./plan-types.ts";
import { asNew, type Preview, planFor, previewOf, suppose } from "./preview.ts";
import { QueueTree } from "./queue-tree.ts";
import { limitReached } from "./quota.ts";
import { type Shape, shapeKey, shapeOf, sizedTo } from "./shape.ts";
import type { ClusterState, QueueSpec } from "./state.ts";
import { named } from "./wording.ts";

export interface Remedy {
  /** For people, a sentence. */
  readonly text: string;
  /** The job as it would start; null where it is not the job that is to change, or nothing is proven. */
  readonly spec: JobSpec | null;
  /** Who would have to leave first; mostly nobody. */
  readonly evictions: readonly Eviction[];
}

/** A change that may help, to be proven. */
interface Change {
  readonly text: string;
  readonly spec: JobSpec;
  /** Done before the job is submitted: it is not the job that is changed. */
  readonly first: Command | null;
}

type FitsNow = (spec: JobSpec) => boolean;

/** What is needed of the moment to look for remedies. */
type RemedyMoment = Pick<Moment, "state" | "nowMs" | "left">;

interface Proof {
  readonly remedy: Remedy | null;
  readonly holds: Holds | null;
}

/** Why a job waits, and where a shape may find room by the last pass. */
interface Wait {
  readonly hold: Hold;
  readonly isRoomFor: (shape: Shape) => boolean;
}

/** Changes that are tried on a copy of the state: each costs up to a planning pass. */
const PROOFS_MAX = 3;
/** All at once. */
export const remedyFor = (...asked: Parameters<typeof seekRemedy>): Remedy | null =>
  atOnce(seekRemedy(...asked));

/** Null when no change was found. Pauses after each proof; the state may change meanwhile. */
export function* seekRemedy(
  moment: RemedyMoment,
  job: Job,
  hold: Hold,
): Generator<void, Remedy | null> {
  switch (hold.code) {
    case "EVALUATING":
    case "WAITING_FOR_JOB":
    case "BEGIN_TIME":
    case "ARRAY_PARALLEL":
    case "BACKOFF":
    case "WAITING_FOR_PREEMPTED":
    case "WAITING_FOR_END":
      return null;
    case "HELD_BY_USER":
      return advice(`Release it with \`trainyard release ${job.id}\`.`);
    case "EXCEEDS_QUEUE_LIMIT":
      return advice(
        `Ask for ${amountText(hold.resource, hold.limit)} or less, or have the limit of ` +
          `${hold.queue} raised to ${amountText(hold.resource, hold.asked)}.`,
      );
    case "NO_MATCHING_GPU":
    case "TOPOLOGY":
    case "EXCEEDS_CLUSTER":
    case "WAITING_FOR_QUOTA":
    case "KEPT_BY_QUEUE":
    case "TENANT_LIMIT":
    case "USER_LIMIT":
    case "WAITING_FOR_GPUS":
    case "FRAGMENTED":
    case "RESERVED_FOR_OTHER":
      return (yield* provenChange(moment, job, hold)) ?? lastAdvice(hold);
    default:
      return unreachable(hold);
  }
}

const advice = (text: string): Remedy => ({ text, spec: null, evictions: [] });

/** What would let it start some day, where nothing lets it start now and nobody's end ever would. */
function lastAdvice(hold: Hold): Remedy | null {
  switch (hold.code) {
    case "NO_MATCHING_GPU":
      return advice("Ask for a GPU type that is there.");
    case "TOPOLOGY":
      return hold.scope === "ever" ? nearerAdvice(hold) : null;
    case "EXCEEDS_CLUSTER":
      return smallerAdvice(hold);
    default:
      return null;
  }
}

function nearerAdvice({ level, nodesFit }: Extract<Hold, { readonly code: "TOPOLOGY" }>): Remedy {
  const inOne = nodesFit === 0 ? [] : [`nodes: ${nodesFit}`];
  const fewer = level === "island" ? ["fewer GPUs on each node"] : inOne;
  return possible([...fewer, "topology mode: preferred"].join(" or "));
}

type ExceedsHold = Extract<Hold, { readonly code: "EXCEEDS_CLUSTER" }>;

function smallerAdvice(hold: ExceedsHold): Remedy | null {
  const { nodesAsked, nodesFit, nodesMixed, nodesSpot } = hold;
  const ways = [
    ...(nodesMixed >= nodesAsked ? ["mix_gpu_types: true"] : []),
    ...(nodesSpot > 0 && nodesFit + nodesSpot >= nodesAsked ? ["spot: allow"] : []),
    ...(nodesFit > 0 ? [`nodes: ${nodesFit}`] : []),
  ];
  return ways.length === 0 ? null : possible(ways.join(" or "));
}

const possible = (change: string): Remedy => advice(`With ${change} it could start some day.`);

function* provenChange(moment: RemedyMoment, job: Job, hold: Hold): Generator<void, Remedy | null> {
  const { state, nowMs } = moment;
  const seen: Pick<Holds, "isRoomFor">[] = moment.left === null ? [] : [moment.left];
  let proofsLeft = PROOFS_MAX;
  const isRoomFor = (shape: Shape): boolean => seen.every((pass) => pass.isRoomFor(shape, job.id));
  for (const change of changes(state, job, nowMs, { hold, isRoomFor })) {
    if (change.first === null && doLikeWait(state, change.spec)) continue;
    if (proofsLeft === 0) return null;
    proofsLeft -= 1;
    const { remedy, holds } = prove(moment, job, change);
    if (remedy !== null) return remedy;
    // It has shown more of what is kept: claims are made when somebody has found room.
    if (holds !== null) seen.push(holds);
    yield;
  }
  return null;
}

/** Do jobs of the same queue, class and shape wait? It would be no better off than they. */
const doLikeWait = ({ pending }: ClusterState, spec: JobSpec): boolean =>
  pending.queue(spec.queue)?.classes.get(spec.priorityClass)?.kinds.has(shapeKey(spec)) === true;

/** In place of the job, which is withdrawn. With what the pass left, if the change is allowed. */
function prove({ state, nowMs: fromMs, left }: RemedyMoment, job: Job, change: Change): Proof {
  const { spec, first } = change;
  // The state may have gone on while this paused.
  const nowMs = Math.max(fromMs, state.atMs);
  const commands: Command[] = [
    { kind: "job.cancel", jobId: job.id, why: "" },
    ...(first === null ? [] : [first]),
    { kind: "job.submit", spec },
  ];
  const supposed = suppose(state, commands, job.owner, nowMs);
  if (supposed.kind === "refusal" || supposed.jobId === null) return { remedy: null, holds: null };
  const known = left?.findings() ?? null;
  // What it keeps, or what the change gives to others as well, others may find.
  const isForAll = first !== null || known?.claimants.includes(job.id) === true;
  const planned = planFor(supposed.state, supposed.jobId, nowMs, isForAll ? null : known);
  const preview = previewOf(planned, supposed.jobId);
  return { remedy: remedyBy(preview, change), holds: first === null ? planned.holds : null };
}

function remedyBy(preview: Preview, { text, spec, first }: Change): Remedy | null {
  const ofJob = first === null ? spec : null;
  if (preview.kind === "starts") {
    return { text: `${text} it would start now.`, spec: ofJob, evictions: [] };
  }
  // Whoever leaves already makes room without any change.
  if (preview.kind !== "reserves" || preview.evictions.length === 0) return null;
  const victims = named(preview.evictions.map(({ victim }) => victim));
  const leave = preview.evictions.length === 1 ? "has" : "have";
  const evictions = preview.evictions;
  return {
    text: `${text} it would start once ${victims} ${leave} left for it.`,
    spec: ofJob,
    evictions,
  };
}

/** The cheapest first. */
function* changes(state: ClusterState, job: Job, nowMs: number, wait: Wait): Iterable<Change> {
  const { hold } = wait;
  const spec = asNew(job.spec);
  const fitsNow = tester(state, spec, nowMs, wait);
  for (const change of looser(spec)) if (fitsNow(change.spec)) yield change;
  yield* lighter(spec, fitsNow);
  yield* smaller(spec, fitsNow);
  if (hold.code === "TENANT_LIMIT" || hold.code === "USER_LIMIT") {
    yield* higherOwnerLimit(state, spec, hold);
  }
  if (hold.code === "WAITING_FOR_QUOTA") yield* higherLimit(state, spec, hold);
  if (hold.code === "KEPT_BY_QUEUE") yield* higherLending(state, spec, hold);
  yield* higherClass(state, spec);
}

const changed = (text: string, spec: JobSpec): Change => ({ text, spec, first: null });

/** The same job, less particular about where it runs. */
function* looser(spec: JobSpec): Iterable<Change> {
  const { topology, gpuTypes } = spec;
  if (topology?.mode === "required") {
    const mode = "preferred" as const;
    yield changed(`With topology mode: ${mode}`, { ...spec, topology: { ...topology, mode } });
  }
  if (spec.spot === "avoid") yield changed("With spot: allow", { ...spec, spot: "allow" });
  if (gpuTypes.length !== 1 && spec.nodesMin > 1 && !spec.mixesGpuTypes) {
    yield changed("With mix_gpu_types: true", { ...spec, mixesGpuTypes: true });
  }
  if (gpuTypes.length > 0) yield changed("With any GPU type", { ...spec, gpuTypes: [] });
}

/** With fewer CPUs or less memory, where that is all that is in the way. */
function* lighter(spec: JobSpec, fitsNow: FitsNow): Iterable<Change> {
  for (const { kind, unit, text } of HOST_RESOURCES) {
    const asked = spec.perNode[kind];
    const given = (n: number): JobSpec => ({
      ...spec,
      perNode: { ...spec.perNode, [kind]: n * unit },
    });
    if (asked === 0 || !fitsNow(given(0))) continue;
    const most = mostBelow(Math.ceil(asked / unit), (n) => fitsNow(given(n)));
    yield changed(text(most), given(most));
  }
}

/** In the units in which people count them. */
const HOST_RESOURCES = [
  { kind: "cpuMilli", unit: 1_000, text: (n: number) => `With cpus: ${n}` },
  { kind: "memoryMib", unit: 1_024, text: (n: number) => `With memory: ${n}GiB` },
] as const;

function* smaller(spec: JobSpec, fitsNow: FitsNow): Iterable<Change> {
  const spread = sameGpusSpread(spec, fitsNow);
  if (spread !== null) {
    yield changed(`With nodes: ${spread.nodes} and gpus: ${spread.perNode.gpus}`, spread);
  }
  const nodes = mostNodes(spec, fitsNow);
  if (nodes > 0) yield changed(`With nodes: ${nodes}`, sizedTo(spec, nodes));
  const gpus = below(spec.perNode.gpus).find((each) => fitsNow(sized(spec, spec.nodesMin, each)));
  if (gpus !== undefined) {
    yield changed(`With gpus: ${gpus} on each node`, sized(spec, spec.nodesMin, gpus));
  }
}

function sameGpusSpread(spec: JobSpec, fitsNow: FitsNow): JobSpec | null {
  const total = spec.nodesMin * spec.perNode.gpus;
  const gpus = below(spec.perNode.gpus).find(
    (each) => total % each === 0 && fitsNow(sized(spec, total / each, each)),
  );
  return gpus === undefined ? null : sized(spec, total / gpus, gpus);
}

/** Whoever fits with n nodes fits with fewer. 0 = not even with one. */
const mostNodes = (spec: JobSpec, fitsNow: FitsNow): number =>
  mostBelow(spec.nodesMin, (nodes) => fitsNow(sizedTo(spec, nodes)));

/** The most under `tooMany` that still does, by halving; 0 = not even 1. */
function mostBelow(tooMany: number, does: (n: number) => boolean): number {
  let most = 0;
  let over = tooMany;
  while (over - most > 1) {
    const n = (most + over) >> 1;
    if (does(n)) most = n;
    else over = n;
  }
  return most;
}

const LIMITS = {
  gpus: "limit",
  cpuMilli: "limitCpuMilli",
  memoryMib: "limitMemoryMib",
} as const satisfies Record<string, keyof QueueSpec>;

type QuotaHold = Extract<Hold, { readonly code: "WAITING_FOR_QUOTA" }>;

function* higherLimit(state: ClusterState, spec: JobSpec, hold: QuotaHold): Iterable<Change> {
  const { resource, allocated, asked } = hold;
  const { spec: before } = queueOf(state, hold.queue);
  const limit = allocated + asked;
  const { borrowingLimit, guarantee } = before;
  const isBorrowed = resource === "gpus" && borrowingLimit !== null;
  const borrowing = isBorrowed
    ? { borrowingLimit: Math.max(borrowingLimit, limit - guarantee) }
    : {};
  const own = before[LIMITS[resource]];
  const limits = own === null ? {} : { [LIMITS[resource]]: Math.max(own, limit) };
  const text = `With a limit of ${amountText(resource, limit)} for ${hold.queue}`;
  yield { text, spec, first: setQueue({ ...before, ...borrowing, ...limits }) };
}

type OwnerHold = Extract<Hold, { readonly code: "TENANT_LIMIT" | "USER_LIMIT" }>;
type LendingHold = Extract<Hold, { readonly code: "KEPT_BY_QUEUE" }>;

function* higherLending(state: ClusterState, spec: JobSpec, hold: LendingHold): Iterable<Change> {
  const { spec: before } = queueOf(state, hold.queue);
  const lendingLimit = Math.min(before.guarantee, hold.lendingLimit + hold.asked);
  const text = `With a lending limit of ${lendingLimit} for ${hold.queue}`;
  yield { text, spec, first: setQueue({ ...before, lendingLimit }) };
}

const setQueue = (queue: QueueSpec): Command => ({
  kind: "queue.apply",
  queues: [queue],
  prune: false,
});

function* higherOwnerLimit(
  { policy }: ClusterState,
  spec: JobSpec,
  { code, owner, what, used, asked }: OwnerHold,
): Iterable<Change> {
  const kind = code === "TENANT_LIMIT" ? "tenants" : "users";
  const { limits } = policy;
  const raised = {
    ...limits,
    [kind]: { ...limits[kind], [owner]: { ...limits[kind][owner], [what]: used + asked } },
  };
  const text = `With limits.${kind}.${owner}.${what} of ${used + asked} in the policy`;
  yield { text, spec, first: { kind: "policy.apply", policy: { ...policy, limits: raised } } };
}

/** The next class above: a class that is not granted to its owner is refused in the proof. */
function* higherClass({ policy }: ClusterState, spec: JobSpec): Iterable<Change> {
  const { priorityClasses } = policy;
  const own = priorityClasses[spec.priorityClass] ?? Number.MIN_SAFE_INTEGER;
  const above = Object.entries(priorityClasses)
    .filter(([, priority]) => priority > own)
    .sort(([a, n], [b, m]) => n - m || compareText(a, b));
  for (const [priorityClass] of above) {
    yield changed(`With priority: ${priorityClass}`, { ...spec, priorityClass });
  }
}

/** n - 1, n - 2, ... 1. */
const below = (n: number): readonly number[] =>
  Array.from({ length: Math.max(0, n - 1) }, (_, at) => n - 1 - at);

const sized = (spec: JobSpec, nodes: number, gpus: number): JobSpec => ({
  ...sizedTo(spec, nodes),
  perNode: { ...spec.perNode, gpus },
});

/** What its owner may still take. */
function gpusLeft(hold: Hold): number {
  if (hold.code !== "TENANT_LIMIT" && hold.code !== "USER_LIMIT") return Number.POSITIVE_INFINITY;
  return hold.what === "gpus" ? hold.limit - hold.used : 0;
}

/**
 * On what is free, reserved for nobody and, as far as the last pass knew, claimed by nobody, within
 * every limit: a first look, so that few changes have to be proven.
 */
function tester(state: ClusterState, { queue }: JobSpec, nowMs: number, wait: Wait): FitsNow {
  const gpusMax = gpusLeft(wait.hold);
  const leaf = new QueueTree(state, nowMs).queue(queue);
  const pool = poolOf(state.nodes);
  for (const { jobId, placement } of state.reservations.values()) {
    for (const task of placement) pool.take(task, jobOf(state, jobId).spec.perNode);
  }
  return (spec) => {
    const shape = shapeOf(spec);
    if (shape.gpus > gpusMax || limitReached(leaf, shape) !== null) return false;
    return fitGang(pool, shape) !== null && wait.isRoomFor(shape);
  };
}
