// `trainyard agent`: the agent of this node. Settles the options and hands over.

import { AGENT_OPTIONS, resolveAgent } from "../../config/agent-options.ts";
import { defineCommand } from "../command.ts";

export const agent = defineCommand({
  name: "agent",
  summary: "Run the agent of this node",
  details: `Dials out to the scheduler and runs what it is told. Tasks outlive the agent: after a
restart it takes them up again, with their logs whole. Every flag can be set in the
environment or a file as well: see \`trainyard config view agent --show-origin\`.`,
  operands: [],
  flags: AGENT_OPTIONS,
  isDaemon: true,
  examples: [
    {
      command: "trainyard agent --scheduler head:7070 --ca ca.pem",
      says: "a real node: its GPUs are found by nvidia-smi",
    },
    { command: "trainyard agent --name a --virtual-gpus 4", says: "a trial without GPUs" },
    { command: "trainyard agent --python /opt/venv/bin/python", says: "the Python that has torch" },
  ],
  run: async ({ layers, ports, io }) =>
    ports.runAgent(resolveAgent(await layers("agent"), io.host), io.signal),
});
