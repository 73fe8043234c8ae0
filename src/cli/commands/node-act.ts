// `trainyard node cordon|drain|resume|rm`: taking nodes out of service and back.

import { DAY_MS, MINUTE_MS } from "../../base/time.ts";
import { duration, text } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import type { Cluster } from "../cluster.ts";
import type { CommandSpec, Example } from "../command.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import type { Failure } from "../failure.ts";
import { toFailure } from "../failure.ts";
import type { Printer } from "../terminal/print.ts";
import { wireDuration } from "../wire.ts";

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

const NODES = [
  {
    name: "node",
    help: "Names of nodes.",
    isRequired: true,
    isVariadic: true,
    completion: "node",
  },
] as const;

function nodeCommand(act: NodeAct): CommandSpec {
  return defineCommand({
    name: act.name,
    ...(act.aliases === undefined ? {} : { aliases: act.aliases }),
    summary: act.summary,
    details: act.details,
    operands: NODES,
    flags: NOTE,
    examples: act.examples,
    run: async ({ operands, flags, cluster, print, io }) => {
      const scheduler = await cluster();
      return actOnEach(operands, act.done, print, (node) =>
        act.act(scheduler, { requestId: io.newId(), node, note: flags.note }),
      );
    },
  });
}

/** Says for each node how it went; the exit code of the first that failed. */
async function actOnEach(
  nodes: readonly string[],
  done: string,
  print: Printer,
  act: (node: string) => Promise<object>,
): Promise<number> {
  const outcomes: Outcome[] = [];
  for (const node of nodes) {
    try {
      await act(node);
      outcomes.push({ node, result: done, error: null });
    } catch (error) {
      // One node alone fails as any other command does.
      if (nodes.length === 1) throw error;
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

export const nodeNotice = defineCommand({
  name: "notice",
  summary: "Say that nodes go away soon: what runs there saves in time",
  details: `For the hook that a spot provider's notice calls. The node takes nothing new; its
jobs are asked for a checkpoint, get no more grace than is left, and come back elsewhere. A node
that registers after that time takes tasks again.`,
  operands: NODES,
  flags: {
    in: option(duration({ minMs: 0, maxMs: 7 * DAY_MS }), {
      name: "in",
      help: "When they go away, from now.",
      fallback: 2 * MINUTE_MS,
    }),
    ...NOTE,
  },
  examples: [
    { command: "trainyard node notice spot-3 --in 2m", says: "as a provider's hook does" },
  ],
  run: async ({ operands, flags, cluster, print, io }) => {
    const scheduler = await cluster();
    const notice = { note: flags.note, in: wireDuration(flags.in) };
    return actOnEach(operands, "draining", print, (node) =>
      scheduler.noticeNode({ requestId: io.newId(), node, ...notice }),
    );
  },
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
