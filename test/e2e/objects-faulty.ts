// An object store that goes away, lies and loses, on demand: a wrapper around a real one.

import { storeUnavailable } from "../../src/objects/faults.ts";
import type { ObjectStore } from "../../src/objects/port.ts";

export type Method = "put" | "putFile" | "get" | "getFile" | "head" | "list" | "delete";

export interface FaultyStore extends ObjectStore {
  /** Every call fails as when the network is gone. */
  isAway: boolean;
  /** Keys of the calls so far, by method, whether they failed or not. */
  readonly calls: Readonly<Record<Method, string[]>>;
  /** Runs before each call that gets through; may wait, change the world, or throw. */
  before: (method: Method, key: string) => Promise<void>;
  /** Notes of uploads: asked for with the files put, and dropped. */
  readonly notes: { readonly asked: string[]; readonly dropped: string[] };
  /** Puts for which this says so are acknowledged and forgotten. */
  loses: (key: string) => boolean;
}

export function createFaultyStore(inner: ObjectStore): FaultyStore {
  const calls: Record<Method, string[]> = {
    put: [],
    putFile: [],
    get: [],
    getFile: [],
    head: [],
    list: [],
    delete: [],
  };
  const enter = async (method: Method, key: string): Promise<void> => {
    calls[method].push(key);
    if (store.isAway) throw storeUnavailable(inner.name, `cannot ${method} ${key}: it is away`);
    await store.before(method, key);
  };
  const store: FaultyStore = {
    name: inner.name,
    isAway: false,
    calls,
    before: async () => {},
    notes: { asked: [], dropped: [] },
    loses: () => false,
    put: async (key, bytes, options) => {
      await enter("put", key);
      return store.loses(key) ? "stored" : await inner.put(key, bytes, options);
    },
    putFile: async (key, path, content, options) => {
      if (options?.notePath !== undefined) store.notes.asked.push(options.notePath);
      await enter("putFile", key);
      return store.loses(key) ? "stored" : await inner.putFile(key, path, content, options);
    },
    dropUpload: async (notePath, options) => {
      store.notes.dropped.push(notePath);
      await inner.dropUpload(notePath, options);
    },
    get: async (key, options) => {
      await enter("get", key);
      return await inner.get(key, options);
    },
    getFile: async (key, path, content, options) => {
      await enter("getFile", key);
      await inner.getFile(key, path, content, options);
    },
    head: async (key, options) => {
      await enter("head", key);
      return await inner.head(key, options);
    },
    list: async function* (prefix, options) {
      await enter("list", prefix);
      yield* inner.list(prefix, options);
    },
    unfinished: (prefix, options) => inner.unfinished(prefix, options),
    dropUnfinished: (uploads, options) => inner.dropUnfinished(uploads, options),
    delete: async (keys, options) => {
      for (const key of keys) await enter("delete", key);
      await inner.delete(keys, options);
    },
    close: async () => await inner.close(),
  };
  return store;
}
