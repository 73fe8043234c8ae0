// `trainyard replay`: does the log of a cluster come out again, decision by decision?

import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { LOCAL_ONLY } from "../local-only.ts";
import { counted } from "../wire.ts";

export const replay = defineCommand({
  name: "replay",
  summary: "Decide a log's planning passes again and compare them byte for byte",
  details: `Folds the event log and, wherever a planning pass wrote something, plans again on the
state, instant and policy of the log. Prints the first event that differs, as logged and as decided
now, and exits with 1. Reads only; the scheduler may be running.`,
  withoutClient: LOCAL_ONLY,
  operands: [
    {
      name: "log",
      help: "The scheduler's data folder, or a file with one event a line.",
      isRequired: true,
      completion: "directory",
    },
  ],
  flags: {},
  examples: [
    { command: "trainyard replay /var/lib/trainyard", says: "a scheduler's data folder" },
    {
      command: "trainyard simulate --workload poisson --log a.jsonl && trainyard replay a.jsonl",
      says: "a simulation's",
    },
  ],
  run: async ({ operands, io, ports, print }) => {
    const file = operands[0] ?? "";
    const summary = await ports.replay(resolve(io.host.cwd, file));
    const { events, passes, placements, preemptions, difference } = summary;
    print.one({
      kind: "Replay",
      name: difference === null ? "same" : "different",
      value: summary,
      text: () =>
        `${counted(events, "event")} read, ${counted(passes, "planning pass")} ` +
        `decided again (${counted(placements, "placement")}, ${counted(preemptions, "preemption")}).\n`,
    });
    if (difference === null) {
      print.note("Every decision came out as it was logged.");
      return EXIT.ok;
    }
    if (!print.isJson) {
      const { seq, logged, replayed } = difference;
      print.text(`Event ${seq} differs.\n  logged:   ${logged ?? "(nothing more)"}\n`);
      print.text(`  replayed: ${replayed ?? "(nothing)"}\n`);
    }
    return EXIT.failed;
  },
});
