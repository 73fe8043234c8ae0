// Tells the tracker about jobs in its own words: which run a job has, and where its life is. Only
// turns committed events into plain data; the tracker decides what to write.

import type { LoggedEvent } from "./core/events.ts";
import { jobOfEvent } from "./core/events.ts";
import { activeAttempt, type Job, type JobPhase } from "./core/job.ts";
import type { Identity } from "./core/job.ts";
import type { JobId } from "../base/ids.ts";
import type { ClusterState } from "./core/state.ts";

/** What the tracker's runs of jobs are made of. */
export interface JobFacts {
  readonly jobId: JobId;
  readonly name: string;
  readonly queue: string;
  readonly owner: Identity;
  readonly phase: JobPhase["kind"];
  readonly attempt: number;
  readonly submittedAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
}

/** The jobs that these events changed, each once, as they are now. */
export function* changedJobs(
  events: readonly LoggedEvent[],
  state: ClusterState,
): Generator<JobFacts> {
  const seen = new Set<JobId>();
  for (const { event } of events) {
    const id = jobOfEvent(event);
    const job = id === null || seen.has(id) ? undefined : state.jobs.get(id);
    if (job === undefined) continue;
    seen.add(job.id);
    yield jobFacts(job);
  }
}

export function jobFacts(job: Job): JobFacts {
  const { spec, phase } = job;
  const first = job.history[0] ?? activeAttempt(phase);
  const tags = new Map<string, string>([["trainyard.job", job.id]]);
  if (spec.bundle !== null && spec.bundle.commit !== "") {
    tags.set("mlflow.source.git.commit", spec.bundle.commit);
    tags.set("trainyard.code.dirty", String(spec.bundle.isDirty));
  }
  return {
    jobId: job.id,
    name: spec.name,
    queue: spec.queue,
    owner: job.owner,
    phase: phase.kind,
    attempt: job.attemptLast,
    submittedAtMs: job.submittedAtMs,
    startedAtMs: first?.runningAtMs ?? null,
    endedAtMs: "endedAtMs" in phase ? phase.endedAtMs : null,
    params: new Map([
      ["nodes", String(spec.nodes)],
      ["gpus_per_node", String(spec.perNode.gpus)],
    ]),
    tags,
  };
}
