// One gRPC server: its limits, where it listens, health and reflection, and how it stops. Knows no
// service's meaning; those are added by the composition root.

import { setMaxListeners } from "node:events";
import { Server, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import { RefusalError, refuse } from "../base/errors.ts";
import type { Clock } from "../base/time.ts";
import { type CallObserver, createCallInterceptor } from "./call-context.ts";
import type { AgentServiceHandlers } from "./gen/trainyard/v1/AgentService.ts";
import type { CheckpointServiceHandlers } from "./gen/trainyard/v1/CheckpointService.ts";
import type { JobServiceHandlers } from "./gen/trainyard/v1/JobService.ts";
import type { NodeServiceHandlers } from "./gen/trainyard/v1/NodeService.ts";
import type { PolicyServiceHandlers } from "./gen/trainyard/v1/PolicyService.ts";
import type { QueueServiceHandlers } from "./gen/trainyard/v1/QueueService.ts";
import type { TrackerServiceHandlers } from "./gen/trainyard/v1/TrackerService.ts";
import { MESSAGE_BYTES_MAX } from "./limits.ts";
import { plainTextRefusal, type ServerTls, serverCredentials } from "./listen.ts";
import { decodeService, fullServiceName, type ServiceName } from "./loader.ts";
import { LOADER_OPTIONS, PROTO_FILES, PROTO_FOLDER } from "./proto-files.ts";
import { socketError } from "./socket-error.ts";

export interface ServiceHandlers {
  readonly JobService: JobServiceHandlers;
  readonly QueueService: QueueServiceHandlers;
  readonly PolicyService: PolicyServiceHandlers;
  readonly NodeService: NodeServiceHandlers;
  readonly CheckpointService: CheckpointServiceHandlers;
  readonly AgentService: AgentServiceHandlers;
  readonly TrackerService: TrackerServiceHandlers;
}

export interface RpcServerOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly observer: CallObserver;
  /** Null = plain text, for which the address must be loopback or `isInsecure`. */
  readonly tls: ServerTls | null;
  readonly isInsecure: boolean;
}

export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #stopping = new AbortController();
  readonly #health = new HealthImplementation({ "": "NOT_SERVING" });
  readonly #services: string[] = [""];
  readonly #server: Server;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    const { clock, observer } = options;
    setMaxListeners(0, this.#stopping.signal); // One for each stream.
    this.#server = new Server({
      "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
      "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
      // Finds peers that vanished without a word; agents have heartbeats of their own besides.
      "grpc.keepalive_time_ms": 30_000,
      "grpc.keepalive_timeout_ms": 10_000,
      interceptors: [createCallInterceptor({ clock, observer, stopping: this.#stopping.signal })],
    });
    this.#health.addToServer(this.#server);
    new ReflectionService(describeFiles()).addToServer(this.#server);
  }

  /** Before `listen`. */
  add<N extends ServiceName>(name: N, handlers: ServiceHandlers[N]): void {
    // Each method is in there: the generated handler types follow the definition.
    const implementation: UntypedServiceImplementation = handlers;
    this.#server.addService(decodeService(name), implementation);
    this.#services.push(fullServiceName(name));
  }

  /**
   * Listens on `host:port`, port 0 for any free one, and answers the port. Health says SERVING from
   * here on. Throws INVALID_OPTION when the address is open to others in plain text, or taken.
   */
  async listen(address: string): Promise<number> {
    const { tls, isInsecure } = this.#options;
    const refusal = tls === null ? plainTextRefusal(address, isInsecure) : null;
    if (refusal !== null) throw new RefusalError(refusal);
    const port = await this.#bind(address);
    this.#setHealth("SERVING");
    return port;
  }

  /**
   * Ends streams with UNAVAILABLE, lets short calls finish for `graceMs`, then cuts what is left.
   * Resolves when nothing is served any more.
   */
  async stop(graceMs = 5_000): Promise<void> {
    this.#setHealth("NOT_SERVING");
    this.#stopping.abort();
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => this.#server.forceShutdown(), graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(cut);
        resolve();
      });
    });
  }

  #bind(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, serverCredentials(this.#options.tls), (error, port) => {
        if (error === null) return resolve(port);
        const message = `Cannot listen on ${address}: ${socketError(error.message)}.`;
        const remedy = "Choose another port (0 = any free one), or stop what uses it.";
        reject(new RefusalError(refuse("INVALID_OPTION", message, remedy, "listen")));
      });
    });
  }

  #setHealth(status: "SERVING" | "NOT_SERVING"): void {
    for (const service of this.#services) this.#health.setStatus(service, status);
  }
}

/** The proto files as reflection tells clients of them. */
function describeFiles(): PackageDefinition {
  return loadSync([...PROTO_FILES], { ...LOADER_OPTIONS, includeDirs: [PROTO_FOLDER] });
}
