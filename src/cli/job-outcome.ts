// What the end of a job means to the one who waited for it.

import { EXIT } from "./exit-codes.ts";
import type { JobView } from "./views/job-view.ts";

/** The job's own exit code; 1 when it ended badly without one. */
export function jobExitCode(job: JobView): number {
  if (job.phase === "SUCCEEDED") return EXIT.ok;
  const code = job.exitCode ?? 0;
  return code > 0 && code <= 255 ? code : EXIT.failed;
}

/** `job-7 train FAILED with exit code 3: rank 1 …`. */
export function outcomeText(job: JobView): string {
  const code = jobExitCode(job);
  const how = job.phase === "SUCCEEDED" ? "" : ` with exit code ${code}`;
  const why = job.why === "" ? "" : `: ${job.why}`;
  return `${job.id} ${job.name} ${job.phase}${how}${why}`;
}
