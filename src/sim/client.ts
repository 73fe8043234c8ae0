// Somebody with a request: sends it until it is answered, always with the same request id. Owns what
// the client was told; the world checks that it stays true.

import type { Refusal } from "../base/errors.ts";
import { requestId } from "../base/ids.ts";
import type { Prng } from "../base/prng.ts";
import type { Accepted, Command, Envelope } from "../scheduler/core/commands.ts";
import type { Network } from "./network.ts";
import type { Timeline } from "./timeline.ts";

const RETRY_MS = 1_000;
const RETRY_JITTER_MS = 4_000;

export interface ClientPorts {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly prng: Prng;
  /** Hands it to the scheduler that lives now; it may never answer. */
  readonly handle: (envelope: Envelope, reply: (reply: Accepted | Refusal) => void) => void;
  /** Told of every answer, also of a second one. */
  readonly onReply: (envelope: Envelope, reply: Accepted | Refusal) => void;
}

export class Client {
  private readonly name: string;
  private readonly ports: ClientPorts;
  private requestLast = 0;
  /** Asked and not answered yet: one is under way, the others wait their turn. */
  private readonly queue: (() => void)[] = [];

  constructor(name: string, ports: ClientPorts) {
    this.name = name;
    this.ports = ports;
  }

  /** Requests without an answer. */
  get openCount(): number {
    return this.queue.length;
  }

  /** One after the other: what a person asks next builds on the answer before. */
  call(command: Command, done: (reply: Accepted | Refusal) => void = () => {}): void {
    this.queue.push(() => this.ask(command, done));
    if (this.queue.length === 1) this.queue[0]?.();
  }

  private ask(command: Command, done: (reply: Accepted | Refusal) => void): void {
    this.requestLast += 1;
    const id = requestId(`${this.name}-${this.requestLast}`);
    const request = { id, fingerprint: JSON.stringify(command) };
    const actor = { tenant: "default", user: this.name };
    let isAnswered = false;
    const answered = (reply: Accepted | Refusal): void => {
      if (isAnswered) return;
      isAnswered = true;
      done(reply);
      this.queue.shift();
      this.queue[0]?.();
    };
    this.send({ command, actor, request }, answered, () => isAnswered);
  }

  private send(
    envelope: Envelope,
    answered: (reply: Accepted | Refusal) => void,
    isAnswered: () => boolean,
  ): void {
    if (isAnswered()) return;
    const { network, timeline, prng, handle, onReply } = this.ports;
    network.call(this.name, "scheduler", () =>
      handle(envelope, (reply) =>
        network.call("scheduler", this.name, () => {
          onReply(envelope, reply);
          answered(reply);
        }),
      ),
    );
    timeline.after(RETRY_MS + prng.below(RETRY_JITTER_MS), () =>
      this.send(envelope, answered, isAnswered),
    );
  }
}
