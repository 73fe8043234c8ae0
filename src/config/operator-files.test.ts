import { describe, expect, it } from "vitest";
import { parsePolicy } from "./policy-file.ts";
import { parseQueues } from "./queues-file.ts";
import { parseYaml } from "./yaml-file.ts";

const queues = async (text: string) =>
  parseQueues(await parseYaml(text, { file: "q.yaml", code: "QUEUE_INVALID" }));
const policy = async (text: string) =>
  parsePolicy(await parseYaml(text, { file: "p.yaml", code: "INVALID_OPTION" }));

const PLAIN = {
  guarantee: 0,
  guaranteeCpuMilli: null,
  guaranteeMemoryMib: null,
  limit: null,
  limitCpuMilli: null,
  limitMemoryMib: null,
  borrowingLimit: null,
  lendingLimit: null,
  weight: 1,
  order: "las",
  usageHalfLifeMs: null,
};

describe("the queues file", () => {
  it("becomes full paths, parents first, with defaults", async () => {
    const tree =
      "queues:\n  research:\n    guarantee: 4\n    queues: {nlp: {weight: 2, limit: 8}}\n  prod:";
    expect(await queues(tree)).toEqual([
      { ...PLAIN, path: "research", guarantee: 4 },
      { ...PLAIN, path: "research/nlp", limit: 8, weight: 2 },
      { ...PLAIN, path: "prod" },
    ]);
  });

  it("takes CPUs and memory beside GPUs, and what is borrowed and lent", async () => {
    const tree = `queues:
  a:
    guarantee: {gpus: 8, cpus: 64, memory: 1GiB}
    limit: {cpus: 128}
    borrowing_limit: 4
    lending_limit: 2
    usage_half_life: 1d`;
    expect(await queues(tree)).toEqual([
      {
        ...PLAIN,
        path: "a",
        guarantee: 8,
        guaranteeCpuMilli: 64_000,
        guaranteeMemoryMib: 1_024,
        limitCpuMilli: 128_000,
        borrowingLimit: 4,
        lendingLimit: 2,
        usageHalfLifeMs: 86_400_000,
      },
    ]);
  });

  it.each([
    [
      "queues: {a: {gaurantee: 1}}",
      "q.yaml:1:14 queues.a.gaurantee: unknown key, did you mean guarantee?",
    ],
    [
      "queues: {a: {guarantee: -1}}",
      "q.yaml:1:14 queues.a.guarantee: -1 is not a whole number from 0 to 1000000",
    ],
    ["queues: {a: {guarantee: {cpu: 4}}}", "guarantee.cpu: unknown key, did you mean cpus?"],
    ["queues: {a: {weight: 1.5}}", "queues.a.weight: 1.5 is not a whole number"],
    ["queues: {a: {order: lifo}}", '"lifo" is unknown; write fifo, las, edf or shortest'],
    ["queues: {a/b: {}}", "is not a queue name"],
    ["queues: [a]", "is not a map of queues by name"],
    [
      "queues: {a: {guarantee: 9, limit: 8}}",
      "queues.a.guarantee: 9 is over the queue's own limit of 8",
    ],
    [
      "queues:\n  a:\n    guarantee: 3\n    queues: {x: {guarantee: 2}, y: {guarantee: 2}}",
      "q.yaml:3:5 queues.a.guarantee: 3 is less than the 4 that the queues below it are guaranteed",
    ],
    ["", "is not a map with the key `queues`"],
  ])("%j is refused with its place", async (text, message) => {
    await expect(queues(text)).rejects.toThrow(message);
  });
});

describe("the policy file", () => {
  it("gives only what it names, in the scheduler's units", async () => {
    const text = "oversize: refuse\nusage_half_life: 3d\npriority_classes: {normal: 5, high: 9}";
    expect(await policy(text)).toEqual({
      oversize: "refuse",
      usageHalfLifeMs: 259_200_000,
      priorityClasses: { normal: 5, high: 9 },
      priorityGrants: {},
    });
  });

  it("says who may use a class where that is not everyone", async () => {
    const text = "priority_classes: {normal: 5, high: {value: 9, queues: [prod/*]}}";
    expect(await policy(text)).toEqual({
      priorityClasses: { normal: 5, high: 9 },
      priorityGrants: { high: { queues: ["prod/*"], tenants: [], users: [] } },
    });
  });

  it("an empty one changes nothing", async () => {
    expect(await policy("")).toEqual({});
  });

  it.each([
    ["oversise: hold", "p.yaml:1:1 oversise: unknown key, did you mean oversize?"],
    ["oversize: maybe", '"maybe" is unknown; write refuse or hold'],
    ["priority_classes: {low: 1}", "must have `normal`"],
    ["min_run: -5s", "is negative"],
    ["priority_classes: {normal: x}", '"x" is neither a whole number'],
    [
      "priority_classes: {normal: {value: 1, queue: [a]}}",
      "priority_classes.normal.queue: unknown key, did you mean queues?",
    ],
    [
      "limits: {users: {default: {gpus: x}}}",
      'limits.users.default.gpus: "x" is neither a whole number from 0 to 10000000 nor none',
    ],
    ["preemption: 3", "3 is neither true nor false"],
  ])("%j is refused with its place", async (text, message) => {
    await expect(policy(text)).rejects.toThrow(message);
  });
});
