import { expect, test } from "vitest";
import { parseMetricLine } from "./metrics-lines.ts";

const brief = (line: string) =>
  parseMetricLine(line, 5).map((point) => [point.metric, point.step, point.value]);

test("each number beside an integer step is a point, one level of nesting joined by a slash", () => {
  const line = '{"step": 3, "loss": 2.5, "eval": {"acc": 0.5, "deep": {"x": 1}}, "ok": true}';
  expect(brief(line)).toEqual([
    ["loss", 3, 2.5],
    ["eval/acc", 3, 0.5],
  ]);
});

test("NaN and Infinity are kept, as Python writes them and as strings", () => {
  expect(brief('{"step": 1, "loss": NaN, "a": -Infinity, "note": "NaN, Infinity"}')).toEqual([
    ["loss", 1, Number.NaN],
    ["a", 1, Number.NEGATIVE_INFINITY],
  ]);
  expect(brief('{"step": 1, "loss": "NaN"}')).toEqual([["loss", 1, Number.NaN]]);
});

test.each([
  "",
  "step 3",
  '{"loss": 1}',
  '{"step": 1.5, "loss": 1}',
  '{"step": -1, "loss": 1}',
  '{"step": 1, "loss": }',
  '["step", 1]',
  '{"step": 1, "lo\\nss": 1}',
])("no points from %j", (line) => {
  expect(brief(line)).toEqual([]);
});

test("what two ranks printed onto one line is read as two", () => {
  expect(brief('noise{"step": 1, "loss": 2}{"step": 2, "loss": 1}')).toEqual([
    ["loss", 1, 2],
    ["loss", 2, 1],
  ]);
});

test("the line's own time is taken before the time of reading", () => {
  const [own] = parseMetricLine('{"step":1,"timestamp_ms":77,"loss":1}', 5);
  expect(own?.timestampMs).toBe(77);
  const [read] = parseMetricLine('{"step":1,"loss":1}', 5);
  expect(read?.timestampMs).toBe(5);
});
