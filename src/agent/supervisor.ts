// Entry point of the small process that outlives the agent. Waits on stdin for the order of one
// task, answers on stdout, then obeys its socket. The agent keeps one waiting ahead of need, since
// starting Node takes longer than starting the task.
//
// Its one argument, where cgroups are permitted, is the folder of the task's cgroup: it goes in
// while it waits (moving a process takes milliseconds), lets the task be born there, and leaves.

import { spawn } from "node:child_process";
import { unlinkSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { enterCgroup, joinCgroup, ownCgroup, removeCgroup } from "./cgroup.ts";
import { isErrno } from "./proc.ts";
import { Supervision } from "./supervise.ts";
import {
  type LaunchOrder,
  parseLaunchOrder,
  parseSupervisorCommand,
  TASK_FILES,
} from "./supervisor-protocol.ts";
import { shortPath } from "./unix-socket.ts";

/** An order that came with the start is not to wait for the warm-up. */
const WARM_UP_AFTER_MS = 20;
/** A line on the socket is a command of a few words. */
const COMMAND_BYTES_MAX = 4_096;

// The task ends by the protocol only: a signal that was meant for the agent's group or session is
// not meant for it.
for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) process.on(name, () => {});
// The agent may be gone when the answer is written.
process.stdout.on("error", () => {});
// Its log lies on the disk that the task may fill: a second line that fails would end the process.
process.stderr.on("error", () => {});

const home = ownCgroup();
const folder = process.argv[2];
const cgroup = home !== null && folder !== undefined && enterCgroup(folder) ? folder : null;

const lines = createInterface({ input: process.stdin });
let hasOrder = false;
setTimeout(() => {
  if (!hasOrder) warmUp();
}, WARM_UP_AFTER_MS).unref();
lines.once("line", (line) => {
  hasOrder = true;
  void run({ ...parseLaunchOrder(line), cgroup });
});
lines.once("close", () => {
  // The agent went away, or stopped, before it had a use for this process.
  if (hasOrder) return;
  if (leaveCgroup()) removeCgroup(cgroup);
  process.exit(0);
});

/**
 * What Node loads and compiles for its first socket and its first process takes 2 ms of a core:
 * more than half of what a start costs here, and a gang's starts may share the cores. So both are
 * done once for nothing: a socket that has no file, and a program that ends at once.
 */
function warmUp(): void {
  const server = createServer();
  server.on("error", () => {});
  server.listen(`\0trainyard-warm-up-${process.pid}`, () => server.close());
  const child = spawn("true", [], { cwd: "/", detached: true, stdio: "ignore" });
  child.on("error", () => {});
}

async function run(order: LaunchOrder): Promise<void> {
  const supervision = new Supervision(order, () => process.exit(0));
  await listen(join(order.root, TASK_FILES.socket), supervision);
  const answer = await supervision.launch();
  process.stdout.end(`${JSON.stringify(answer)}\n`, () => {
    if (leaveCgroup() && cgroup !== null) supervision.useCgroup(cgroup);
    if (answer.kind === "failed") process.exit(1);
  });
}

function leaveCgroup(): boolean {
  return cgroup !== null && home !== null && joinCgroup(home, process.pid);
}

function listen(path: string, supervision: Supervision): Promise<void> {
  const short = shortPath(path);
  removeStale(short.path);
  const server = createServer((socket) => serve(socket, supervision));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(short.path, () => resolve());
  });
}

function serve(socket: Socket, supervision: Supervision): void {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    text += String(chunk);
    if (text.length > COMMAND_BYTES_MAX) socket.destroy();
    const complete = text.split("\n");
    text = complete.pop() ?? "";
    for (const line of complete) obey(line, supervision, socket);
  });
}

function obey(line: string, supervision: Supervision, socket: Socket): void {
  try {
    supervision.obey(parseSupervisorCommand(line));
    socket.write("ok\n");
  } catch (error) {
    // What somebody else wrote to the socket must not end the supervision.
    console.error("command:", error);
    socket.destroy();
  }
}

function removeStale(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}
