// Side channels to agents: the bytes of one log reader or one terminal each. The scheduler asks
// over the agent's session, the agent dials a stream back, and the two ends are joined here. Owns
// the limits and the waiting; knows nothing of what the bytes mean.

import type { Refusal } from "../base/errors.ts";
import { RefusalError, refuse } from "../base/errors.ts";
import type { IdSource, NodeId } from "../base/ids.ts";
import type { CallContext } from "../rpc/call-context.ts";
import type { ChannelFrame, ChannelFrame__Output } from "../rpc/gen/trainyard/v1/ChannelFrame.ts";
import type { OpenChannel } from "../rpc/gen/trainyard/v1/OpenChannel.ts";
import type { Sink } from "../rpc/streams.ts";
import type { TimerPort } from "./loop-timers.ts";

/** What the agent is to open. */
export type ChannelPurpose = Pick<OpenChannel, "logs" | "attach">;

export interface Channel {
  /** From the agent. Throws AGENT_UNREACHABLE when its stream breaks. */
  readonly frames: AsyncIterable<ChannelFrame__Output>;
  /** To the agent; resolves when it takes more. */
  send(frame: ChannelFrame): Promise<void>;
  /** Ends the agent's stream. Whoever opened a channel closes it. */
  close(): void;
}

export interface ChannelParts {
  /** Hands the order to the node's session; false when there is none. */
  readonly order: (nodeId: NodeId, order: OpenChannel) => boolean;
  /** Ids must not be guessable: whoever knows one may speak for the agent. */
  readonly newId: IdSource;
  readonly timers: TimerPort;
}

/** All nodes together. A follower of a large gang's logs takes one for each rank. */
export const CHANNELS_MAX = 1_024;
export const CHANNELS_PER_NODE_MAX = 64;
/** An agent that is alive opens at once. */
const OPEN_TIMEOUT_MS = 10_000;

interface Waiting {
  readonly nodeId: NodeId;
  readonly opened: (channel: Channel) => void;
}

export class Channels {
  readonly #parts: ChannelParts;
  readonly #waiting = new Map<string, Waiting>();
  readonly #perNode = new Map<NodeId, number>();
  #count = 0;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  /**
   * Rejects with AGENT_UNREACHABLE when the node's agent is not connected or does not answer, with
   * TOO_MANY_REQUESTS when too many are open, with the signal's reason when it falls before.
   */
  async open(nodeId: NodeId, purpose: ChannelPurpose, signal: AbortSignal): Promise<Channel> {
    this.#take(nodeId);
    try {
      const channel = await this.#opened(nodeId, purpose, signal);
      return { ...channel, close: once(() => this.#release(nodeId, channel)) };
    } catch (error) {
      this.#give(nodeId);
      throw error;
    }
  }

  /** The agent's end, for as long as the other one lasts: its handler of `AgentService.Channel`. */
  async accept(
    frames: AsyncIterable<ChannelFrame__Output>,
    replies: Sink<ChannelFrame>,
    { signal }: CallContext,
  ): Promise<Refusal | undefined> {
    const iterator = frames[Symbol.asyncIterator]();
    const first = await iterator.next();
    const id = first.done === true ? "" : first.value.channelId;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) {
      const remedy = "It was given up, or never asked for: nothing is to be done.";
      return refuse("INVALID_SPEC", `No one waits for channel "${id}".`, remedy, "channelId");
    }
    this.#waiting.delete(id);
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      const rest = { [Symbol.asyncIterator]: () => iterator };
      waiting.opened({
        frames: fromAgent(rest, waiting.nodeId),
        send: (frame) => replies.send(frame),
        close: resolve,
      });
    });
    return undefined;
  }

  #opened(nodeId: NodeId, purpose: ChannelPurpose, signal: AbortSignal): Promise<Channel> {
    const { order, newId, timers } = this.#parts;
    signal.throwIfAborted();
    const id = newId();
    return new Promise<Channel>((resolve, reject) => {
      const settle = (finish: () => void): void => {
        this.#waiting.delete(id);
        signal.removeEventListener("abort", abort);
        cancelTimer();
        finish();
      };
      const abort = (): void => settle(() => reject(signal.reason));
      const cancelTimer = timers.after(OPEN_TIMEOUT_MS, () =>
        settle(() => reject(unreachableAgent(nodeId, "did not open a channel in 10 s"))),
      );
      signal.addEventListener("abort", abort, { once: true });
      const opened = (channel: Channel): void => settle(() => resolve(channel));
      this.#waiting.set(id, { nodeId, opened });
      if (order(nodeId, { channelId: id, ...purpose })) return;
      settle(() => reject(unreachableAgent(nodeId, "is not connected")));
    });
  }

  #take(nodeId: NodeId): void {
    const held = this.#perNode.get(nodeId) ?? 0;
    if (this.#count >= CHANNELS_MAX || held >= CHANNELS_PER_NODE_MAX) {
      const full = held >= CHANNELS_PER_NODE_MAX ? `to node ${nodeId}` : "in all";
      const limit = held >= CHANNELS_PER_NODE_MAX ? CHANNELS_PER_NODE_MAX : CHANNELS_MAX;
      const message = `${limit} logs and terminals are open ${full}: that is the limit.`;
      throw new RefusalError(refuse("TOO_MANY_REQUESTS", message, "Close some, then try again."));
    }
    this.#count += 1;
    this.#perNode.set(nodeId, held + 1);
  }

  #give(nodeId: NodeId): void {
    this.#count -= 1;
    const left = (this.#perNode.get(nodeId) ?? 1) - 1;
    if (left === 0) this.#perNode.delete(nodeId);
    else this.#perNode.set(nodeId, left);
  }

  #release(nodeId: NodeId, channel: Channel): void {
    this.#give(nodeId);
    channel.close();
  }
}

export function unreachableAgent(nodeId: NodeId, why: string): RefusalError {
  const message = `The agent of node ${nodeId} ${why}.`;
  const remedy =
    "Check that it runs and reaches the scheduler; `trainyard node ls` shows who does.";
  return new RefusalError(refuse("AGENT_UNREACHABLE", message, remedy));
}

async function* fromAgent(
  frames: AsyncIterable<ChannelFrame__Output>,
  nodeId: NodeId,
): AsyncGenerator<ChannelFrame__Output> {
  try {
    yield* frames;
  } catch (cause) {
    const error = unreachableAgent(nodeId, "went away");
    error.cause = cause;
    throw error;
  }
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}
