import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkpointId, digest, jobId } from "../../base/ids.ts";
import {
  decodeManifest,
  decodePart,
  encodeManifest,
  encodePart,
  isSafePath,
  type Manifest,
  type PartDocument,
} from "./documents.ts";

const DIGEST = digest("ab".repeat(32));
const PART: PartDocument = {
  jobId: jobId("job-1"),
  attempt: 2,
  rank: 1,
  step: 30,
  layout: "dcp",
  files: [{ path: "step-30/__1_0.distcp", sizeBytes: 7, digest: DIGEST, mode: 0o644 }],
  requires: ["step-30/__1_0.distcp"],
};
const MANIFEST: Manifest = {
  jobId: jobId("job-1"),
  checkpointId: checkpointId("job-1/000000000030-2"),
  attempt: 2,
  step: 30,
  parts: [
    { rank: 0, digest: DIGEST, sizeBytes: 7 },
    { rank: 3, digest: DIGEST, sizeBytes: 8 },
  ],
};

const refusalOf = (text: string) => ({
  part: decodePart(text),
  manifest: decodeManifest(text),
});

describe("documents", () => {
  test("are read back as they were written", () => {
    expect(decodePart(encodePart(PART))).toEqual(PART);
    expect(decodeManifest(encodeManifest(MANIFEST))).toEqual(MANIFEST);
  });

  test("are the same bytes in whatever order their content came", () => {
    const segment = fc.stringMatching(/^[a-z0-9_é][a-z0-9._é-]{0,8}$/);
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    const file = fc.record({
      path,
      sizeBytes: fc.nat(),
      digest: fc.constant(DIGEST),
      mode: fc.constantFrom(0o600, 0o755),
    });
    const files = fc.uniqueArray(file, { selector: (one) => one.path, maxLength: 8 });
    fc.assert(
      fc.property(files, (own) => {
        const text = encodePart({ ...PART, files: own });
        expect(encodePart({ ...PART, files: own.toReversed() })).toBe(text);
        expect(encodePart({ ...PART, ...decodePart(text) })).toBe(text);
      }),
    );
  });

  test.each([
    ["no JSON", "{"],
    ["another version", encodePart(PART).replace('"version":1', '"version":2')],
    ["an unknown field", encodePart(PART).replace("{", '{"extra":1,')],
    ["a negative size", encodePart(PART).replace('"sizeBytes":7', '"sizeBytes":-7')],
    ["a fraction", encodePart(PART).replace('"step":30', '"step":30.5')],
    ["a path that leaves the folder", encodePart(PART).replaceAll("step-30/", "../")],
    ["a path that is absolute", encodePart(PART).replaceAll("step-30/", "/")],
    ["a digest that is none", encodePart(PART).replace("abab", "ABAB")],
    ["a mode that sets ids", encodePart(PART).replace(`"mode":${0o644}`, `"mode":${0o4755}`)],
    ["white space", encodePart(PART).replace("{", "{ ")],
    ["null", "null"],
    ["a list", "[]"],
  ])("are refused with %s", (_what, text) => {
    const { part, manifest } = refusalOf(text);
    expect(part).toMatchObject({ kind: "refusal", code: "STORE_CORRUPT" });
    expect(manifest).toMatchObject({ kind: "refusal", code: "STORE_CORRUPT" });
  });

  test("name the field that is wrong", () => {
    const text = encodePart(PART).replace('"sizeBytes":7', '"sizeBytes":"7"');
    expect(decodePart(text)).toMatchObject({ field: "files[0].sizeBytes" });
  });

  test("do not hold a file or a rank twice", () => {
    const [file] = PART.files;
    const twice = { ...PART, files: [file, file].flatMap((one) => one ?? []) };
    expect(decodePart(encodePart(twice))).toMatchObject({ kind: "refusal", field: "files" });
    const [part] = MANIFEST.parts;
    const ranks = { ...MANIFEST, parts: [part, part].flatMap((one) => one ?? []) };
    expect(decodeManifest(encodeManifest(ranks))).toMatchObject({ kind: "refusal" });
  });

  test.each(["", "/a", "a/", "a//b", ".", "a/../b", "..", "a\0b", "a\\b", "x".repeat(4097)])(
    "do not accept the path %j",
    (path) => {
      expect(isSafePath(path)).toBe(false);
    },
  );
});
