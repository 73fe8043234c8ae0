import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digest, jobId } from "../../base/ids.ts";
import { isSafePath, type PartDocument } from "./documents.ts";
import { shardNamesIn, unionOf, whatIsMissing } from "./union.ts";

const digestOf = (text: string) => digest(text.repeat(64).slice(0, 64));

function part(
  rank: number,
  contents: Readonly<Record<string, string>>,
  change: Partial<PartDocument> = {},
): PartDocument {
  const files = Object.entries(contents).map(([path, text]) => {
    return { path, sizeBytes: text.length, digest: digestOf(text), mode: 0o644 };
  });
  const at = { jobId: jobId("job-1"), attempt: 1, rank, step: 1 };
  return { ...at, layout: "torch", files, requires: [], ...change };
}

const restored = (...parts: readonly PartDocument[]) =>
  Object.fromEntries(unionOf(parts).map((file) => [file.path, file.digest[0]]));

describe("the union of all nodes' files", () => {
  test("has every file once, and identical ones only in their place", () => {
    expect(restored(part(0, { a: "1", b: "2" }), part(1, { a: "1", c: "3" }))).toEqual({
      a: "1",
      b: "2",
      c: "3",
    });
  });

  test("keeps the lowest rank's bytes in place, and others' in the rank's own folder", () => {
    const parts = [part(2, { "s/rng.pt": "c" }), part(0, { "s/rng.pt": "a" })];
    expect(restored(...parts)).toEqual({ "s/rng.pt": "a", "node-2/s/rng.pt": "c" });
  });

  test("resolves a file of one where another has a folder", () => {
    expect(restored(part(0, { a: "1" }), part(1, { "a/b": "2" }))).toEqual({
      a: "1",
      "node-1/a/b": "2",
    });
  });

  test("loses no bytes, invents none, and can always be written to a disk", () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "node-1"), { minLength: 1, maxLength: 3 })
      .map((segments) => segments.join("/"));
    const contents = fc.dictionary(path, fc.constantFrom("1", "2"), { maxKeys: 5 });
    fc.assert(
      fc.property(fc.array(contents, { maxLength: 4 }), (nodes) => {
        const parts = nodes.map((own, rank) => part(rank, own));
        const union = unionOf(parts);
        const paths = union.map((file) => file.path);
        expect(new Set(paths).size).toBe(paths.length);
        for (const one of paths) {
          expect(isSafePath(one)).toBe(true);
          expect(paths.filter((other) => other.startsWith(`${one}/`))).toEqual([]);
        }
        const digests = (files: readonly { digest: string }[]) =>
          new Set(files.map((file) => file.digest));
        expect(digests(union)).toEqual(digests(parts.flatMap((one) => one.files)));
        expect(unionOf(parts.toReversed())).toEqual(union);
      }),
    );
  });
});

describe("parts make a whole", () => {
  const shards = { layout: "dcp" as const };
  const coordinator = { layout: "dcp" as const, requires: ["s/__0_0.distcp", "s/__1_0.distcp"] };

  test("when all that the metadata speaks of is there, on whichever node", () => {
    const zero = part(0, { "s/.metadata": "m", "s/__0_0.distcp": "0" }, coordinator);
    expect(whatIsMissing([zero, part(1, { "s/__1_0.distcp": "1" }, shards)])).toBeNull();
    expect(whatIsMissing([zero])?.message).toContain("s/__1_0.distcp");
    expect(whatIsMissing([zero, part(1, {}, shards)])?.message).toContain("s/__1_0.distcp");
  });

  test("never when shards lack their metadata, or there is nothing at all", () => {
    const lonely = part(1, { "s/__1_0.distcp": "1" }, shards);
    expect(whatIsMissing([lonely])?.message).toContain(".metadata");
    expect(whatIsMissing([part(0, {})])?.message).toContain("No node");
    expect(whatIsMissing([part(0, { "a.pt": "1" })])).toBeNull();
  });

  test("names of shards are read out of the pickle, each once", () => {
    const pickle = "\x80\x02X\f\0\0\0__0_0.distcpq\x01X\r\0\0\0__12_3.distcp__0_0.distcp";
    expect(shardNamesIn(pickle)).toEqual(["__0_0.distcp", "__12_3.distcp"]);
  });
});
