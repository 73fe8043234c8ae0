// An array as the command line shows it: the JSON of `trainyard/v1`, and its facts for people.

import type { JobArray__Output } from "../../rpc/gen/trainyard/v1/JobArray.ts";
import { isoTime, timeMs } from "../wire.ts";
import type { JobView } from "./job-view.ts";

export interface ArrayView {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly tenant: string;
  readonly user: string;
  readonly submittedAt: string | null;
  readonly indexes: string;
  /** 0 = all. */
  readonly parallel: number;
  readonly elements: number;
  readonly pending: number;
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Why all of it waits; null when it does not. */
  readonly hold: JobView["hold"];
}

export function arrayView(array: JobArray__Output): ArrayView {
  const { spec } = array;
  return {
    id: array.id,
    name: spec?.name ?? "",
    queue: spec?.queue ?? "",
    tenant: array.tenant,
    user: array.user,
    submittedAt: isoTime(timeMs(array.submittedAt)),
    indexes: spec?.array?.indexes ?? "",
    parallel: spec?.array?.parallel ?? 0,
    elements: array.elements,
    pending: array.pending,
    active: array.active,
    succeeded: array.succeeded,
    failed: array.failed,
    cancelled: array.cancelled,
    hold: array.hold === null ? null : { ...array.hold },
  };
}

/** `100 jobs: 10 under way, 80 pending, 9 succeeded, 1 failed`; what is 0 is left out. */
export function standing(array: ArrayView): string {
  const parts = [
    `${array.active} under way`,
    ...(["pending", "succeeded", "failed", "cancelled"] as const)
      .filter((phase) => array[phase] > 0)
      .map((phase) => `${array[phase]} ${phase}`),
  ];
  return `${array.elements} jobs: ${parts.join(", ")}`;
}
