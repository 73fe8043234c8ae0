// A code bundle from the object store into a folder of this node: verified, then unpacked. Nothing
// in a bundle can write outside of that folder.

import { rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { extract, type ReadEntry } from "tar";
import { Fault, RefusalError, refuse } from "../base/errors.ts";
import type { Digest } from "../base/ids.ts";
import {
  errnoOf,
  isDiskFull,
  messageOf,
  refusingCorrupt,
  storeCorrupt,
} from "../objects/faults.ts";
import type { CallOptions, ObjectStore } from "../objects/port.ts";
import { isInside } from "./bundle.ts";
import { bundleKey } from "./core/keys.ts";

const UNPACKED_BYTES_MAX = 4 * 1024 * 1024 * 1024;
const SUBMIT_AGAIN = "Submit the job again, with its code.";

/**
 * Unpacks into `destDir`, which exists and is empty; after an error it is to be thrown away.
 * Throws a `RefusalError` of `BUNDLE_NOT_FOUND` or `STORE_CORRUPT` (other bytes, or an entry that
 * leads outside), and a `Fault` when the store is away or the disk is full.
 */
export async function fetchBundle(
  objects: ObjectStore,
  digest: Digest,
  destDir: string,
  options: CallOptions = {},
): Promise<void> {
  const key = bundleKey(digest);
  const there = await objects.head(key, options);
  if (there === null) {
    const message = `${objects.name} has no code bundle ${digest}.`;
    throw new RefusalError(refuse("BUNDLE_NOT_FOUND", message, SUBMIT_AGAIN, "bundle.digest"));
  }
  const archive = `${resolve(destDir)}.tar.gz`;
  await refusingCorrupt(SUBMIT_AGAIN, async () => {
    try {
      const content = { digest, sizeBytes: there.sizeBytes };
      await objects.getFile(key, archive, content, options);
      const bad = await unpack(archive, resolve(destDir));
      if (bad !== "") throw storeCorrupt(objects.name, key, `cannot be unpacked: ${bad}`);
    } finally {
      await rm(archive, { force: true });
    }
  });
}

/** What is wrong with the archive; empty = it is unpacked. */
async function unpack(archive: string, root: string): Promise<string> {
  let bad = "";
  let sumBytes = 0;
  const isFine = (path: string, entry: ReadEntry): boolean => {
    sumBytes += entry.size;
    bad ||= whatIsWrong(root, path, entry);
    if (sumBytes > UNPACKED_BYTES_MAX) bad ||= `it is more than ${UNPACKED_BYTES_MAX} bytes`;
    return bad === "";
  };
  try {
    await extract({
      file: archive,
      cwd: root,
      strict: true,
      preserveOwner: false,
      // Typed for packing as well, where the second argument is another thing.
      filter: (path, entry) => "linkpath" in entry && isFine(path, entry),
    });
    return bad;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) return bad === "" ? messageOf(error) : bad;
    const code = isDiskFull(errno) ? "DISK_FULL" : "LOCAL_FILE";
    throw new Fault(code, `Cannot unpack into ${root}: ${messageOf(error)}`, { cause: error });
  }
}

/** Why an entry may not be unpacked; empty = it may. */
function whatIsWrong(root: string, path: string, entry: ReadEntry): string {
  if (path.startsWith("/") || !isInside(root, resolve(root, path))) return `${path} leads outside`;
  switch (entry.type) {
    case "File":
    case "OldFile":
    case "ContiguousFile":
    case "Directory":
      return "";
    case "SymbolicLink": {
      const target = entry.linkpath ?? "";
      const isInner =
        !target.startsWith("/") && isInside(root, resolve(root, dirname(path), target));
      return isInner ? "" : `the link ${path} leads outside, to ${target}`;
    }
    default:
      return `${path} is a ${entry.type}`;
  }
}
