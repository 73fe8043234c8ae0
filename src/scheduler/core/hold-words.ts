// Why a job waits, in one sentence with the numbers. The reasons are hold.ts's.

import { unreachable } from "../../base/assert.ts";
import { amountText, type Hold } from "./hold.ts";
import { and, clock, count, named, sentence, times } from "./wording.ts";

type HoldOf<Code extends Hold["code"]> = Extract<Hold, { readonly code: Code }>;

/** One sentence with the numbers. */
export function holdMessage(hold: Hold): string {
  switch (hold.code) {
    case "EVALUATING":
      return "It has not been looked at yet.";
    case "HELD_BY_USER":
      return sentence(`it is held by ${hold.by} since ${clock(hold.atMs)}`, hold.why);
    case "WAITING_FOR_JOB":
      return waitingMessage(hold);
    case "BEGIN_TIME":
      return `It was asked not to begin before ${clock(hold.untilMs)}.`;
    case "ARRAY_PARALLEL":
      return (
        `Array ${hold.array} may have ${count(hold.parallel, "job")} under way at once, and has ` +
        `${hold.underWay}.`
      );
    case "BACKOFF":
      return backoffMessage(hold);
    case "EXCEEDS_CLUSTER":
      return exceedsMessage(hold);
    case "TOPOLOGY":
      return topologyMessage(hold);
    case "NO_MATCHING_GPU":
      return (
        `No schedulable node has a GPU of type ${hold.gpuTypes.join(" or ")}; there ` +
        (hold.typesPresent.length === 0
          ? "is none at all."
          : `are ${hold.typesPresent.join(", ")}.`)
      );
    case "EXCEEDS_QUEUE_LIMIT":
      return (
        `It asks for ${amountText(hold.resource, hold.asked)}; queue ${hold.queue} may never ` +
        `use more than ${amountText(hold.resource, hold.limit)}.`
      );
    case "WAITING_FOR_QUOTA":
      return (
        `It asks for ${amountText(hold.resource, hold.asked)}; queue ${hold.queue} uses ` +
        `${amountText(hold.resource, hold.allocated)} and may use ` +
        `${amountText(hold.resource, hold.limit)}.`
      );
    case "TENANT_LIMIT":
    case "USER_LIMIT":
      return ownerLimitMessage(hold);
    case "KEPT_BY_QUEUE":
      return (
        `It asks for ${count(hold.asked, "GPU")}; of the ${hold.guarantee} that ${hold.queue} is ` +
        `guaranteed, no more than ${hold.lendingLimit} are lent to others.`
      );
    case "WAITING_FOR_GPUS":
      return `It asks for ${count(hold.asked, "GPU")}${ofTypes(hold)} and ${hold.free} are free.`;
    case "FRAGMENTED":
      return fragmentedMessage(hold);
    case "RESERVED_FOR_OTHER":
      return (
        `It asks for ${count(hold.asked, "GPU")}; ${hold.free} are free, but the room is kept ` +
        `for ${hold.holder}, which has waited longer or has a better right to it` +
        `${untilText(hold.untilMs)}.`
      );
    case "WAITING_FOR_PREEMPTED":
      return preemptedMessage(hold);
    case "WAITING_FOR_END":
      return endMessage(hold);
    default:
      return unreachable(hold);
  }
}

const untilText = (atMs: number | null): string =>
  atMs === null ? "" : `, until about ${clock(atMs)}`;

/** The numbers of a hold, by name. */
export function holdDetails(hold: Hold): Readonly<Record<string, string>> {
  const details: Record<string, string> = {};
  for (const [name, value] of Object.entries(hold)) {
    if (name !== "code") details[name] = Array.isArray(value) ? value.join(", ") : String(value);
  }
  return details;
}

type OwnerLimitHold = HoldOf<"TENANT_LIMIT" | "USER_LIMIT">;

function ownerLimitMessage({ code, owner, what, asked, used, limit }: OwnerLimitHold): string {
  const who = `${code === "TENANT_LIMIT" ? "tenant" : "user"} ${owner}`;
  if (what === "gpus") {
    return (
      `It asks for ${count(asked, "GPU")}; ${who} holds ${used} in all queues together and may ` +
      `hold ${limit}.`
    );
  }
  return sentence(`${who} has ${count(used, "job")} under way and may have ${limit} at once`);
}

const CONDITIONS = { ok: "succeed", failed: "fail", any: "end" } as const;

function waitingMessage(hold: HoldOf<"WAITING_FOR_JOB">): string {
  const is = hold.phase === null ? "is not over" : `is ${hold.phase}`;
  const others = hold.others === 0 ? "" : `, and for ${count(hold.others, "other job")}`;
  return `It waits for ${hold.job} to ${CONDITIONS[hold.on]}, which ${is}${others}.`;
}

function backoffMessage(hold: HoldOf<"BACKOFF">): string {
  const until = clock(hold.untilMs);
  switch (hold.cause) {
    case "preempted":
      return `It waits until ${until} for its last checkpoint to be committed.`;
    case "node_failed":
      return `Node after node failed it, so it is not tried again before ${until}.`;
    default:
      return `It failed ${times(hold.failures)} and is not tried again before ${until}.`;
  }
}

function fragmentedMessage(hold: HoldOf<"FRAGMENTED">): string {
  const { nodesAsked, free, nodesFit } = hold;
  const each = `${and(askedOfNode(hold))} free`;
  const wish =
    nodesAsked === 1 ? `${each} on one node` : `${nodesAsked} nodes with ${each} on each`;
  const able = nodesFit === 0 ? "no node has them" : `only ${count(nodesFit, "node")} can serve it`;
  return `It needs ${wish}. ${count(free, "GPU")}${ofTypes(hold)} are free in all, but ${able}.`;
}

const ofTypes = ({ gpuTypes }: { readonly gpuTypes: readonly string[] }): string =>
  gpuTypes.length === 0 ? "" : ` of type ${gpuTypes.join(" or ")}`;

interface AskedOfNode {
  readonly gpusPerNode: number;
  readonly cpuMilliPerNode: number;
  readonly memoryMibPerNode: number;
}

/** `8 GPUs`, `4 CPUs`: what a job asks for, and nothing else. */
function askedOfNode({ gpusPerNode, cpuMilliPerNode, memoryMibPerNode }: AskedOfNode) {
  return [
    ...(gpusPerNode > 0 ? [amountText("gpus", gpusPerNode)] : []),
    ...(cpuMilliPerNode > 0 ? [amountText("cpuMilli", cpuMilliPerNode)] : []),
    ...(memoryMibPerNode > 0 ? [amountText("memoryMib", memoryMibPerNode)] : []),
  ];
}

function exceedsMessage(hold: HoldOf<"EXCEEDS_CLUSTER">): string {
  const { nodesAsked, nodesFit, nodesMixed, nodesSpot } = hold;
  const each = nodesAsked === 1 ? "" : " each";
  const are = nodesMixed === 1 ? "is" : "are";
  const mixed = nodesMixed > nodesFit ? `; ${nodesMixed} ${are}, of several GPU types` : "";
  const spot = nodesSpot === 0 ? "" : `; it avoids ${count(nodesSpot, "spot node")}`;
  const largest = askedOfNode({
    gpusPerNode: hold.gpusPerNode === 0 ? 0 : hold.gpusLargest,
    cpuMilliPerNode: hold.cpuMilliPerNode === 0 ? 0 : hold.cpuMilliLargest,
    memoryMibPerNode: hold.memoryMibPerNode === 0 ? 0 : hold.memoryMibLargest,
  });
  const most = largest.length === 0 ? "" : ` (at most ${and(largest)} on one)`;
  return (
    `It asks for ${count(nodesAsked, "node")} with ${and(askedOfNode(hold))}${each}${ofTypes(hold)}, ` +
    `and ${howManyFit(nodesFit)} that large${most}${mixed}${spot}.`
  );
}

const howManyFit = (nodes: number): string => {
  if (nodes === 0) return "no node of the cluster is";
  return nodes === 1 ? "only one of the cluster is" : `only ${nodes} of the cluster are`;
};

function topologyMessage(hold: HoldOf<"TOPOLOGY">): string {
  const { level, scope, nodesAsked, gpusPerNode, domain, nodesFit, domains } = hold;
  const each = count(gpusPerNode, "GPU");
  const now = scope === "now" ? " now" : "";
  if (level === "island") {
    return (
      `It needs ${each} of one NVLink island on ${count(nodesAsked, "node")}, and ` +
      `${nodesFit === 0 ? "none has" : `only ${count(nodesFit, "node")} can give`} them${now}.`
    );
  }
  const wish = `It needs ${count(nodesAsked, "node")} with ${each} each in one ${level}`;
  if (domains === 0) return `${wish}, and no node says which ${level} it is in.`;
  const room = scope === "now" ? "has room now" : "is large enough";
  return (
    `${wish}, and none of ${count(domains, level)} ${room}: ${domain} comes closest with ` +
    `${count(nodesFit, "node")}.`
  );
}

function preemptedMessage(hold: HoldOf<"WAITING_FOR_PREEMPTED">): string {
  if (hold.victims.length === 0) return "Its room is reserved and comes free now.";
  const who = named(hold.victims);
  const verb = hold.victims.length === 1 ? "saves and leaves" : "save and leave";
  return `Its room is reserved: ${who} ${verb}, by ${clock(hold.deadlineMs)} at the latest.`;
}

function endMessage({ jobs, untilMs }: HoldOf<"WAITING_FOR_END">): string {
  const [who, self] = [named(jobs), jobs.length === 1 ? "itself" : "themselves"];
  return (
    `Its room is kept while ${who} should end by ${self}, by ${clock(untilMs)}: ` +
    "less than a restart would cost."
  );
}
