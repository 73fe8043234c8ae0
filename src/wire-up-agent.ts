// The entry of an agent process of `trainyard up`: gets its options from its parent, and ends, with
// its tasks, when the parent does.

import type { AgentOptions } from "./config/agent-options.ts";
import { runAgent } from "./wire-agent.ts";

const stop = new AbortController();
// Ctrl-C in the terminal reaches this process too, but its end is the parent's to order.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => stop.abort());
process.once("disconnect", () => stop.abort());
process.once("message", (options) => void main(options as AgentOptions));

async function main(options: AgentOptions): Promise<void> {
  try {
    process.exit(await runAgent(options, stop.signal, { endsTasks: true }));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
