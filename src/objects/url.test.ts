import { describe, expect, test } from "vitest";
import { parseObjectStoreUrl } from "./url.ts";

const S3 = {
  kind: "s3",
  bucket: "bucket",
  prefix: "",
  endpoint: null,
  region: null,
  checksums: "when_supported",
  isPathStyle: false,
  parallel: 4,
};

describe("the object store's URL", () => {
  test("a folder is an absolute path", () => {
    expect(parseObjectStoreUrl("file:///srv/a%20b/")).toEqual({ kind: "folder", path: "/srv/a b" });
  });

  test("AWS needs a bucket and nothing else", () => {
    expect(parseObjectStoreUrl("s3://bucket")).toEqual(S3);
    expect(parseObjectStoreUrl("s3://bucket/a/b/")).toEqual({ ...S3, prefix: "a/b/" });
  });

  test("with an endpoint the defaults are what compatible stores need", () => {
    expect(parseObjectStoreUrl("s3://bucket?endpoint=http://127.0.0.1:9000/")).toEqual({
      ...S3,
      endpoint: "http://127.0.0.1:9000",
      region: "us-east-1",
      checksums: "when_required",
      isPathStyle: true,
    });
  });

  test("what is said wins over the defaults", () => {
    const rest = "region=eu-west-1&checksums=when_supported&path_style=false&parallel=16";
    expect(parseObjectStoreUrl(`s3://bucket?endpoint=https://s3.example.org&${rest}`)).toEqual({
      ...S3,
      endpoint: "https://s3.example.org",
      region: "eu-west-1",
      parallel: 16,
    });
  });

  test.each([
    ["", "objectStore"],
    ["/srv/store", "objectStore"],
    ["gs://bucket", "objectStore"],
    ["file://relative/path", "objectStore"],
    ["file:///", "objectStore"],
    ["file:///bad%zz", "objectStore"],
    ["file:///srv?region=x", "objectStore.region"],
    ["s3://key:secret@bucket", "objectStore"],
    ["s3:///prefix-only", "objectStore.bucket"],
    ["s3://UPPER", "objectStore.bucket"],
    ["s3://bucket/a//b", "objectStore.prefix"],
    ["s3://bucket?endpoint=127.0.0.1:9000", "objectStore.endpoint"],
    ["s3://bucket?endpoint=http://host/path", "objectStore.endpoint"],
    ["s3://bucket?region=Europe!", "objectStore.region"],
    ["s3://bucket?checksums=always", "objectStore.checksums"],
    ["s3://bucket?path_style=yes", "objectStore.path_style"],
    ["s3://bucket?parallel=0", "objectStore.parallel"],
    ["s3://bucket?parallel=65", "objectStore.parallel"],
    ["s3://bucket?paralel=4", "objectStore.paralel"],
  ])("%j is refused and the field named", (url, field) => {
    const refusal = parseObjectStoreUrl(url);
    expect(refusal).toMatchObject({ kind: "refusal", code: "INVALID_OPTION", field });
    expect(refusal).toHaveProperty("remedy", expect.stringMatching(/\S/));
  });

  test("a refusal never repeats a secret", () => {
    expect(JSON.stringify(parseObjectStoreUrl("s3://key:secret@bucket"))).not.toContain("secret@");
  });
});
