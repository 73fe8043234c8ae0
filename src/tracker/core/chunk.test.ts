import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CHUNK_BYTES_MAX,
  CHUNK_POINTS_MAX,
  decodeChunk,
  encodeChunk,
  summarizeChunk,
} from "./chunk.ts";
import {
  anyInteger,
  anyPoint,
  anyValue,
  columnsOf,
  lossCurve,
  rowsOf,
} from "../../../test/property/tracker-points.ts";
import { type Point, PointBuffer } from "./points.ts";

function pack(points: readonly Point[]): readonly Uint8Array[] {
  const columns = columnsOf(points);
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < columns.length; ) {
    const { bytes, count } = encodeChunk(columns, from);
    chunks.push(bytes);
    from += count;
  }
  return chunks;
}

function unpack(chunks: readonly Uint8Array[]): readonly Point[] {
  const into = new PointBuffer();
  for (const bytes of chunks) decodeChunk(bytes, into);
  return rowsOf(into);
}

test("any points come back exactly as they were packed", () => {
  const points = fc.array(anyPoint, { minLength: 1, maxLength: 600, size: "max" });
  fc.assert(
    fc.property(points, (rows) => {
      expect(unpack(pack(rows))).toEqual(rows);
    }),
    { numRuns: 300 },
  );
});

test("regular points come back too: constant distances take no room", () => {
  const regular = fc.record({
    first: anyInteger,
    stride: fc.integer({ min: -100_000, max: 100_000 }),
    timeStride: fc.integer({ min: 0, max: 2 ** 33 }),
    values: fc.array(anyValue, { minLength: 1, maxLength: 2_000, size: "max" }),
  });
  fc.assert(
    fc.property(regular, ({ first, stride, timeStride, values }) => {
      const start = Math.trunc(first / 2) + 0;
      const rows = values.map((value, i) => ({
        step: start + i * stride + 0,
        timestampMs: i * timeStride,
        value,
      }));
      expect(unpack(pack(rows))).toEqual(rows);
    }),
    { numRuns: 100 },
  );
});

test("differences on both sides of each width come back", () => {
  const edges = [0, 2 ** 7, 2 ** 15, 2 ** 16, 2 ** 31, 2 ** 32, 2 ** 40];
  const near = edges.flatMap((edge) => [-edge - 1, -edge, -edge + 1, edge - 1, edge, edge + 1]);
  const differences = fc.array(fc.constantFrom(...near), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(differences, differences, (stepDifferences, timeDifferences) => {
      let step = 0;
      let timestampMs = 0;
      const rows = stepDifferences.map((difference, i) => {
        step += difference;
        timestampMs += timeDifferences[i] ?? 0;
        return { step: step + 0, timestampMs: timestampMs + 0, value: i };
      });
      expect(unpack(pack(rows))).toEqual(rows);
    }),
    { numRuns: 500 },
  );
});

test("a chunk never outgrows its page, nor its number of points", () => {
  fc.assert(
    fc.property(fc.array(anyPoint, { minLength: 1, maxLength: 3_000, size: "max" }), (rows) => {
      for (const bytes of pack(rows)) {
        expect(bytes.length).toBeLessThanOrEqual(CHUNK_BYTES_MAX);
        expect(summarizeChunk(bytes).count).toBeLessThanOrEqual(CHUNK_POINTS_MAX);
      }
    }),
    { numRuns: 50 },
  );
});

test("a typical curve takes at most 11 bytes a point", () => {
  const bytes = pack(lossCurve(10_000)).reduce((sum, chunk) => sum + chunk.length, 0);
  expect(bytes / 10_000).toBeLessThan(11);
});

test("values that are float32 take half the room", () => {
  const rows = lossCurve(10_000).map((point) => ({ ...point, value: Math.fround(point.value) }));
  const bytes = pack(rows).reduce((sum, chunk) => sum + chunk.length, 0);
  expect(bytes / 10_000).toBeLessThan(7);
});

test("appending to what an open chunk holds gives the same chunks as packing all at once", () => {
  const rows = lossCurve(1_500);
  const [first = new Uint8Array()] = pack(rows.slice(0, 100));
  const reopened = [...unpack([first]), ...rows.slice(100)];
  expect(pack(reopened)).toEqual(pack(rows));
});

test("the summary names the range of steps, wherever the extremes are", () => {
  fc.assert(
    fc.property(fc.array(anyPoint, { minLength: 1, maxLength: 100 }), (rows) => {
      const columns = columnsOf(rows);
      const { bytes, count } = encodeChunk(columns, 0);
      const steps = rows.slice(0, count).map(({ step }) => step);
      expect(summarizeChunk(bytes)).toEqual({
        count,
        stepMin: Math.min(...steps),
        stepMax: Math.max(...steps),
      });
    }),
  );
});

test("a chunk is read wherever it lies in a larger buffer", () => {
  const rows = lossCurve(77);
  const [bytes = new Uint8Array()] = pack(rows);
  for (const offset of [1, 3, 8]) {
    const page = new Uint8Array(offset + bytes.length + 5);
    page.set(bytes, offset);
    expect(unpack([page.subarray(offset, offset + bytes.length)])).toEqual(rows);
  }
});

test.each([
  ["nothing", new Uint8Array()],
  ["a cut chunk", pack(lossCurve(100))[0]?.subarray(0, 500) ?? new Uint8Array()],
  ["a chunk of a later format", Uint8Array.from([2, ...(pack(lossCurve(3))[0] ?? []).slice(1)])],
  ["zeroes", new Uint8Array(64)],
])("%s is reported as corrupt data", (_, bytes) => {
  expect(() => decodeChunk(bytes, new PointBuffer())).toThrow(/metric chunk can't be read/);
});
