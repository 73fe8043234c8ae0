// AgentService: the streams that agents open.

import type { AgentServiceHandlers } from "../rpc/gen/trainyard/v1/AgentService.ts";
import { bidiStream } from "../rpc/handlers.ts";
import type { Channels } from "./channels.ts";
import type { AgentSessions } from "./sessions.ts";

export function createAgentService(
  sessions: Pick<AgentSessions, "connect">,
  channels: Pick<Channels, "accept">,
): AgentServiceHandlers {
  return {
    Connect: bidiStream((messages, replies) => sessions.connect(messages, replies)),
    Channel: bidiStream((frames, replies, context) => channels.accept(frames, replies, context)),
  };
}
