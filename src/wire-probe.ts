// Wires the doctor to the object store: one small object there and back.

import { randomUUID } from "node:crypto";
import { Fault } from "./base/errors.ts";
import { openObjectStore } from "./objects/open.ts";

/** Writes, reads back and deletes one object. Throws `RefusalError` or `Fault` with the reason. */
export async function probeObjectStore(url: string): Promise<void> {
  const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
  const store = await openObjectStore(url, { create: false, clock });
  const key = `probe/${randomUUID()}`;
  const written = Buffer.from(key);
  try {
    await store.put(key, written);
    const read = await store.get(key);
    await store.delete([key]);
    if (read === null || !read.equals(written)) {
      throw new Fault("STORE_CORRUPT", `${store.name} gives back other bytes than were written.`);
    }
  } finally {
    await store.close();
  }
}
