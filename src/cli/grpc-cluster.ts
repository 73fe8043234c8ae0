// The cluster over gRPC. Loaded by the first call that needs it, since gRPC takes its time.

import { readFile } from "node:fs/promises";
import type { MethodDefinition } from "@grpc/proto-loader";
import { RefusalError, refuse } from "../base/errors.ts";
import type { CallOptions } from "../rpc/client.ts";
import { Connection } from "../rpc/client.ts";
import { decodeService } from "../rpc/loader.ts";
import type { Cluster, ConnectOptions } from "./cluster.ts";

/** Connects lazily: the first call finds out whether anybody answers. */
export async function connectCluster(options: ConnectOptions): Promise<Cluster> {
  const { server, tenant, user, timeoutMs, signal } = options;
  const ca = options.ca === null ? null : await readCa(options.ca);
  const isTls = options.tls || ca !== null;
  const connection = new Connection({
    address: server,
    caller: { tenant, user },
    tls: isTls ? { ca, identity: null } : null,
    timeoutMs,
  });
  return overConnection(connection, signal);
}

async function readCa(path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RefusalError(
      refuse("INVALID_OPTION", `--ca can't be read: ${reason}.`, "Name a PEM file.", "ca"),
    );
  });
}

function overConnection(connection: Connection, signal: AbortSignal): Cluster {
  const ended: CallOptions = { signal };
  const unary = <Req, Res, ReqOut, ResOut>(
    method: () => MethodDefinition<Req, Res, ReqOut, ResOut>,
  ) => {
    return (request: Req): Promise<ResOut> => connection.unary(method(), request, ended);
  };
  // Each service's definition is read when one of its methods is first called.
  return {
    server: connection.address,
    submitJob: unary(() => decodeService("JobService").SubmitJob),
    cancelJob: unary(() => decodeService("JobService").CancelJob),
    holdJob: unary(() => decodeService("JobService").HoldJob),
    releaseJob: unary(() => decodeService("JobService").ReleaseJob),
    getJob: unary(() => decodeService("JobService").GetJob),
    listJobs: unary(() => decodeService("JobService").ListJobs),
    listJobEvents: unary(() => decodeService("JobService").ListJobEvents),
    explainJob: unary(() => decodeService("JobService").ExplainJob),
    previewJob: unary(() => decodeService("JobService").PreviewJob),
    listCheckpoints: unary(() => decodeService("CheckpointService").ListCheckpoints),
    sweepObjects: unary(() => decodeService("CheckpointService").SweepObjects),
    applyQueues: unary(() => decodeService("QueueService").ApplyQueues),
    previewQueues: unary(() => decodeService("QueueService").PreviewQueues),
    deleteQueue: unary(() => decodeService("QueueService").DeleteQueue),
    listQueues: unary(() => decodeService("QueueService").ListQueues),
    getPolicy: unary(() => decodeService("PolicyService").GetPolicy),
    applyPolicy: unary(() => decodeService("PolicyService").ApplyPolicy),
    previewPolicy: unary(() => decodeService("PolicyService").PreviewPolicy),
    listNodes: unary(() => decodeService("NodeService").ListNodes),
    cordonNode: unary(() => decodeService("NodeService").CordonNode),
    drainNode: unary(() => decodeService("NodeService").DrainNode),
    noticeNode: unary(() => decodeService("NodeService").NoticeNode),
    uncordonNode: unary(() => decodeService("NodeService").UncordonNode),
    removeNode: unary(() => decodeService("NodeService").RemoveNode),
    latestMetrics: unary(() => decodeService("TrackerService").LatestMetrics),
    queryMetric: unary(() => decodeService("TrackerService").QueryMetric),
    watchJobs: (request, until) =>
      connection.serverStream(decodeService("JobService").WatchJobs, request, { signal: until }),
    readLogs: (request, until) =>
      connection.serverStream(decodeService("JobService").ReadLogs, request, { signal: until }),
    putBundle: (messages) =>
      connection.clientStream(decodeService("JobService").PutBundle, messages, ended),
    attachJob: (until) => {
      const stream = connection.bidiStream(decodeService("JobService").AttachJob, {
        signal: until,
      });
      return {
        send: (message) => stream.send(message),
        end: () => stream.end(),
        replies: stream,
      };
    },
    close: () => connection.close(),
  };
}
