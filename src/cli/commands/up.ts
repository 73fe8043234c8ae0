// `trainyard up`: a whole cluster on this machine. Settles the options and hands over.

import { resolveUp, UP_OPTIONS } from "../../config/up-options.ts";
import { defineCommand } from "../command.ts";

export const up = defineCommand({
  name: "up",
  summary: "Run a whole cluster on this machine",
  details: `A scheduler with its tracker, and agents with the machine's GPUs, or virtual ones where
there are none. Ctrl-C stops it; what it keeps stays for the next time.`,
  operands: [],
  flags: UP_OPTIONS,
  isDaemon: true,
  examples: [
    { command: "trainyard up", says: "one node, then submit from another terminal" },
    { command: "trainyard up --agents 3 --virtual-gpus 2", says: "play three nodes of two GPUs" },
    { command: "trainyard up --dir ./cluster --port 0", says: "a second one beside it" },
  ],
  run: async ({ layers, ports, io }) =>
    ports.runUp(resolveUp(await layers("up"), io.host), io.signal),
});
