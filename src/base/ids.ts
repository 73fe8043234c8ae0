// Branded names and ids. A brand costs nothing at run time and keeps look-alike strings apart.

declare const brand: unique symbol;
export type Brand<T, B extends string> = T & { readonly [brand]: B };

/** `job-<n>`: n counts up from 1 in the event log and is never given twice. */
export type JobId = Brand<string, "JobId">;
/** A node's name, unique in the cluster; by default the host name. */
export type NodeId = Brand<string, "NodeId">;
/** Full path of a queue from below the root, segments joined by `/`: `research/nlp`. */
export type QueuePath = Brand<string, "QueuePath">;
/** Chosen by the client; a second request with the same id gets the first one's reply. */
export type RequestId = Brand<string, "RequestId">;
/** `<job id>/<step, 12 digits>-<attempt>`: names one committed or still gathering checkpoint. */
export type CheckpointId = Brand<string, "CheckpointId">;
/** sha256 in lower-case hex. */
export type Digest = Brand<string, "Digest">;
/** One life of an agent process; a new one is drawn at each start. */
export type AgentInstanceId = Brand<string, "AgentInstanceId">;

export const jobId = (text: string): JobId => text as JobId;
export const nodeId = (text: string): NodeId => text as NodeId;
export const queuePath = (text: string): QueuePath => text as QueuePath;
export const requestId = (text: string): RequestId => text as RequestId;
export const checkpointId = (text: string): CheckpointId => text as CheckpointId;
export const digest = (text: string): Digest => text as Digest;
export const agentInstanceId = (text: string): AgentInstanceId => text as AgentInstanceId;

/** Where fresh random ids come from; tests and the simulator inject a seeded one. */
export type IdSource = () => string;

/** Total order on strings by code unit: the last word of every comparator. */
/** `job-9` before `job-10`: by length, then by text. */
export function compareJobIds(a: JobId, b: JobId): number {
  return a.length - b.length || compareText(a, b);
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
