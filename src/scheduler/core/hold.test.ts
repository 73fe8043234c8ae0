import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { HoldCode } from "./hold.ts";

/** Does not compile without every code. */
const CODES: Readonly<Record<HoldCode, true>> = {
  EVALUATING: true,
  HELD_BY_USER: true,
  WAITING_FOR_JOB: true,
  BEGIN_TIME: true,
  ARRAY_PARALLEL: true,
  BACKOFF: true,
  EXCEEDS_CLUSTER: true,
  TOPOLOGY: true,
  NO_MATCHING_GPU: true,
  EXCEEDS_QUEUE_LIMIT: true,
  WAITING_FOR_QUOTA: true,
  KEPT_BY_QUEUE: true,
  TENANT_LIMIT: true,
  USER_LIMIT: true,
  WAITING_FOR_GPUS: true,
  FRAGMENTED: true,
  RESERVED_FOR_OTHER: true,
  WAITING_FOR_PREEMPTED: true,
  WAITING_FOR_END: true,
};

test("docs/concepts.md says what every reason to wait means", () => {
  const text = readFileSync(new URL("../../../docs/concepts.md", import.meta.url), "utf8");
  const told = [...text.matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) \|/gm)].flatMap(([, codes = ""]) =>
    codes.split(", ").map((code) => code.replaceAll("`", "")),
  );
  expect(told.toSorted()).toEqual(Object.keys(CODES).toSorted());
});
