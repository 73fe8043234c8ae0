import { describe, expect, test } from "vitest";
import { type Facts, judge, QUIET_PERIODS, zipEnd } from "./completeness.ts";
import { type Candidate, findCandidates } from "./layouts.ts";

const QUIET: Facts = {
  unchangedForMs: 500,
  sinceWriteMs: 500,
  hasOpenWriter: false,
  ends: new Map(),
  isFinal: false,
};

/** `path@time` = a file that was written then. */
function candidate(...paths: readonly string[]): Candidate {
  const files = paths.map((text) => {
    const [path = "", mtimeMs = "1000"] = text.split("@");
    return { path, sizeBytes: 10, mtimeMs: Number(mtimeMs), inode: 1 };
  });
  const found = findCandidates({ files, patterns: [], markers: new Map() })[0];
  if (found === undefined) throw new Error("no candidate");
  return found;
}

const verdict = (of: Candidate, facts: Partial<Facts> = {}) =>
  judge(of, { ...QUIET, ...facts }, QUIET_PERIODS);

const WHOLE = new Map([["step-3.pt", "whole" as const]]);
const TORN = new Map([["step-3.pt", "torn" as const]]);
const NOT_ZIP = new Map([["step-3.pt", "not_zip" as const]]);

describe("a checkpoint is complete", () => {
  test("when its files show their end and have been still for a moment", () => {
    expect(verdict(candidate("step-3.pt"), { ends: WHOLE })).toEqual({ kind: "complete" });
    expect(verdict(candidate("s/.metadata", "s/__0_0.distcp"))).toEqual({ kind: "complete" });
    expect(verdict(candidate("s/.trainyard-complete", "s/x"))).toEqual({ kind: "complete" });
  });

  test("after a longer silence, when nothing else speaks for it", () => {
    for (const [of, ends] of [
      [candidate("step-3.pt"), NOT_ZIP],
      [candidate("step-3/__1_0.distcp"), new Map()],
      [candidate("step-3/weights.safetensors"), new Map()],
    ] as const) {
      expect(verdict(of, { ends })).toMatchObject({ kind: "waiting", forMs: 1500 });
      expect(verdict(of, { ends, unchangedForMs: 2000 })).toEqual({ kind: "complete" });
    }
  });

  test("never while a process writes to it, it holds a temporary file, or it is torn", () => {
    const still = { unchangedForMs: 1e9, ends: WHOLE };
    const waiting = { kind: "waiting" };
    expect(verdict(candidate("step-3.pt"), { ...still, hasOpenWriter: true })).toMatchObject(
      waiting,
    );
    expect(verdict(candidate("step-3.pt"), { ...still, ends: TORN })).toMatchObject(waiting);
    expect(verdict(candidate("step-3.pt"), { ...still, ends: new Map() })).toMatchObject(waiting);
    const temporary = candidate("step-3/.metadata", "step-3/__0_0.distcp", "step-3/.metadata.tmp");
    expect(verdict(temporary, still)).toMatchObject(waiting);
  });

  test("never with a .metadata from before its shards: it is being written a second time", () => {
    const rewritten = candidate("s/.metadata@1000", "s/__0_0.distcp@2000");
    expect(verdict(rewritten, { unchangedForMs: 1e9 })).toMatchObject({ kind: "waiting" });
    expect(verdict(rewritten, { isFinal: true })).toMatchObject({ kind: "torn" });
  });
});

describe("when the processes are gone", () => {
  test("what shows its end is complete without waiting", () => {
    const facts = { isFinal: true, unchangedForMs: 0, sinceWriteMs: 1 };
    expect(verdict(candidate("step-3.pt"), { ...facts, ends: WHOLE })).toEqual({
      kind: "complete",
    });
    expect(verdict(candidate("step-3/__1_0.distcp"), facts)).toEqual({ kind: "complete" });
  });

  test("what is torn stays torn", () => {
    const facts = { isFinal: true, unchangedForMs: 1e9, ends: TORN };
    expect(verdict(candidate("step-3.pt"), facts)).toMatchObject({ kind: "torn" });
  });

  test("what cannot show its end counts only when it lay still for long before", () => {
    const facts = { isFinal: true, unchangedForMs: 0, ends: NOT_ZIP };
    const of = candidate("step-3.pt");
    expect(verdict(of, { ...facts, sinceWriteMs: 1999 })).toMatchObject({ kind: "torn" });
    expect(verdict(of, { ...facts, sinceWriteMs: 2000 })).toEqual({ kind: "complete" });
  });
});

describe("the end of a torch.save file", () => {
  const HEAD = Uint8Array.of(0x50, 0x4b, 3, 4);

  /** An end record whose table of contents lies where a whole file of `sizeBytes` has it. */
  function end(sizeBytes: number, zip64Bytes = 0): Uint8Array {
    const tail = new Uint8Array(22);
    const view = new DataView(tail.buffer);
    tail.set([0x50, 0x4b, 5, 6]);
    view.setUint32(12, 100, true);
    view.setUint32(16, sizeBytes - 22 - zip64Bytes - 100, true);
    return tail;
  }

  test("adds up in a whole file, with and without the records for large ones", () => {
    expect(zipEnd(HEAD, end(5000), 5000)).toBe("whole");
    expect(zipEnd(HEAD, end(5000, 76), 5000)).toBe("whole");
  });

  test("does not add up in one that was cut, has grown, or is empty", () => {
    expect(zipEnd(HEAD, end(5000), 5001)).toBe("torn");
    expect(zipEnd(HEAD, new Uint8Array(22), 5000)).toBe("torn");
    expect(zipEnd(HEAD, HEAD, 4)).toBe("torn");
    expect(zipEnd(new Uint8Array(), new Uint8Array(), 0)).toBe("torn");
  });

  test("is found in files above 4 GiB", () => {
    const sizeBytes = 5 * 2 ** 30;
    const tail = new Uint8Array(98);
    const view = new DataView(tail.buffer);
    tail.set([0x50, 0x4b, 6, 6], 0);
    view.setBigUint64(40, 1000n, true);
    view.setBigUint64(48, BigInt(sizeBytes) - 98n - 1000n, true);
    tail.set([0x50, 0x4b, 6, 7], 56);
    tail.set([0x50, 0x4b, 5, 6], 76);
    view.setUint32(76 + 12, 1000, true);
    view.setUint32(76 + 16, 0xffffffff, true);
    expect(zipEnd(HEAD, tail, sizeBytes)).toBe("whole");
    expect(zipEnd(HEAD, tail, sizeBytes + 1)).toBe("torn");
  });

  test("is not to be seen in the old format", () => {
    expect(zipEnd(Uint8Array.of(0x80, 2, 0x8a, 0xa), new Uint8Array(98), 5000)).toBe("not_zip");
  });
});
