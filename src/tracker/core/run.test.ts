import { expect, test } from "vitest";
import { PAIRS_PER_RUN_MAX, PARAM_CHARS_MAX } from "./limits.ts";
import { changeRun, decodeRun, encodeRun, parseStatus, type Run } from "./run.ts";

const NOW_MS = 1_700_000_000_000;

const run: Run = {
  id: "job-7",
  no: 1,
  experiment: "research",
  name: "gpt",
  tenant: "acme",
  user: "ann",
  status: "SCHEDULED",
  createdAtMs: NOW_MS,
  startedAtMs: null,
  endedAtMs: null,
  params: new Map([["lr", "0.1"]]),
  tags: new Map([["team", "nlp"]]),
  attempt: 0,
  origin: "client",
  metrics: 0,
};

const change = (
  params: Record<string, string>,
  tags: Record<string, string> = {},
): Parameters<typeof changeRun>[1] => ({
  status: null,
  params: new Map(Object.entries(params)),
  tags: new Map(Object.entries(tags)),
});

test("a param can't change once set: the refusal names key, old and new value", () => {
  const refused = changeRun(run, change({ lr: "0.2" }), NOW_MS);
  expect(refused).toMatchObject({ kind: "refusal", code: "INVALID_SPEC", field: "params.lr" });
  expect(refused).toHaveProperty(
    "message",
    'param "lr" of run job-7 is "0.1" and can\'t become "0.2".',
  );
});

test("a param set again to the same value is fine, and a tag may change", () => {
  const changed = changeRun(run, change({ lr: "0.1", bs: "32" }, { team: "vision" }), NOW_MS);
  expect(changed).toMatchObject({
    params: new Map([
      ["lr", "0.1"],
      ["bs", "32"],
    ]),
    tags: new Map([["team", "vision"]]),
  });
});

test.each([
  ["an empty name", change({ "": "1" }), "params"],
  ["a name of 251 characters", change({ ["x".repeat(251)]: "1" }), "params"],
  ["a control character", change({}, { "a\nb": "1" }), "tags"],
  ["a value over the limit", change({ a: "x".repeat(PARAM_CHARS_MAX + 1) }), "params.a"],
  [
    "more tags than a run takes",
    change(
      {},
      Object.fromEntries(Array.from({ length: PAIRS_PER_RUN_MAX }, (_, i) => [`t${i}`, ""])),
    ),
    "tags",
  ],
])("%s is refused with the field", (_, asked, field) => {
  expect(changeRun(run, asked, NOW_MS)).toMatchObject({ kind: "refusal", field });
});

test("a run starts when it first runs, ends once, and may go on again", () => {
  const empty = { params: new Map(), tags: new Map() };
  let now = run;
  const go = (status: Run["status"], atMs: number): void => {
    const next = changeRun(now, { ...empty, status }, atMs);
    if (!("kind" in next)) now = next;
  };
  go("RUNNING", 10);
  go("FINISHED", 20);
  go("FINISHED", 25);
  expect(now).toMatchObject({ startedAtMs: 10, endedAtMs: 20 });
  go("RUNNING", 30);
  expect(now).toMatchObject({ startedAtMs: 10, endedAtMs: null });
});

test("an unknown status is refused with those there are", () => {
  expect(parseStatus("DONE")).toMatchObject({ kind: "refusal", field: "status" });
  expect(parseStatus("KILLED")).toBe("KILLED");
});

test("a run comes back as it was written, also with odd keys", () => {
  const odd = {
    ...run,
    params: new Map([["__proto__", "1"]]),
    tags: new Map([["é\u{1f600}", ""]]),
  };
  expect(decodeRun(encodeRun(odd))).toEqual(odd);
  expect(() => decodeRun("{")).toThrow(/can't be read/);
});
