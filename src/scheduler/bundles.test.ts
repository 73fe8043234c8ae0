import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { PutBundleRequest__Output } from "../rpc/gen/trainyard/v1/PutBundleRequest.ts";
import { Bundles } from "./bundles.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trainyard-bundles-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const DIGEST = "ab".repeat(32);
const store = {
  head: () => Promise.resolve(null),
  putFile: () => Promise.resolve("stored" as const),
  delete: () => Promise.resolve(),
};

/** Says what it brings, and then nothing more. */
async function* stalled(): AsyncGenerator<PutBundleRequest__Output> {
  yield { digest: DIGEST, sizeBytes: 10, data: Buffer.from("12345") };
  await new Promise(() => undefined);
}

test("an upload that has gone silent is given up, and leaves neither file nor place taken", async () => {
  const bundles = new Bundles({
    store,
    folder,
    newId: () => "1",
    monotonicMs: () => 0,
    idleMs: 20,
  });
  for (let round = 0; round < 9; round += 1) {
    const uploaded = bundles.receive(stalled(), new AbortController().signal);
    await expect(uploaded).rejects.toMatchObject({ refusal: { code: "DEADLINE_PASSED" } });
  }
  expect(await readdir(folder)).toEqual([]);
});
