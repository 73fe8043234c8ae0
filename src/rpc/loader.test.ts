import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { expect, test } from "vitest";
import { regenerate } from "./generate.ts";
import { decodeService } from "./loader.ts";
import { PROTO_FILES, PROTO_FOLDER } from "./proto-files.ts";
import { readProtoRoot } from "./proto-root.ts";

test("the generated types are those of the proto files", async () => {
  const folder = await mkdtemp(join(tmpdir(), "trainyard-gen-"));
  try {
    const fresh = join(folder, "gen");
    await regenerate(fresh);
    const committed = fileURLToPath(new URL("gen", import.meta.url));
    const files = await filesBelow(fresh);
    expect(files.length).toBeGreaterThan(50);
    expect(await filesBelow(committed)).toEqual(files);
    const stale: string[] = [];
    for (const file of files) {
      const [made, kept] = await Promise.all([
        readFile(join(fresh, file), "utf8"),
        readFile(join(committed, file), "utf8"),
      ]);
      if (kept !== made) stale.push(file);
    }
    expect(stale).toEqual([]); // Otherwise: `npm run gen`.
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("every proto file in the folder is generated from, or imported by one that is", async () => {
  const files = (await filesBelow(PROTO_FOLDER)).filter((file) => file.endsWith(".proto"));
  const listed = new Set<string>(PROTO_FILES);
  const others = files.filter((file) => !listed.has(file));
  expect(others).toEqual(["trainyard/v1/common.proto"]);
});

test("a service definition knows its methods and is read once", () => {
  const jobs = decodeService("JobService");
  expect(jobs.SubmitJob.path).toBe("/trainyard.v1.JobService/SubmitJob");
  expect(decodeService("JobService")).toBe(jobs);
});

test("a built program's definitions, from JSON, say the same as the proto files", () => {
  const read = readProtoRoot();
  const built = protobuf.Root.fromJSON(JSON.parse(JSON.stringify(read.toJSON())));
  const described = (root: protobuf.Root): unknown => root.resolveAll().toJSON();
  expect(described(built)).toEqual(JSON.parse(JSON.stringify(described(read))));
  expect(built.lookupService("trainyard.v1.JobService").methodsArray.length).toBeGreaterThan(5);
});

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
