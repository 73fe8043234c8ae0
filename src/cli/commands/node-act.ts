// `trainyard node cordon|drain|resume|rm`: taking nodes out of service and back.

import { text } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import type { Cluster } from "../cluster.ts";
import type { CommandSpec, Example } from "../command.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import type { Failure } from "../failure.ts";
import { toFailure } from "../failure.ts";

interface NodeAct {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly details: string;
  /** `cordoned`. */
  readonly done: string;
  readonly examples: readonly Example[];
  readonly act: (
    cluster: Cluster,
    request: { requestId: string; node: string; note: string },
  ) => Promise<object>;
}

interface Outcome {
  readonly node: string;
  readonly result: string;
  readonly error: Failure | null;
}

const NOTE = {
  note: option(text({ placeholder: "<sentence>" }), {
    name: "note",
    help: "Why, for those who look at the node later.",
    fallback: "",
    fallbackText: "none",
  }),
} as const;

function nodeCommand(act: NodeAct): CommandSpec {
  return defineCommand({
    name: act.name,
    ...(act.aliases === undefined ? {} : { aliases: act.aliases }),
    summary: act.summary,
    details: act.details,
    operands: [
      {
        name: "node",
        help: "Names of nodes.",
        isRequired: true,
        isVariadic: true,
        completion: "node",
      },
    ],
    flags: NOTE,
    examples: act.examples,
    run: async ({ operands, flags, cluster, print, io }) => {
      const scheduler = await cluster();
      const outcomes: Outcome[] = [];
      for (const node of operands) {
        try {
          await act.act(scheduler, { requestId: io.newId(), node, note: flags.note });
          outcomes.push({ node, result: act.done, error: null });
        } catch (error) {
          // One node alone fails as any other command does.
          if (operands.length === 1) throw error;
          outcomes.push({ node, result: "failed", error: toFailure(error) });
        }
      }
      print.list({
        kind: "NodeActList",
        items: outcomes,
        columns: () => [
          { title: "NODE", cell: (one) => one.node },
          {
            title: "RESULT",
            cell: (one) => one.error?.message ?? one.result,
            shrinkTo: 20,
            isWrapped: true,
          },
        ],
        nameOf: (one) => one.node,
        whenEmpty: "",
      });
      return outcomes.find((one) => one.error !== null)?.error?.exitCode ?? EXIT.ok;
    },
  });
}

export const nodeCordon = nodeCommand({
  name: "cordon",
  summary: "Place nothing new on nodes; what runs goes on",
  details: "`trainyard node resume` takes it back.",
  done: "cordoned",
  examples: [
    { command: "trainyard node cordon gpu-7 --note 'fan noise'", says: "with the reason" },
  ],
  act: (cluster, request) => cluster.cordonNode(request),
});

export const nodeDrain = nodeCommand({
  name: "drain",
  summary: "Move jobs off nodes, from their last checkpoint",
  details: `Places nothing new, and asks what runs there for a checkpoint; the jobs come back
elsewhere. \`trainyard node ls\` shows when none is left.`,
  done: "draining",
  examples: [
    { command: "trainyard node drain gpu-7 gpu-8 --note 'new driver'", says: "before maintenance" },
  ],
  act: (cluster, request) => cluster.drainNode(request),
});

export const nodeResume = nodeCommand({
  name: "resume",
  aliases: ["uncordon"],
  summary: "Let nodes take tasks again",
  details: "After `cordon` or `drain`.",
  done: "open",
  examples: [{ command: "trainyard node resume gpu-7", says: "back in service" }],
  act: (cluster, { requestId, node }) => cluster.uncordonNode({ requestId, node }),
});

export const nodeRm = nodeCommand({
  name: "rm",
  summary: "Forget lost nodes",
  details: "Refused while the node's agent is connected.",
  done: "removed",
  examples: [{ command: "trainyard node rm gpu-7", says: "it will not come back" }],
  act: (cluster, { requestId, node }) => cluster.removeNode({ requestId, node }),
});
