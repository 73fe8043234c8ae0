import fc from "fast-check";
import { expect, test } from "vitest";
import {
  anyInteger,
  anyPoint,
  columnsOf,
  lossCurve,
} from "../../../test/property/tracker-points.ts";
import {
  type AttemptHead,
  decodeSeriesHead,
  encodeSeriesHead,
  extendAttempt,
  type SeriesHead,
  seriesLatest,
  withAttempt,
} from "./series.ts";

const anyRow: fc.Arbitrary<AttemptHead> = fc.record({
  attempt: fc.nat(),
  points: fc.nat(),
  chunks: fc.nat(),
  stepMin: anyInteger,
  latest: anyPoint,
});

test("any head comes back exactly as it was written", () => {
  const heads = fc.record({ seriesNo: fc.nat(), attempts: fc.array(anyRow) });
  fc.assert(
    fc.property(heads, (head) => {
      expect(decodeSeriesHead(encodeSeriesHead(head))).toEqual(head);
    }),
  );
});

test("a cut head is reported as corrupt data", () => {
  const bytes = encodeSeriesHead({ seriesNo: 1, attempts: [] }).subarray(0, 5);
  expect(() => decodeSeriesHead(bytes)).toThrow(/can't be read/);
});

test("only the points from the index on are counted in", () => {
  const columns = columnsOf(lossCurve(10));
  const first = extendAttempt(null, 1, columnsOf(lossCurve(4)), 0);
  const both = extendAttempt(first, 1, columns, 4);
  expect(both).toMatchObject({ points: 10, stepMin: 0, latest: { step: 9 } });
});

test("the latest value is the newest attempt's, also when an earlier one got further", () => {
  const first = extendAttempt(null, 1, columnsOf(lossCurve(1_000)), 0);
  const second = extendAttempt(null, 2, columnsOf(lossCurve(3, 500)), 0);
  const head: SeriesHead = { seriesNo: 1, attempts: [] };
  for (const rows of [
    [first, second],
    [second, first],
  ]) {
    const filled = rows.reduce(withAttempt, head);
    expect(filled.attempts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(seriesLatest(filled)?.step).toBe(502);
  }
});
