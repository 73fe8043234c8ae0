// `trainyard scheduler`: the control plane. Settles the options and hands over.

import { resolveScheduler, SCHEDULER_OPTIONS } from "../../config/scheduler-options.ts";
import { defineCommand } from "../command.ts";

export const scheduler = defineCommand({
  name: "scheduler",
  summary: "Run the control plane",
  details: `Keeps the event log, places jobs, and embeds the tracker. Stops in order on SIGTERM and
Ctrl-C; jobs on the nodes go on meanwhile. Every flag can be set in the environment or a
file as well: see \`trainyard config view scheduler --show-origin\`.`,
  operands: [],
  flags: SCHEDULER_OPTIONS,
  isDaemon: true,
  examples: [
    { command: "trainyard scheduler", says: "on loopback, data in your state folder" },
    {
      command: "trainyard scheduler --listen 0.0.0.0:7070 --tls-cert c.pem --tls-key k.pem",
      says: "for other machines",
    },
    {
      command: "trainyard scheduler --object-store 's3://ckpt/prod?endpoint=https://s3.example'",
      says: "checkpoints in S3",
    },
  ],
  run: async ({ layers, ports, io }) =>
    ports.runScheduler(resolveScheduler(await layers("scheduler"), io.host), io.signal),
});
