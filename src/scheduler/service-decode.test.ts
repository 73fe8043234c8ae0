import { expect, test } from "vitest";
import type { CallContext } from "../rpc/call-context.ts";
import { envelopeOf } from "./service-decode.ts";

const CONTEXT: CallContext = {
  caller: { tenant: "research", user: "alice" },
  method: "/trainyard.v1.JobService/SubmitJob",
  deadlineMs: null,
  signal: new AbortController().signal,
};

function fingerprintOf(spec: object): string {
  const request = { requestId: "r1", spec };
  return envelopeOf({ kind: "clock.tick" }, request, CONTEXT).request?.fingerprint ?? "";
}

test("a repeat has the fingerprint of the first, whatever the order of its maps", () => {
  const env = { A: "1", B: "2" };
  expect(fingerprintOf({ name: "x", env: { B: "2", A: "1" } })).toBe(
    fingerprintOf({ name: "x", env }),
  );
});

test("fields that a release does not know yet, and so nobody set, make no difference", () => {
  const spec = { name: "x", args: ["", "0"] };
  const later = { ...spec, spot: "", isHeld: false, nodesMin: 0, after: [], topology: null };
  expect(fingerprintOf(later)).toBe(fingerprintOf(spec));
});

test("what was set makes a difference, also when it is an empty element or message", () => {
  const texts = [
    fingerprintOf({ args: [""] }),
    fingerprintOf({ args: [] }),
    fingerprintOf({ args: ["", ""] }),
    fingerprintOf({ topology: {} }),
    fingerprintOf({ args: ["0"] }),
    fingerprintOf({ args: [0] }),
  ];
  expect(new Set(texts).size).toBe(texts.length);
});
