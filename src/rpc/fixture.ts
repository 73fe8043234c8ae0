// A server on a free port and a client of it, for tests of what goes over the wire.

import type { Caller, CallObserver } from "./call-context.ts";
import { Connection } from "./client.ts";
import type { ServiceName } from "./loader.ts";
import { RpcServer, type ServiceHandlers } from "./server.ts";

export interface WireFixture {
  readonly server: RpcServer;
  readonly port: number;
  /** `GetRun NotFound`: method and status of each call that has ended. */
  readonly handled: readonly string[];
  readonly bugs: readonly unknown[];
  readonly connect: (caller?: Caller) => Connection;
  readonly stop: () => Promise<void>;
}

export const ALICE: Caller = { tenant: "research", user: "alice" };

/** Serves `services`; `stop` ends the connections, too. */
export async function serveForTest(services: Partial<ServiceHandlers>): Promise<WireFixture> {
  const handled: string[] = [];
  const bugs: unknown[] = [];
  const observer: CallObserver = {
    started: () => undefined,
    handled: (call, code) => void handled.push(`${call.method} ${code}`),
    bug: (error) => void bugs.push(error),
  };
  const clock = { monotonicMs: () => performance.now() };
  const server = new RpcServer({ clock, observer, tls: null, isInsecure: false });
  addAll(server, services);
  const port = await server.listen("127.0.0.1:0");
  const connections: Connection[] = [];
  const connect = (caller: Caller = ALICE): Connection => {
    const connection = new Connection({ address: `127.0.0.1:${port}`, caller, tls: null });
    connections.push(connection);
    return connection;
  };
  const stop = async (): Promise<void> => {
    for (const connection of connections) connection.close();
    await server.stop(0);
  };
  return { server, port, handled, bugs, connect, stop };
}

function addAll(server: RpcServer, services: Partial<ServiceHandlers>): void {
  const add = <N extends ServiceName>(name: N): void => {
    const handlers = services[name];
    if (handlers !== undefined) server.add(name, handlers);
  };
  add("JobService");
  add("QueueService");
  add("PolicyService");
  add("NodeService");
  add("CheckpointService");
  add("AgentService");
  add("TrackerService");
}

/** Waits until `check` holds; throws after 10 s with `what`. */
export async function until(check: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!check()) {
    if (performance.now() > endMs) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
