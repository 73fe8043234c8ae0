import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CheckpointId, checkpointId } from "../../base/ids.ts";
import { checkpointsToDelete, type RetainedCheckpoint } from "./retention.ts";

function checkpoint(text: string): RetainedCheckpoint {
  const [step = "0", attempt = "1", state = "committed"] = text.split(" ");
  if (state !== "committed" && state !== "gathering" && state !== "rejected") throw new Error(text);
  const id = checkpointId(`job-1/${step.padStart(12, "0")}-${attempt}`);
  return { id, step: Number(step), attempt: Number(attempt), state };
}

function deleted(texts: readonly string[], keep: number, protect: readonly string[] = []) {
  const all = texts.map(checkpoint);
  const kept = new Set(protect.map((text) => checkpoint(text).id));
  const ids = checkpointsToDelete(all, keep, kept);
  return texts.filter((text) => ids.includes(checkpoint(text).id));
}

describe("checkpoints to delete", () => {
  test("are all but the newest, by step and then by attempt", () => {
    expect(deleted(["10", "20", "30", "30 2", "40"], 3)).toEqual(["10", "20"]);
    expect(deleted(["10", "20"], 3)).toEqual([]);
  });

  test("are never what the job would resume from, even when nothing is to be kept", () => {
    expect(deleted(["10", "20"], 0)).toEqual(["10"]);
  });

  test("are never protected ones, and these do not use up what is kept", () => {
    expect(deleted(["10", "20", "30", "40"], 2, ["10"])).toEqual(["20"]);
  });

  test("are unfinished ones once a higher step or a later attempt has committed", () => {
    expect(deleted(["10", "20 1 gathering", "15 1 rejected"], 1)).toEqual([]);
    expect(deleted(["10 1 gathering", "15 1 rejected", "20", "30 1 gathering"], 1)).toEqual([
      "10 1 gathering",
      "15 1 rejected",
    ]);
    expect(deleted(["10 1 gathering", "15 1 rejected", "20 2"], 1)).toEqual([
      "10 1 gathering",
      "15 1 rejected",
    ]);
  });

  test("leave at least one committed one and the resume point, whatever there is", () => {
    const some = fc.record({
      step: fc.nat({ max: 5 }),
      attempt: fc.integer({ min: 1, max: 3 }),
      state: fc.constantFrom("committed", "gathering", "rejected"),
    });
    const lists = fc.uniqueArray(some, { selector: (one) => `${one.step}-${one.attempt}` });
    fc.assert(
      fc.property(lists, fc.nat({ max: 4 }), (list, keep) => {
        const all = list.map((one) => checkpoint(`${one.step} ${one.attempt} ${one.state}`));
        const gone = new Set(checkpointsToDelete(all, keep, new Set<CheckpointId>()));
        const committed = all.filter(({ state }) => state === "committed");
        const left = committed.filter(({ id }) => !gone.has(id));
        expect(left.length).toBe(Math.min(committed.length, Math.max(1, keep)));
        const isNewest = (one: RetainedCheckpoint): boolean =>
          committed.every(
            ({ step, attempt }) => step < one.step || (step === one.step && attempt <= one.attempt),
          );
        expect(committed.filter(isNewest).filter(({ id }) => gone.has(id))).toEqual([]);
      }),
    );
  });
});
