import { describe, expect, it } from "vitest";
import { parseTrace, type TraceFormat } from "./trace-csv.ts";

const FORMAT: TraceFormat = {
  file: "jobs.csv",
  nodeGpus: 8,
  tenantColumn: null,
  userColumn: null,
  timeLimitColumn: null,
};

const parse = (lines: readonly string[], change: Partial<TraceFormat> = {}) =>
  parseTrace(lines.join("\n"), { ...FORMAT, ...change });

describe("a trace", () => {
  it("has its columns in any order and others beside them, and counts from the first submission", () => {
    const lines = ["gpus,state,vc,submit_s,duration_s", "1,ok,b,70,0.5", "16,ok,a,50,10", ""];
    expect(parse(lines, { tenantColumn: "vc" })).toEqual({
      kind: "trace",
      workload: {
        tenants: ["a", "b"],
        jobs: [
          {
            submitMs: 0,
            durationMs: 10_000,
            nodes: 2,
            gpusPerNode: 8,
            tenant: "a",
            owner: { tenant: "a", user: "a" },
            timeLimitMs: null,
            asks: {},
            origin: "jobs.csv:3",
          },
          {
            submitMs: 20_000,
            durationMs: 500,
            nodes: 1,
            gpusPerNode: 1,
            tenant: "b",
            owner: { tenant: "b", user: "b" },
            timeLimitMs: null,
            asks: {},
            origin: "jobs.csv:2",
          },
        ],
      },
    });
  });

  it("makes a gang of equal tasks of what is larger than a node", () => {
    const trace = parse(["submit_s,duration_s,gpus", "0,1,12", "0,1,17", "0,1,32"]);
    const gangs =
      trace.kind === "trace" && trace.workload.jobs.map((job) => [job.nodes, job.gpusPerNode]);
    expect(gangs).toEqual([
      [2, 6],
      [3, 6],
      [4, 8],
    ]);
  });

  it("may state users and time limits", () => {
    const lines = ["submit_s,duration_s,gpus,who,limit", '0,1,1,"ann, bob",60', "0,1,1,eve,"];
    const trace = parse(lines, { userColumn: "who", timeLimitColumn: "limit" });
    const found =
      trace.kind === "trace" && trace.workload.jobs.map((job) => [job.owner.user, job.timeLimitMs]);
    expect(found).toEqual([
      ["ann, bob", 60_000],
      ["eve", null],
    ]);
  });

  it("that is wrong is refused with line, column, value and what to write", () => {
    const lines = ["submit_s,duration_s,gpus,vc", "0,abc,1,a", "1,2", "-5,1,1.5,a b"];
    expect(parse(lines, { tenantColumn: "vc" })).toEqual({
      kind: "refusal",
      code: "INVALID_TRACE",
      message: [
        'jobs.csv:2 column duration_s: "abc" is not a number in range; write a number from 0 to 3153600000',
        "jobs.csv:3: 2 fields where the header has 4; a value with a comma needs quotes",
        'jobs.csv:4 column submit_s: "-5" is not a number in range; write a number from 0 to 9007199254740991',
        "jobs.csv:4 column gpus: 1.5 is not a whole number; fractions are not traced",
        'jobs.csv:4 column vc: "a b" is not a queue\'s name; write letters, digits, `.`, `_` and `-`, at most 63',
      ].join("\n"),
      remedy: "Mend jobs.csv.",
      field: "",
    });
  });

  it("without a column that is needed is refused with the columns that it has", () => {
    expect(parse(["submit,duration_s,gpus", "0,1,1"])).toMatchObject({
      message: 'jobs.csv:1: no column "submit_s"; the header has "submit", "duration_s", "gpus".',
    });
  });

  it("of no jobs is refused", () => {
    expect(parse(["submit_s,duration_s,gpus"])).toMatchObject({ message: "jobs.csv has no jobs." });
  });
});
