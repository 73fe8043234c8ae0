// QueueService: the tree of who is entitled to what. Whether a tree makes sense is the core's to
// say.

import { queuePath } from "../base/ids.ts";
import { decodeList, decodeOneOf, decodeText, decodeWhole } from "../rpc/decode.ts";
import type { QueueServiceHandlers } from "../rpc/gen/trainyard/v1/QueueService.ts";
import type { QueueSpec__Output } from "../rpc/gen/trainyard/v1/QueueSpec.ts";
import { unary } from "../rpc/handlers.ts";
import { isRefusal } from "../rpc/status.ts";
import { completeQueueSpec } from "./core/queue-spec.ts";
import { QUEUE_ORDERS, type QueueSpec } from "./core/state.ts";
import { rehearse } from "./core/rehearse.ts";
import { envelopeOf } from "./service-decode.ts";
import type { Brain } from "./service-ports.ts";
import { outlookView } from "./views-outlook.ts";
import { queueViews } from "./views-queue.ts";

const QUEUES_MAX = 10_000;
const GPUS = { min: 0, max: 1_000_000 };
/** The core knows the closer range of each. */
const AMOUNT = { min: 0, max: 1_000_000_000_000 };

export function createQueueService(brain: Brain): QueueServiceHandlers {
  return {
    ApplyQueues: unary(async (request, context) => {
      const queues = decodeList(request.queues, "queues", QUEUES_MAX).map(decodeQueueSpec);
      const command = { kind: "queue.apply", queues, prune: request.prune } as const;
      const reply = await brain.execute(envelopeOf(command, request, context));
      return reply.kind === "refusal" ? reply : {};
    }),
    PreviewQueues: unary(async (request, { caller }) => {
      const queues = decodeList(request.queues, "queues", QUEUES_MAX).map(decodeQueueSpec);
      const command = { kind: "queue.apply", queues, prune: request.prune } as const;
      const state = brain.state();
      const outlook = rehearse(state, { command, actor: caller }, brain.nowMs());
      return isRefusal(outlook) ? outlook : { outlook: outlookView(state, outlook) };
    }),
    DeleteQueue: unary(async (request, context) => {
      const path = queuePath(decodeText(request.path, "path", 1_024));
      const reply = await brain.execute(
        envelopeOf({ kind: "queue.delete", path }, request, context),
      );
      return reply.kind === "refusal" ? reply : {};
    }),
    ListQueues: unary(async () => {
      return { queues: queueViews(brain.state(), brain.nowMs()) };
    }),
  };
}

function decodeQueueSpec(message: QueueSpec__Output, at: number): QueueSpec {
  const field = `queues[${at}]`;
  const { limit, weight } = message;
  const optional = (value: number | undefined, name: string): number | null =>
    value === undefined ? null : decodeWhole(value, `${field}.${name}`, AMOUNT);
  return completeQueueSpec({
    path: queuePath(decodeText(message.path, `${field}.path`, 1_024)),
    guarantee: decodeWhole(message.guarantee, `${field}.guarantee`, GPUS),
    guaranteeCpuMilli: optional(message.guaranteeCpuMilli, "guarantee_cpu_milli"),
    guaranteeMemoryMib: optional(message.guaranteeMemoryMib, "guarantee_memory_mib"),
    limitCpuMilli: optional(message.limitCpuMilli, "limit_cpu_milli"),
    limitMemoryMib: optional(message.limitMemoryMib, "limit_memory_mib"),
    borrowingLimit: optional(message.borrowingLimit, "borrowing_limit"),
    lendingLimit: optional(message.lendingLimit, "lending_limit"),
    usageHalfLifeMs: optional(message.usageHalfLifeMs, "usage_half_life_ms"),
    limit: limit === undefined ? null : decodeWhole(limit, `${field}.limit`, GPUS),
    weight: weight === undefined ? 1 : decodeWhole(weight, `${field}.weight`, GPUS),
    order: decodeOneOf(message.order || "las", `${field}.order`, QUEUE_ORDERS),
  });
}
