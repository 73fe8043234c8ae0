// NodeService: what is there, and taking nodes out of service.

import type { Refusal } from "../base/errors.ts";
import { compareText } from "../base/ids.ts";
import type { CallContext } from "../rpc/call-context.ts";
import { DAY_MS } from "../base/time.ts";
import { decodeDurationMs, decodeText, encodeTimestamp, reject } from "../rpc/decode.ts";
import type { Duration__Output } from "../rpc/gen/google/protobuf/Duration.ts";
import type { NodeServiceHandlers } from "../rpc/gen/trainyard/v1/NodeService.ts";
import { unary } from "../rpc/handlers.ts";
import type { Command } from "./core/commands.ts";
import { decodeNodeId, envelopeOf } from "./service-decode.ts";
import type { Brain, Connections } from "./service-ports.ts";
import { nodeView } from "./views-node.ts";

const NOTE_BYTES_MAX = 1_000;
const NOTICE_MAX_MS = 7 * DAY_MS;

export function createNodeService(brain: Brain, connections: Connections): NodeServiceHandlers {
  const run = async (
    command: Command,
    request: { readonly requestId: string },
    context: CallContext,
  ): Promise<Record<string, never> | Refusal> => {
    const reply = await brain.execute(envelopeOf(command, request, context));
    return reply.kind === "refusal" ? reply : {};
  };
  return {
    ListNodes: unary(async () => {
      const nodes = [...brain.state().nodes.values()].sort((a, b) =>
        compareText(a.spec.id, b.spec.id),
      );
      return {
        nodes: nodes.map((node) => nodeView(node, connections)),
        now: encodeTimestamp(brain.nowMs()),
      };
    }),
    CordonNode: unary(async (request, context) => {
      const note = decodeText(request.note, "note", NOTE_BYTES_MAX);
      return run(
        { kind: "node.cordon", nodeId: decodeNodeId(request.node), note },
        request,
        context,
      );
    }),
    DrainNode: unary(async (request, context) => {
      const note = decodeText(request.note, "note", NOTE_BYTES_MAX);
      return run(
        { kind: "node.drain", nodeId: decodeNodeId(request.node), note },
        request,
        context,
      );
    }),
    NoticeNode: unary(async (request, context) => {
      const note = decodeText(request.note, "note", NOTE_BYTES_MAX);
      const inMs = decodeNotice(request.in);
      const nodeId = decodeNodeId(request.node);
      return run({ kind: "node.notice", nodeId, inMs, note }, request, context);
    }),
    UncordonNode: unary(async (request, context) =>
      run({ kind: "node.uncordon", nodeId: decodeNodeId(request.node) }, request, context),
    ),
    RemoveNode: unary(async (request, context) =>
      run({ kind: "node.remove", nodeId: decodeNodeId(request.node) }, request, context),
    ),
  };
}

function decodeNotice(duration: Duration__Output | null): number {
  const remedy = "Say when the node goes away, such as 120 s.";
  if (duration === null) return reject("in", null, "missing", remedy);
  const inMs = decodeDurationMs(duration, "in");
  if (inMs <= NOTICE_MAX_MS) return inMs;
  return reject("in", `${inMs} ms`, "longer than 7 days", "Use DrainNode for what is planned.");
}
