// PolicyService: the one policy, whole. Whether it contradicts itself is the core's to say.

import { decodeList, decodeOneOf, decodeText, decodeWhole, reject } from "../rpc/decode.ts";
import type { OwnerLimit__Output } from "../rpc/gen/trainyard/v1/OwnerLimit.ts";
import type { Policy__Output } from "../rpc/gen/trainyard/v1/Policy.ts";
import type { PolicyServiceHandlers } from "../rpc/gen/trainyard/v1/PolicyService.ts";
import { unary } from "../rpc/handlers.ts";
import { isRefusal } from "../rpc/status.ts";
import { rehearse } from "./core/rehearse.ts";
import { DEFAULT_POLICY, type OwnerLimit, type Policy } from "./core/state.ts";
import { envelopeOf } from "./service-decode.ts";
import type { Brain } from "./service-ports.ts";
import { outlookView } from "./views-outlook.ts";
import { policyView } from "./views-policy.ts";

/** Of what may be listed: classes, grants, owners. */
const ENTRIES_MAX = 10_000;
const LEVELS_MAX = 8;
const AMOUNT = { min: 0, max: Number.MAX_SAFE_INTEGER };

export function createPolicyService(brain: Brain): PolicyServiceHandlers {
  return {
    GetPolicy: unary(async () => ({ policy: policyView(brain.state().policy) })),
    ApplyPolicy: unary(async (request, context) => {
      const command = { kind: "policy.apply", policy: decodePolicy(request.policy) } as const;
      const reply = await brain.execute(envelopeOf(command, request, context));
      return reply.kind === "refusal" ? reply : {};
    }),
    PreviewPolicy: unary(async (request, { caller }) => {
      const policy = decodePolicy(request.policy);
      const command = { kind: "policy.apply", policy } as const;
      const state = brain.state();
      const outlook = rehearse(state, { command, actor: caller }, brain.nowMs());
      if (isRefusal(outlook)) return outlook;
      return { policy: policyView(policy), outlook: outlookView(state, outlook) };
    }),
  };
}

function decodePolicy(message: Policy__Output | null): Policy {
  if (message === null) return reject("policy", null, "absent", "Give the whole policy.");
  const { oversize, victimOrder, lasLevels, priorityClasses } = message;
  const classes = Object.entries(priorityClasses);
  return {
    ...DEFAULT_POLICY,
    ...decodeScalars(message),
    ...(oversize === undefined
      ? {}
      : { oversize: decodeOneOf(oversize, "policy.oversize", ["refuse", "hold"]) }),
    ...(victimOrder === undefined
      ? {}
      : { victimOrder: decodeOneOf(victimOrder, "policy.victimOrder", ["least-lost", "newest"]) }),
    ...(lasLevels === null ? {} : { lasLevelsGpuMs: decodeLevels(lasLevels.gpuMs) }),
    ...(classes.length === 0 ? {} : { priorityClasses: decodeClasses(priorityClasses) }),
    priorityGrants: decodeGrants(message),
    limits: {
      tenants: decodeLimits(message.tenantLimits, "tenantLimits"),
      users: decodeLimits(message.userLimits, "userLimits"),
    },
  };
}

/** Numbers and truth values have one name here and on the wire. */
function decodeScalars(message: Policy__Output): Partial<Policy> {
  const given = new Map<string, unknown>(Object.entries(message));
  const scalars: Record<string, number | boolean> = {};
  for (const [name, value] of Object.entries(DEFAULT_POLICY)) {
    const wish = given.get(name);
    if (typeof value !== typeof wish) continue;
    if (typeof wish === "boolean") scalars[name] = wish;
    if (typeof wish === "number") scalars[name] = decodeWhole(wish, `policy.${name}`, AMOUNT);
  }
  return scalars;
}

function decodeLevels(levels: readonly number[]): readonly number[] {
  const field = "policy.lasLevels.gpuMs";
  decodeList(levels, field, LEVELS_MAX);
  return levels.map((level, at) => {
    const min = (levels[at - 1] ?? 0) + 1;
    return decodeWhole(level, `${field}[${at}]`, { min, max: AMOUNT.max });
  });
}

function decodeClasses(classes: Policy__Output["priorityClasses"]): Policy["priorityClasses"] {
  const entries = decodeList(Object.entries(classes), "policy.priorityClasses", ENTRIES_MAX);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      decodeText(name, "policy.priorityClasses", 64);
      return [name, decodeWhole(value, `policy.priorityClasses.${name}`, AMOUNT)];
    }),
  );
}

function decodeGrants({ priorityGrants }: Policy__Output): Policy["priorityGrants"] {
  const grants = Object.entries(priorityGrants).map(([name, grant]) => {
    const field = `policy.priorityGrants.${name}`;
    const patterns = (kind: keyof typeof grant): readonly string[] =>
      decodeList(grant[kind], `${field}.${kind}`, ENTRIES_MAX).map((pattern, at) =>
        decodeText(pattern, `${field}.${kind}[${at}]`, 1_024),
      );
    const lists = [patterns("queues"), patterns("tenants"), patterns("users")] as const;
    return [name, { queues: lists[0], tenants: lists[1], users: lists[2] }] as const;
  });
  return Object.fromEntries(decodeList(grants, "policy.priorityGrants", ENTRIES_MAX));
}

function decodeLimits(
  limits: Readonly<Record<string, OwnerLimit__Output>>,
  name: string,
): Readonly<Record<string, OwnerLimit>> {
  const entries = decodeList(Object.entries(limits), `policy.${name}`, ENTRIES_MAX);
  return Object.fromEntries(
    entries.map(([owner, limit]) => {
      decodeText(owner, `policy.${name}`, 512);
      return [owner, decodeLimit(limit, `policy.${name}.${owner}`)];
    }),
  );
}

function decodeLimit(message: OwnerLimit__Output, field: string): OwnerLimit {
  const { queued, running, gpus } = message;
  const limits = Object.entries({ queued, running, gpus }).flatMap(([what, value]) => {
    if (value === undefined) return [];
    const limit = value === -1 ? null : decodeWhole(value, `${field}.${what}`, AMOUNT);
    return [[what, limit] as const];
  });
  return Object.fromEntries(limits);
}
