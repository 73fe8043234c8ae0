// Code bundles: a tar.gz named by its sha256. Unpacks one and refuses what is not what it says.

import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar";
import { refuse, RefusalError } from "../base/errors.ts";
import type { Digest } from "../base/ids.ts";

/** Files that one bundle may hold; more is a mistake (a dataset, a virtual environment). */
const ENTRIES_MAX = 200_000;

/**
 * Unpacks into `destDir`, which exists. Links and paths that lead out of it are left out by tar.
 * Rejects with STORE_CORRUPT when the bytes do not hash to `digest`; then the folder is to be
 * thrown away.
 */
export async function unpackBundle(
  source: Readable,
  digest: Digest,
  destDir: string,
): Promise<void> {
  const hash = createHash("sha256");
  let entries = 0;
  await pipeline(
    source,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    extract({
      cwd: destDir,
      strict: true,
      preserveOwner: false,
      filter: () => {
        entries += 1;
        return entries <= ENTRIES_MAX;
      },
    }),
  );
  if (entries > ENTRIES_MAX) {
    throw new RefusalError(
      refuse(
        "TOO_LARGE",
        `bundle ${digest} has more than ${ENTRIES_MAX} entries`,
        "Leave data and environments out of it with .gitignore.",
      ),
    );
  }
  const found = hash.digest("hex");
  if (found === digest) return;
  throw new RefusalError(
    refuse("STORE_CORRUPT", `bundle ${digest} hashes to ${found}`, "Submit the job again."),
  );
}
