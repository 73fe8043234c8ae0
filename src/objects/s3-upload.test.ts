import { describe, expect, test } from "vitest";
import { partBytesFor } from "./s3-upload.ts";

const MIB = 1024 * 1024;
const TIB = 1024 * 1024 * MIB;

describe("parts of an upload", () => {
  test("are 64 MiB, and larger only where there would be too many", () => {
    expect(partBytesFor(1)).toBe(64 * MIB);
    expect(partBytesFor(500 * 1024 * MIB)).toBe(64 * MIB);
    for (const sizeBytes of [1, MIB, 700 * 1024 * MIB, TIB, 5 * TIB, 40 * TIB]) {
      expect(Math.ceil(sizeBytes / partBytesFor(sizeBytes))).toBeLessThanOrEqual(9_000);
      expect(partBytesFor(sizeBytes)).toBeLessThanOrEqual(5 * 1024 * MIB);
    }
  });
});
