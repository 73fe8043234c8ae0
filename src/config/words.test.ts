import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration, parseGpus, parseMemoryMib } from "./words.ts";

const value = <T>(result: { ok: true; value: T } | { ok: false; problem: string }): T | string =>
  result.ok ? result.value : result.problem;

describe("durations", () => {
  it.each([
    ["0", 0],
    ["90", 90_000],
    ["500ms", 500],
    ["30m", 1_800_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["10:00", 600_000],
    ["01:30:00", 5_400_000],
    ["1-12", 129_600_000],
    ["1-12:30", 131_400_000],
    ["2-00:00:05", 172_805_000],
  ])("%s is %d ms", (text, ms) => {
    expect(value(parseDuration(text))).toBe(ms);
  });

  it.each(["", "soon", "1 h", "h1", "1h2", "1:2:3:4", "1e9s", "-5m"])("refuses %j", (text) => {
    expect(value(parseDuration(text))).toContain("write it like 90s, 30m, 1h30m");
  });

  it("refuses a duration that no clock can hold", () => {
    expect(value(parseDuration("99999999999999999999h"))).toContain("over a thousand years");
  });

  it("formats what it parses", () => {
    for (const ms of [0, 1, 1500, 60_000, 5_400_000, 90_061_001]) {
      expect(value(parseDuration(formatDuration(ms)))).toBe(ms);
    }
  });
});

describe("sizes", () => {
  it.each([
    ["24GiB", 24_576],
    ["24G", 24_576],
    ["24Gi", 24_576],
    ["24GB", 22_889],
    ["512MiB", 512],
    ["1.5T", 1_572_864],
    ["1kB", 1],
  ])("%s is %d MiB, rounded up", (text, mib) => {
    expect(value(parseMemoryMib(text))).toBe(mib);
  });

  it.each(["24", "-1G", "G", "24 gigs", "1PB"])("refuses %j", (text) => {
    expect(value(parseMemoryMib(text))).toContain("is not a size");
  });
});

describe("GPU wishes", () => {
  it.each([
    ["8", { count: 8, type: "" }],
    ["H100:8", { count: 8, type: "H100" }],
    ["A100-80GB:4", { count: 4, type: "A100-80GB" }],
    ["H100", { count: 1, type: "H100" }],
    ["0", { count: 0, type: "" }],
  ])("%s", (text, wish) => {
    expect(value(parseGpus(text))).toEqual(wish);
  });

  it.each(["-1", "8:H100", "H100:", "1.5", ""])("refuses %j", (text) => {
    expect(value(parseGpus(text))).toContain("is not a number of GPUs");
  });
});
