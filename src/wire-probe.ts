// For `trainyard doctor`: whether the object store does what is needed of it.

import { randomUUID } from "node:crypto";
import { Fault } from "./base/errors.ts";
import { openObjectStore } from "./objects/open.ts";
import { REAL_CLOCK } from "./wire-clock.ts";

/** Writes, reads back and deletes one small object. Throws what went wrong. */
export async function probeObjectStore(url: string): Promise<void> {
  const store = await openObjectStore(url, { create: false, clock: REAL_CLOCK });
  const key = `probe/${randomUUID()}`;
  const bytes = Buffer.from(key);
  try {
    await store.put(key, bytes);
    const read = await store.get(key);
    if (read === null || !read.equals(bytes)) {
      throw new Fault("STORE_CORRUPT", `${store.name} gave back other bytes than it was given.`);
    }
    await store.delete([key]);
  } finally {
    await store.close();
  }
}
