// The jobs of an array, by page.

import type { Cluster } from "./cluster.ts";
import { type JobView, jobView } from "./views/job-view.ts";

const PAGE_MAX = 1_000;

/** In the order of their indexes; those that the scheduler has forgotten are missing. */
export async function arrayElements(
  cluster: Pick<Cluster, "listJobs">,
  array: string,
): Promise<readonly JobView[]> {
  const found: JobView[] = [];
  let token = "";
  do {
    const page = { size: PAGE_MAX, token };
    const reply = await cluster.listJobs({ array, includeEnded: true, page });
    found.push(...reply.jobs.map(jobView));
    token = reply.nextToken;
  } while (token !== "");
  return found.reverse();
}
