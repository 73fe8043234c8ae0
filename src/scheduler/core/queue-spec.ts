// What a queue's spec amounts to: fields that were left out, quotas by resource, which half-life.

import type { ResourceKind } from "../../base/resources.ts";
import type { Policy, QueueSpec } from "./state.ts";
import { duration, memoryText } from "./wording.ts";

/** By resource; null = nothing is said. */
export type Quota = Readonly<Record<ResourceKind, number | null>>;

/** A spec as logs of older releases, and people in a hurry, have it. */
export type GivenQueueSpec = Pick<QueueSpec, "path"> & Partial<QueueSpec>;

/** The only place where fields that came later get their meaning in older logs. */
export function completeQueueSpec(given: GivenQueueSpec): QueueSpec {
  return {
    path: given.path,
    guarantee: given.guarantee ?? 0,
    guaranteeCpuMilli: given.guaranteeCpuMilli ?? null,
    guaranteeMemoryMib: given.guaranteeMemoryMib ?? null,
    limit: given.limit ?? null,
    limitCpuMilli: given.limitCpuMilli ?? null,
    limitMemoryMib: given.limitMemoryMib ?? null,
    borrowingLimit: given.borrowingLimit ?? null,
    lendingLimit: given.lendingLimit ?? null,
    weight: given.weight ?? 1,
    order: given.order ?? "fifo",
    usageHalfLifeMs: given.usageHalfLifeMs ?? null,
  };
}

/** All that can be set, in the order in which people read it. */
export const QUEUE_FIELDS = [
  "guarantee",
  "guaranteeCpuMilli",
  "guaranteeMemoryMib",
  "limit",
  "limitCpuMilli",
  "limitMemoryMib",
  "borrowingLimit",
  "lendingLimit",
  "weight",
  "order",
  "usageHalfLifeMs",
] as const satisfies readonly (keyof QueueSpec)[];

export type QueueField = (typeof QUEUE_FIELDS)[number];

/** As a queues file calls them. */
export const QUEUE_WORDS: Readonly<Record<QueueField, string>> = {
  guarantee: "guarantee",
  guaranteeCpuMilli: "guarantee.cpus",
  guaranteeMemoryMib: "guarantee.memory",
  limit: "limit",
  limitCpuMilli: "limit.cpus",
  limitMemoryMib: "limit.memory",
  borrowingLimit: "borrowing_limit",
  lendingLimit: "lending_limit",
  weight: "weight",
  order: "order",
  usageHalfLifeMs: "usage_half_life",
};

/** In the unit that a queues file has it in. */
export function queueValueText(field: QueueField, value: number | string): string {
  if (typeof value === "string") return value;
  if (field.endsWith("CpuMilli")) return String(value / 1_000);
  if (field.endsWith("MemoryMib")) return memoryText(value);
  return field === "usageHalfLifeMs" ? duration(value) : String(value);
}

export function guaranteeOf(spec: QueueSpec): Quota {
  const { guarantee: gpus, guaranteeCpuMilli: cpuMilli, guaranteeMemoryMib: memoryMib } = spec;
  return { gpus, cpuMilli, memoryMib };
}

/** What it never goes over: its limit, and its guarantee with what it may borrow besides. */
export function limitOf(spec: QueueSpec): Quota {
  const { guarantee, borrowingLimit, limitCpuMilli, limitMemoryMib } = spec;
  const borrowing = borrowingLimit === null ? null : guarantee + borrowingLimit;
  return {
    gpus: borrowing === null ? spec.limit : Math.min(borrowing, spec.limit ?? borrowing),
    cpuMilli: limitCpuMilli,
    memoryMib: limitMemoryMib,
  };
}

/** GPUs of its guarantee that stay its own even while they are idle. */
export function keptGpus({ guarantee, lendingLimit }: QueueSpec): number {
  return lendingLimit === null ? 0 : Math.max(0, guarantee - lendingLimit);
}

/** `top` is the queue at the top of the tree. */
export function halfLifeOf(top: QueueSpec, policy: Policy): number {
  return top.usageHalfLifeMs ?? policy.usageHalfLifeMs;
}
