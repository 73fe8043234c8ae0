// What a tenant and a user may have at once, whatever the queue: jobs that wait, jobs under way, and
// their GPUs. Reads the policy and counts; whom it stops, and when, is the caller's.

import { type Identity, userKey } from "./job.ts";
import type { OwnerLimit, OwnerLimits } from "./state.ts";

/** Whose limit it is. */
export interface Owner {
  readonly kind: "tenant" | "user";
  /** A tenant's name, or `user@tenant`. */
  readonly name: string;
}

export interface OwnerBlock {
  readonly owner: Owner;
  readonly what: "running" | "gpus";
  /** By the job: 1 job, or its GPUs. */
  readonly asked: number;
  readonly used: number;
  readonly limit: number;
}

/** The tenant first: what it may not have, none of its users may. */
export const ownersOf = (identity: Identity): readonly Owner[] => [
  { kind: "tenant", name: identity.tenant },
  { kind: "user", name: userKey(identity) },
];

/** Null = no limit. What the owner's own entry does not say is as `default` has it. */
export function ownerLimit(
  limits: OwnerLimits,
  { kind, name }: Owner,
  what: keyof OwnerLimit,
): number | null {
  const entries = kind === "tenant" ? limits.tenants : limits.users;
  const own = Object.hasOwn(entries, name) ? entries[name]?.[what] : undefined;
  return own === undefined ? (entries["default"]?.[what] ?? null) : own;
}

interface Use {
  jobs: number;
  gpus: number;
}

/**
 * What owners hold in one planning pass, with what is reserved for them. Who leaves counts until it
 * has left: then a reservation can always start once its room is free.
 */
export class OwnerBook {
  /** False = nobody has a limit on what runs, and nothing needs to be asked. */
  readonly hasLimits: boolean;
  readonly #limits: OwnerLimits;
  readonly #tenants = new Map<string, Use>();
  readonly #users = new Map<string, Use>();

  constructor(limits: OwnerLimits) {
    this.#limits = limits;
    const entries = [...Object.values(limits.tenants), ...Object.values(limits.users)];
    this.hasLimits = entries.some(
      ({ running, gpus }) => typeof running === "number" || typeof gpus === "number",
    );
  }

  add(identity: Identity, jobs: number, gpus: number): void {
    if (!this.hasLimits) return;
    for (const owner of ownersOf(identity)) {
      const uses = owner.kind === "tenant" ? this.#tenants : this.#users;
      const use = uses.get(owner.name);
      if (use === undefined) uses.set(owner.name, { jobs, gpus });
      else {
        use.jobs += jobs;
        use.gpus += gpus;
      }
    }
  }

  /** What keeps one more job with so many GPUs from being placed, or null. */
  reached(identity: Identity, gpus: number): OwnerBlock | null {
    if (!this.hasLimits) return null;
    for (const owner of ownersOf(identity)) {
      const block = this.#over(owner, "running", 1) ?? this.#over(owner, "gpus", gpus);
      if (block !== null) return block;
    }
    return null;
  }

  #over(owner: Owner, what: OwnerBlock["what"], asked: number): OwnerBlock | null {
    const limit = ownerLimit(this.#limits, owner, what);
    const use = (owner.kind === "tenant" ? this.#tenants : this.#users).get(owner.name);
    const used = (what === "running" ? use?.jobs : use?.gpus) ?? 0;
    if (limit === null || asked === 0 || used + asked <= limit) return null;
    return { owner, what, asked, used, limit };
  }
}

/** `tenant acme`, `user ada@acme`. */
export const ownerText = ({ kind, name }: Owner): string => `${kind} ${name}`;
