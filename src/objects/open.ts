// From a URL to a working object store.

import { RefusalError } from "../base/errors.ts";
import type { Clock } from "../base/time.ts";
import { openFolderStore } from "./folder.ts";
import type { ObjectStore } from "./port.ts";
import { parseObjectStoreUrl } from "./url.ts";

export interface OpenOptions {
  /**
   * Set a missing or empty folder up as a store. The scheduler does; agents say false, so that a
   * shared file system that is not mounted is noticed instead of being written around. Default
   * true.
   */
  readonly create?: boolean;
  readonly clock: Clock;
}

/** Throws `RefusalError` for a URL that is wrong and `Fault` for a store that is not there. */
export async function openObjectStore(url: string, options: OpenOptions): Promise<ObjectStore> {
  const parsed = parseObjectStoreUrl(url);
  switch (parsed.kind) {
    case "refusal":
      throw new RefusalError(parsed);
    case "folder": {
      const create = options.create ?? true;
      return await openFolderStore(parsed.path, { create, nowMs: options.clock.nowMs() });
    }
    case "s3": {
      // The SDK takes 50 ms to load: only those who use S3 pay for it.
      const { openS3Store } = await import("./s3.ts");
      return await openS3Store(parsed);
    }
  }
}
