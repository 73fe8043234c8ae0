// Changing the policy, whole or not at all, and what it says about who may use a priority class.

import { type Refusal, refuse } from "../../base/errors.ts";
import type { Decision } from "./decision.ts";
import { type Identity, type JobSpec, userKey } from "./job.ts";
import type { ClusterState, Policy, PriorityGrant } from "./state.ts";

/** The first event of a log is a policy even if it is the default one: a replay then needs none. */
export function decidePolicy(state: ClusterState, policy: Policy): Decision {
  const problem = policyProblem(policy);
  if (problem !== null) return problem;
  if (state.seq > 0 && isSame(policy, state.policy)) return [];
  return [{ kind: "policy.set", policy }];
}

function policyProblem(policy: Policy): Refusal | null {
  for (const [field, value] of Object.entries(policy)) {
    if (typeof value !== "number" || (Number.isSafeInteger(value) && value >= 0)) continue;
    return invalid(field, value, "is not a whole number of 0 or more");
  }
  if (policy.backoffBaseMs > policy.backoffMaxMs) {
    const rule = `is over backoffMaxMs of ${policy.backoffMaxMs}`;
    return invalid("backoffBaseMs", policy.backoffBaseMs, rule);
  }
  return classProblem(policy) ?? limitsProblem(policy);
}

function limitsProblem({ limits }: Policy): Refusal | null {
  for (const kind of ["tenants", "users"] as const) {
    for (const [name, entry] of Object.entries(limits[kind])) {
      const field = `limits.${kind}.${name}`;
      if (kind === "users" && name !== "default" && !name.includes("@")) {
        return invalid(field, name, "is neither `default` nor user@tenant");
      }
      for (const what of ["queued", "running", "gpus"] as const) {
        const value = entry[what] ?? null;
        if (value === null || (Number.isSafeInteger(value) && value >= 0)) continue;
        return invalid(
          `${field}.${what}`,
          value,
          "is neither null nor a whole number of 0 or more",
        );
      }
    }
  }
  return null;
}

function classProblem({ priorityClasses, priorityGrants }: Policy): Refusal | null {
  const names = Object.keys(priorityClasses);
  for (const [name, value] of Object.entries(priorityClasses)) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    return invalid(`priorityClasses.${name}`, value, "is not a whole number of 0 or more");
  }
  if (!Object.hasOwn(priorityClasses, "normal")) {
    return invalid("priorityClasses", names.join(", "), "lacks `normal`, what jobs get unasked");
  }
  const stray = Object.keys(priorityGrants).find((name) => !names.includes(name));
  if (stray === undefined) return null;
  return invalid("priorityGrants", stray, `is none of the classes ${names.join(", ")}`);
}

/** Does the class exist, and may this owner use it in this queue? */
export function priorityProblem(spec: JobSpec, owner: Identity, policy: Policy): Refusal | null {
  const { priorityClass, queue } = spec;
  const field = "spec.priorityClass";
  const names = Object.keys(policy.priorityClasses);
  if (!names.includes(priorityClass)) {
    const message = `Priority class "${priorityClass}" does not exist.`;
    return refuse("UNKNOWN_PRIORITY_CLASS", message, `Use one of: ${names.join(", ")}.`, field);
  }
  if (mayUse(policy, priorityClass, spec, owner)) return null;
  const who = grantText(policy.priorityGrants[priorityClass]);
  const open = names.filter((name) => mayUse(policy, name, spec, owner));
  return refuse(
    "PRIORITY_NOT_GRANTED",
    `Priority class "${priorityClass}" is not granted to ${userKey(owner)} in queue "${queue}". ` +
      `It is for ${who}.`,
    open.length === 0 ? "Ask an operator for a class." : `Use one of: ${open.join(", ")}.`,
    field,
  );
}

function mayUse(policy: Policy, name: string, { queue }: JobSpec, owner: Identity): boolean {
  const grant = policy.priorityGrants[name];
  if (grant === undefined) return true;
  const isIn = (patterns: readonly string[], text: string): boolean =>
    patterns.some((pattern) => matches(pattern, text));
  return (
    isIn(grant.queues, queue) ||
    isIn(grant.tenants, owner.tenant) ||
    isIn(grant.users, userKey(owner))
  );
}

function grantText(grant: PriorityGrant | undefined): string {
  const lists = (["queues", "tenants", "users"] as const).map((kind) => {
    const names = grant?.[kind] ?? [];
    return names.length === 0 ? "" : `${kind} ${names.join(", ")}`;
  });
  return lists.filter((text) => text !== "").join(" and ") || "nobody";
}

/** `*` stands for any text. Two pointers and one step back: no pattern can make it slow. */
function matches(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let read = 0;
  while (read < text.length) {
    if (pattern[at] === "*") {
      star = at;
      resume = read;
      at += 1;
    } else if (pattern[at] === text[read]) {
      at += 1;
      read += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      read = resume;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [ofA, ofB] = [Object.entries(a), new Map(Object.entries(b))];
  return ofA.length === ofB.size && ofA.every(([key, value]) => isSame(value, ofB.get(key)));
}

function invalid(field: string, value: unknown, rule: string): Refusal {
  const message = `Policy: ${field} ${String(value)} ${rule}.`;
  return refuse(
    "POLICY_INVALID",
    message,
    "The old policy holds; correct it and apply again.",
    field,
  );
}
