// Checks a plan against the state from first principles, with code of its own: it shares no helper
// with the planner, so that a mistake there can't hide here. Runs before every commit.

import { must } from "../../base/assert.ts";
import { type JobId, type NodeId, type QueuePath, queuePath } from "../../base/ids.ts";
import type { Job, TaskPlacement } from "./job.ts";
import type { Eviction, Plan, Start } from "./plan-types.ts";
import type { ClusterState, Gpu, Node, Policy } from "./state.ts";
import { isSpotNode, type Labels, TOPOLOGY_LABELS } from "./topology.ts";

/**
 * What is wrong with the plan, one sentence each; empty = proven. What it proves: nothing is given
 * twice, gangs are whole and on schedulable nodes of the right type, limits hold, what is reserved
 * is nobody else's and comes free by itself or by this plan, nobody is asked to leave without a
 * drain or a preemptor whose placement is reserved, an elastic job that is made smaller keeps some
 * of its own nodes, enough to go on, and one that grows takes from nobody, and whoever is pending
 * is started or told why not: checked for those whom the plan touches, counted for the others.
 */
export function verifyPlan(state: ClusterState, plan: Plan, policy: Policy): readonly string[] {
  const proof = new Proof(state, plan, policy);
  proof.checkDrops();
  proof.checkEvictions();
  proof.checkReservations();
  proof.checkStarts();
  proof.checkLimits();
  proof.checkOwners();
  proof.checkHolds();
  return proof.faults;
}

class Proof {
  readonly faults: string[] = [];
  readonly #state: ClusterState;
  readonly #plan: Plan;
  readonly #policy: Policy;
  readonly #dropped: ReadonlySet<JobId>;
  readonly #evicted: ReadonlySet<JobId>;
  /** They go on with another size. */
  readonly #resized: ReadonlySet<JobId>;
  readonly #typeMatches = new Map<string, boolean>();
  readonly #reserved: ReadonlyMap<JobId, readonly JobId[]>;
  readonly #started: ReadonlySet<JobId>;
  /** `node/gpu` to who starts on it or keeps it. */
  readonly #promised = new Map<string, JobId>();

  constructor(state: ClusterState, plan: Plan, policy: Policy) {
    this.#state = state;
    this.#plan = plan;
    this.#policy = policy;
    this.#dropped = new Set(plan.drops.map(({ jobId }) => jobId));
    this.#evicted = new Set(plan.evictions.map(({ victim }) => victim));
    const resizes = plan.evictions.filter(({ how }) => how === "shrink" || how === "grow");
    this.#resized = new Set(resizes.map(({ victim }) => victim));
    this.#started = new Set(plan.starts.map(({ jobId }) => jobId));
    this.#reserved = new Map(plan.reservations.map(({ jobId, victims }) => [jobId, victims]));
    for (const { jobId, placement } of this.#standing()) this.#promise(jobId, placement);
  }

  checkDrops(): void {
    for (const { jobId } of this.#plan.drops) {
      this.#expect(this.#state.reservations.has(jobId), `${jobId} has no reservation to drop`);
    }
  }

  checkEvictions(): void {
    const { evictions } = this.#plan;
    this.#expect(this.#evicted.size === evictions.length, "a victim is evicted twice");
    for (const eviction of evictions) {
      const { victim, how, preemptor } = eviction;
      const job = this.#state.jobs.get(victim);
      this.#expect(this.#state.active.has(victim), `victim ${victim} holds nothing`);
      this.#expect(job?.phase.kind !== "stopping", `victim ${victim} is being stopped already`);
      if (how === "drain") {
        this.#expect(this.#isOnDraining(victim), `${victim} has no task on a draining node`);
        continue;
      }
      this.#checkResize(eviction);
      if (how === "grow") continue;
      if (how === "shrink" && preemptor === null) {
        this.#expect(
          this.#isOnDraining(victim),
          `${victim} shrinks for nobody, on no draining node`,
        );
        continue;
      }
      this.#expect(this.#policy.isPreemptionEnabled, `preemption is off, yet ${victim} is evicted`);
      const isServed =
        preemptor !== null &&
        (this.#started.has(preemptor) ||
          (this.#reserved.get(preemptor)?.includes(victim) ?? false));
      this.#expect(
        isServed,
        `${victim} is evicted for ${preemptor}, who has no reservation that names it`,
      );
    }
  }

  /** What it goes on with is reserved for it: a part of what it has, or more nodes than it has. */
  #checkResize({ victim, how, preemptor, next }: Eviction): void {
    const isResize = how === "shrink" || how === "grow";
    this.#expect(isResize === next.length > 0, `${victim} is to ${how} to ${next.length} nodes`);
    if (!isResize) return;
    const phase = this.#state.jobs.get(victim)?.phase;
    const had = phase !== undefined && "attempt" in phase ? phase.attempt.placement : [];
    const reserved = this.#plan.reservations.find(({ jobId }) => jobId === victim)?.placement;
    const isKept = JSON.stringify(reserved) === JSON.stringify(next);
    this.#expect(isKept, `${victim} changes its size and nothing is reserved for it`);
    if (how === "grow") {
      this.#expect(next.length > had.length && preemptor === null, `${victim} does not grow`);
      return;
    }
    const own = new Set(had.map((task) => JSON.stringify(task)));
    const isPart = next.length < had.length && next.every((task) => own.has(JSON.stringify(task)));
    this.#expect(isPart, `${victim} shrinks to more than a part of what it has`);
  }

  checkReservations(): void {
    for (const { jobId, placement, victims } of this.#plan.reservations) {
      const job = this.#resized.has(jobId)
        ? (this.#state.jobs.get(jobId) ?? null)
        : this.#pending(jobId);
      if (job === null) continue;
      this.#expect(!this.#hasStanding(jobId), `${jobId} has a reservation already`);
      this.#checkPlacement(job, placement);
      this.#promise(jobId, placement);
      for (const victim of victims) {
        this.#expect(this.#willLeave(victim), `${victim}, whom ${jobId} waits for, is not leaving`);
      }
    }
    const later = this.#plan.reservations.map(({ jobId, placement }) => ({ jobId, placement }));
    this.#checkRoom([...this.#standing(), ...later, ...this.#plan.starts], "later");
  }

  checkStarts(): void {
    const started = new Set<JobId>();
    for (const { jobId, placement, resumeFrom } of this.#plan.starts) {
      const job = this.#pending(jobId);
      if (job === null) continue;
      this.#expect(!started.has(jobId), `${jobId} is started twice`);
      started.add(jobId);
      this.#checkPlacement(job, placement);
      this.#expect(resumeFrom === newestCommitted(job), `${jobId} resumes from ${resumeFrom}`);
      if (!this.#hasStanding(jobId)) this.#promise(jobId, placement);
      else
        this.#expect(this.#isAsReserved(jobId, placement), `${jobId} starts beside what it kept`);
    }
    this.#checkRoom(this.#plan.starts, "now");
  }

  /** A queue may be over its limit, when the limit was lowered; nothing may then start in it. */
  checkLimits(): void {
    const more = new Map<QueuePath, readonly number[]>();
    for (const start of this.#plan.starts) this.#addTo(more, start);
    for (const [path, queue] of this.#state.queues) {
      const added = more.get(path);
      if (added === undefined) continue;
      const { guarantee, borrowingLimit, limit, limitCpuMilli, limitMemoryMib } = queue.spec;
      const borrowed = guarantee + (borrowingLimit ?? Number.POSITIVE_INFINITY);
      const most = [Math.min(limit ?? borrowed, borrowed), limitCpuMilli, limitMemoryMib];
      const { gpus, cpuMilli, memoryMib } = queue.allocated;
      [gpus, cpuMilli, memoryMib].forEach((held, at) => {
        const [more, max] = [added[at] ?? 0, most[at] ?? Number.POSITIVE_INFINITY];
        const what = ["GPUs", "thousandths of a CPU", "MiB"][at];
        const text = `${path} holds ${held} ${what}, gets ${more} and may have ${max}`;
        this.#expect(more === 0 || held + more <= max, text);
      });
    }
    this.#checkLending(more);
  }

  /** Nothing starts for a tenant or user who would then have more than the policy allows. */
  checkOwners(): void {
    const { tenants, users } = this.#policy.limits;
    if (Object.keys(tenants).length + Object.keys(users).length === 0) return;
    const started = this.#plan.starts.flatMap(({ jobId }) => this.#state.jobs.get(jobId) ?? []);
    const held = new Map<JobId, number>();
    const given = new Map(
      this.#plan.starts.map(({ jobId, placement }) => [
        jobId,
        placement.reduce((sum, { gpus }) => sum + gpus.length, 0),
      ]),
    );
    for (const { allocations } of this.#state.nodes.values()) {
      for (const { jobId, gpus } of allocations) {
        held.set(jobId, (held.get(jobId) ?? 0) + gpus.length);
      }
    }
    const running = [...this.#state.active.values()];
    for (const [entries, nameOf] of [
      [tenants, ({ owner }: Job) => owner.tenant],
      [users, ({ owner }: Job) => `${owner.user}@${owner.tenant}`],
    ] as const) {
      for (const name of new Set(started.map(nameOf))) {
        const own = started.filter((job) => nameOf(job) === name);
        const before = running.filter((job) => nameOf(job) === name);
        const limit = { ...entries["default"], ...(Object.hasOwn(entries, name) && entries[name]) };
        const jobs = before.length + own.length;
        const more = own.reduce((sum, { id }) => sum + (given.get(id) ?? 0), 0);
        const gpus = before.reduce((sum, { id }) => sum + (held.get(id) ?? 0), more);
        const isMany = jobs > (limit.running ?? jobs);
        this.#expect(!isMany, `${name} gets ${jobs} jobs under way and may have ${limit.running}`);
        const isMuch = more > 0 && gpus > (limit.gpus ?? gpus);
        this.#expect(!isMuch, `${name} gets ${gpus} GPUs and may hold ${limit.gpus}`);
      }
    }
  }

  /**
   * What a queue does not lend stays there: with what each keeps counted as used, whatever grew
   * by these starts fits into the cluster. (What it keeps is its guarantee less what it lends.)
   */
  #checkLending(more: ReadonlyMap<QueuePath, readonly number[]>): void {
    if (more.size === 0 || !this.#hasLendingLimit()) return;
    const grown = this.#takenAtTop((path) => more.get(path)?.[0] ?? 0);
    const before = this.#takenAtTop(() => 0);
    const nodes = [...this.#state.nodes.values()].filter(({ health }) => health === "up");
    const there = nodes.reduce((sum, { spec }) => sum + spec.gpus.length, 0);
    const text = `${grown} GPUs are used or kept by queues that do not lend, and there are ${there}`;
    this.#expect(grown === before || grown <= there, text);
  }

  #hasLendingLimit(): boolean {
    return [...this.#state.queues.values()].some(({ spec }) => spec.lendingLimit !== null);
  }

  #takenAtTop(moreOf: (path: QueuePath) => number): number {
    const paths = [...this.#state.queues.keys()];
    const takenOf = (path: QueuePath): number => {
      const { spec, allocated } = must(this.#state.queues.get(path), path);
      const depth = path.split("/").length + 1;
      const below = paths.filter(
        (other) => other.startsWith(`${path}/`) && other.split("/").length === depth,
      );
      const used =
        below.length === 0
          ? allocated.gpus + moreOf(path)
          : below.reduce((sum, child) => sum + takenOf(child), 0);
      return Math.max(used, spec.guarantee - (spec.lendingLimit ?? spec.guarantee));
    };
    return paths.filter((path) => !path.includes("/")).reduce((sum, top) => sum + takenOf(top), 0);
  }

  checkHolds(): void {
    const { starts, reservations, holds } = this.#plan;
    for (const { jobId } of starts) {
      this.#expect(holds.of(jobId) === null, `${jobId} starts and is told why not`);
    }
    const started = this.#started;
    for (const { jobId } of reservations) {
      if (this.#resized.has(jobId)) continue;
      const isToldSo = started.has(jobId) || holds.of(jobId)?.code === "WAITING_FOR_PREEMPTED";
      this.#expect(isToldSo, `${jobId} has a reservation and is told something else`);
    }
    const { size, withheldCount } = this.#state.pending;
    const pending = size - withheldCount;
    const text = `${pending} are pending: ${started.size} start, ${holds.size} are told why not`;
    this.#expect(started.size + holds.size === pending, text);
  }

  #expect(isTrue: boolean, fault: string): void {
    if (!isTrue) this.faults.push(fault);
  }

  #pending(id: JobId): Job | null {
    const job = this.#state.jobs.get(id) ?? null;
    this.#expect(job?.phase.kind === "pending", `${id} is not pending`);
    return job;
  }

  #standing(): readonly { readonly jobId: JobId; readonly placement: readonly TaskPlacement[] }[] {
    const all = [...this.#state.reservations.values()];
    return all.filter(({ jobId }) => this.#hasStanding(jobId));
  }

  #hasStanding(id: JobId): boolean {
    return this.#state.reservations.has(id) && !this.#dropped.has(id);
  }

  #isAsReserved(id: JobId, placement: readonly TaskPlacement[]): boolean {
    const reserved = this.#state.reservations.get(id)?.placement;
    return JSON.stringify(reserved) === JSON.stringify(placement);
  }

  #willLeave(id: JobId): boolean {
    return this.#evicted.has(id) || this.#state.jobs.get(id)?.phase.kind === "stopping";
  }

  #isOnDraining(id: JobId): boolean {
    const nodes = [...this.#state.nodes.values()];
    return nodes.some(
      ({ schedulability, allocations }) =>
        schedulability === "draining" && allocations.some(({ jobId }) => jobId === id),
    );
  }

  #promise(jobId: JobId, placement: readonly TaskPlacement[]): void {
    for (const { nodeId, gpus } of placement) {
      for (const gpu of gpus) {
        const key = `${nodeId}/${gpu}`;
        const other = this.#promised.get(key);
        this.#expect(other === undefined, `${key} is promised to ${other} and to ${jobId}`);
        this.#promised.set(key, jobId);
      }
    }
  }

  /** The gang is whole, on distinct schedulable nodes, with GPUs that exist and match. */
  #checkPlacement(job: Job, placement: readonly TaskPlacement[]): void {
    const { spec } = job;
    const names = new Set(placement.map(({ nodeId }) => nodeId));
    const { nodesMin, nodes } = spec;
    const isWhole = placement.length >= nodesMin && placement.length <= nodes;
    const asked = nodesMin === nodes ? `${nodes}` : `${nodesMin} to ${nodes}`;
    this.#expect(
      isWhole && names.size === placement.length,
      `${job.id} asks for ${asked} nodes and gets ${[...names].join(", ")}`,
    );
    for (const { nodeId, gpus } of placement) {
      const node = this.#state.nodes.get(nodeId);
      const isOpen = node?.schedulability === "open" && node.conditions.length === 0;
      const isUsable = node?.health === "up" && isOpen;
      this.#expect(isUsable, `${job.id} is given ${nodeId}, which is not schedulable`);
      const isCount = gpus.length === spec.perNode.gpus && new Set(gpus).size === gpus.length;
      this.#expect(isCount, `${job.id} gets GPUs ${gpus.join(", ")} of ${nodeId}`);
      const isSorted = gpus.every((gpu, at) => at === 0 || gpu > (gpus[at - 1] ?? 0));
      this.#expect(isSorted, `${job.id}: GPUs of ${nodeId} are not ascending`);
      for (const gpu of gpus) this.#checkGpu(job, node, gpu);
      const isBarred = spec.spot === "avoid" && node !== undefined && isSpot(node);
      this.#expect(!isBarred, `${job.id} avoids spot nodes and is given ${nodeId}`);
    }
    this.#checkTypes(job, placement);
    this.#checkTopology(job, placement);
  }

  /** One type for each task, and for the gang unless it says otherwise. */
  #checkTypes({ id, spec }: Job, placement: readonly TaskPlacement[]): void {
    const byTask = placement.map((task) => new Set(this.#gpusOf(task).map(({ type }) => type)));
    const groups = spec.mixesGpuTypes ? byTask : [new Set(byTask.flatMap((types) => [...types]))];
    for (const types of groups) {
      this.#expect(types.size <= 1, `${id} is given GPUs of ${[...types].join(" and ")} together`);
    }
  }

  #checkTopology({ id, spec }: Job, placement: readonly TaskPlacement[]): void {
    if (spec.topology?.mode !== "required") return;
    const { level } = spec.topology;
    if (level === "island") {
      for (const task of placement) {
        if (task.gpus.length < 2) continue;
        const islands = new Set(this.#gpusOf(task).map(({ island }) => island));
        const isOne = islands.size === 1 && !islands.has("");
        this.#expect(isOne, `${id} is given GPUs of several islands of ${task.nodeId}`);
      }
      return;
    }
    if (placement.length < 2) return;
    const labels = placement.map(({ nodeId }) => this.#state.nodes.get(nodeId)?.spec.labels ?? {});
    const places = new Set(
      labels
        .map((one) => {
          const block = firstOf(one, TOPOLOGY_LABELS.block);
          return level === "rack" ? [block, firstOf(one, TOPOLOGY_LABELS.rack)] : [block];
        })
        .map((path) => (path.at(-1) === "" ? "nowhere" : path.join(" / "))),
    );
    const isOne = level !== "node" && places.size === 1 && !places.has("nowhere");
    this.#expect(isOne, `${id} must stay in one ${level} and is given ${[...places].join(", ")}`);
  }

  #gpusOf({ nodeId, gpus }: TaskPlacement): readonly Gpu[] {
    const all = this.#state.nodes.get(nodeId)?.spec.gpus ?? [];
    return all.filter(({ index }) => gpus.includes(index));
  }

  #checkGpu(job: Job, node: Node | undefined, index: number): void {
    const gpu = node?.spec.gpus.find((candidate) => candidate.index === index);
    this.#expect(gpu !== undefined, `${job.id} is given GPU ${index}, which is not there`);
    const type = gpu?.type ?? "";
    const asked = job.spec.gpuTypes;
    const isMatch = (asked.length === 0 ? [""] : asked).some((one) => this.#isOfType(type, one));
    this.#expect(isMatch, `${job.id} asks for ${asked.join(" or ")} and is given ${type}`);
  }

  /** Thousands of GPUs ask, and few pairs of texts are different. */
  #isOfType(type: string, asked: string): boolean {
    const pair = `${asked}\n${type}`;
    let isMatch = this.#typeMatches.get(pair);
    if (isMatch === undefined) this.#typeMatches.set(pair, (isMatch = isOfType(type, asked)));
    return isMatch;
  }

  /**
   * No GPU, core or MiB of a node is used beyond what there is: `now` with all that is held,
   * `later` without those who leave.
   */
  #checkRoom(
    gangs: readonly { readonly jobId: JobId; readonly placement: readonly TaskPlacement[] }[],
    when: "now" | "later",
  ): void {
    const tasks = new Map<NodeId, { readonly job: Job; readonly gpus: readonly number[] }[]>();
    const seen = new Set<JobId>();
    for (const { jobId, placement } of gangs) {
      const job = this.#state.jobs.get(jobId);
      if (job === undefined || seen.has(jobId)) continue;
      seen.add(jobId);
      for (const { nodeId, gpus } of placement) {
        const there = tasks.get(nodeId);
        if (there === undefined) tasks.set(nodeId, [{ job, gpus }]);
        else there.push({ job, gpus });
      }
    }
    for (const [nodeId, arriving] of tasks) {
      const node = this.#state.nodes.get(nodeId);
      if (node !== undefined) this.#checkNode(node, arriving, when);
    }
  }

  #checkNode(
    node: Node,
    arriving: readonly { readonly job: Job; readonly gpus: readonly number[] }[],
    when: "now" | "later",
  ): void {
    const staying = node.allocations.filter(
      ({ jobId }) => when === "now" || !this.#willLeave(jobId),
    );
    const held = new Set(staying.flatMap(({ gpus }) => gpus));
    let cpuMilli = staying.reduce((sum, { resources }) => sum + resources.cpuMilli, 0);
    let memoryMib = staying.reduce((sum, { resources }) => sum + resources.memoryMib, 0);
    for (const { job, gpus } of arriving) {
      const { perNode } = job.spec;
      cpuMilli += perNode.cpuMilli;
      memoryMib += perNode.memoryMib;
      const { id, cpuMilli: cpuMax, memoryMib: memoryMax } = node.spec;
      const isCpu = perNode.cpuMilli === 0 || cpuMax === 0 || cpuMilli <= cpuMax;
      this.#expect(isCpu, `${job.id} overcommits the CPUs of ${id} ${when}`);
      const isMemory = perNode.memoryMib === 0 || memoryMax === 0 || memoryMib <= memoryMax;
      this.#expect(isMemory, `${job.id} overcommits the memory of ${id} ${when}`);
      const taken = gpus.filter((gpu) => held.has(gpu));
      this.#expect(taken.length === 0, `${job.id} is given ${id}/${taken.join()}, held ${when}`);
    }
  }

  #addTo(more: Map<QueuePath, readonly number[]>, { jobId, placement }: Start): void {
    const spec = this.#state.jobs.get(jobId)?.spec;
    if (spec === undefined) return;
    const names = spec.queue.split("/");
    for (let depth = 1; depth <= names.length; depth += 1) {
      const path = queuePath(names.slice(0, depth).join("/"));
      const [gpus = 0, cpuMilli = 0, memoryMib = 0] = more.get(path) ?? [];
      more.set(path, [
        gpus + placement.length * spec.perNode.gpus,
        cpuMilli + placement.length * spec.perNode.cpuMilli,
        memoryMib + placement.length * spec.perNode.memoryMib,
      ]);
    }
  }
}

/** Lower case, each word between blanks. */
const spaced = (text: string): string =>
  ` ${text
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, " ")
    .trim()} `;

const firstOf = (labels: Labels, names: readonly string[]): string =>
  names.map((name) => labels[name] ?? "").find((value) => value !== "") ?? "";

const isSpot = ({ spec }: Node): boolean => isSpotNode(spec.labels);

function isOfType(type: string, asked: string): boolean {
  if (asked === "" && !/mig/i.test(type)) return true;
  if (/ mig /.test(spaced(type)) && !/ mig /.test(spaced(asked))) return false;
  const words = spaced(asked).split(" ");
  return words.every((word) => word === "" || spaced(type).includes(` ${word} `));
}

function newestCommitted(job: Job): string | null {
  const committed = job.checkpoints.filter(({ state }) => state === "committed");
  const newest = Math.max(...committed.map(({ step }) => step));
  return committed.findLast(({ step }) => step === newest)?.id ?? null;
}
