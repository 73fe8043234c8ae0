// Unix sockets by a path of any length. The kernel takes at most 107 bytes, and state folders may be
// deep: the folder is opened and the socket named through its descriptor.

import { closeSync, openSync } from "node:fs";
import { basename, dirname } from "node:path";

export interface ShortPath {
  /** Names the same place; valid until `close`. */
  readonly path: string;
  /** May be called again: a socket that is connected can still fail later. */
  close(): void;
}

export function shortPath(path: string): ShortPath {
  const folder = openSync(dirname(path), "r");
  let isOpen = true;
  return {
    path: `/proc/self/fd/${folder}/${basename(path)}`,
    close: () => {
      if (isOpen) closeSync(folder);
      isOpen = false;
    },
  };
}
