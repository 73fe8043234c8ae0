// Who has a data folder open: at most one process. Owns the `owner-<pid>-<nonce>.sock` files in it.
//
// A pid file lies after a crash (the pid is given again, or belongs to another container). Here each
// process listens on a socket of its own and looks whether another one's socket answers: the kernel
// knows, also after kill -9 and across containers. Each listens before it looks, so that of two that
// start at the same moment at least one sees the other.

import { randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, rmSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { Fault } from "../base/errors.ts";

export interface Ownership {
  release(): Promise<void>;
}

/** Bytes that the kernel takes as a socket's path, with some room. */
const SOCKET_PATH_BYTES_MAX = 100;
const SOCKET_NAME = /^owner-(\d+)-[0-9a-f]+\.sock$/;

/** Throws `DATA_FOLDER_IN_USE` when another live process owns `folder`. */
export async function takeOwnership(folder: string): Promise<Ownership> {
  const name = `owner-${process.pid}-${randomBytes(6).toString("hex")}.sock`;
  const reach = reachable(folder);
  const server = await listen(reach.path(name), folder);
  const release = async (): Promise<void> => {
    await new Promise<void>((resolve) => server.close(() => resolve()));
    rmSync(join(folder, name), { force: true });
    reach.close();
  };
  try {
    await refuseOthers(folder, name, reach);
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

async function refuseOthers(folder: string, own: string, reach: Reach): Promise<void> {
  for (const name of readdirSync(folder)) {
    const pid = SOCKET_NAME.exec(name)?.[1];
    if (pid === undefined || name === own) continue;
    if (await answers(reach.path(name))) {
      throw new Fault(
        "DATA_FOLDER_IN_USE",
        `Data folder ${folder} is in use by process ${pid}. ` +
          "Stop that process, or start this one on another folder " +
          "(--data-dir, --state-dir, or --dir of `up`).",
        { isRetryable: false },
      );
    }
    // Names are never given twice, so what does not answer now is dead for good.
    rmSync(join(folder, name), { force: true });
  }
}

interface Reach {
  path(name: string): string;
  close(): void;
}

/** A way to name sockets in `folder` that is short enough, however long the folder's path is. */
function reachable(folder: string): Reach {
  if (Buffer.byteLength(join(folder, "owner-4194304-000000000000.sock")) <= SOCKET_PATH_BYTES_MAX) {
    return { path: (name) => join(folder, name), close: () => undefined };
  }
  const fd = openSync(folder, "r");
  return { path: (name) => `/proc/self/fd/${fd}/${name}`, close: () => closeSync(fd) };
}

function listen(path: string, folder: string): Promise<net.Server> {
  const server = net.createServer((socket) => socket.destroy());
  server.unref();
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new Fault(
          "DATA_NOT_WRITTEN",
          `Data folder ${folder} cannot be locked: ${cause.message}. ` +
            "It must be writable and on a local file system (not NFS).",
          { cause, isRetryable: false },
        ),
      );
    });
    server.listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path);
    const finish = (isAlive: boolean): void => {
      socket.destroy();
      resolve(isAlive);
    };
    socket.once("connect", () => finish(true));
    // EAGAIN: it listens, but so many are asking that its backlog is full.
    socket.once("error", (error: NodeJS.ErrnoException) => finish(error.code === "EAGAIN"));
  });
}
