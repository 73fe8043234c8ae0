// How people name a job: `job-42`, `42`, a name, `@last`, and an array's element as `NAME/7`. The
// scheduler reads all but `@last`, the caller's newest job, which is looked up here.

import { RefusalError, refuse } from "../base/errors.ts";
import type { ClientOptions } from "../config/client-options.ts";
import type { GetJobResponse__Output } from "../rpc/gen/trainyard/v1/GetJobResponse.ts";
import type { Job__Output } from "../rpc/gen/trainyard/v1/Job.ts";
import type { Cluster } from "./cluster.ts";
import { usageError } from "./failure.ts";

/** For commands about one job. @throws RefusalError when an array was named. */
export function onlyJob({ job, array }: GetJobResponse__Output): Job__Output {
  if (job !== null) return job;
  const id = array?.id ?? "";
  throw new RefusalError(
    refuse(
      "JOB_IS_ARRAY",
      `${id} is an array of ${array?.elements ?? 0} jobs.`,
      `Name one of them: \`trainyard ps --array ${id}\` lists them.`,
      "job",
    ),
  );
}

/** What the scheduler understands. @throws RefusalError when `@last` means nobody's job. */
export async function jobReference(
  word: string,
  cluster: Pick<Cluster, "listJobs">,
  client: Pick<ClientOptions, "user">,
): Promise<string> {
  if (!word.startsWith("@")) return word;
  const match = /^@last(\/\d+)?$/.exec(word);
  if (match === null) {
    throw usageError(`${word} names no job.`, "Write an id, a name, or @last.", "job");
  }
  const { jobs } = await cluster.listJobs({
    user: client.user,
    includeEnded: true,
    page: { size: 1 },
  });
  const newest = jobs[0];
  if (newest !== undefined) return (newest.arrayId || newest.id) + (match[1] ?? "");
  throw new RefusalError(
    refuse(
      "JOB_NOT_FOUND",
      `User ${client.user} has no job yet.`,
      "Submit one with `trainyard submit`, or name a job by its id.",
      "job",
    ),
  );
}
