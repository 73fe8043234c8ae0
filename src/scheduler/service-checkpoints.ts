// CheckpointService: what jobs have saved, and the sweep of what they left behind.

import type { CheckpointServiceHandlers } from "../rpc/gen/trainyard/v1/CheckpointService.ts";
import { unary } from "../rpc/handlers.ts";
import { isRefusal } from "../rpc/status.ts";
import type { JobIndex } from "./service-job-index.ts";
import type { Sweep } from "./sweep.ts";
import { checkpointView } from "./views-job.ts";

export function createCheckpointService(
  index: JobIndex,
  sweep: Pick<Sweep, "run">,
): CheckpointServiceHandlers {
  return {
    ListCheckpoints: unary(async ({ job: reference }, { caller }) => {
      const job = index.resolve(reference, caller);
      if (isRefusal(job)) return job;
      return { checkpoints: job.checkpoints.map(checkpointView).reverse() };
    }),
    SweepObjects: unary(async ({ dryRun }) => {
      const result = await sweep.run({ isDryRun: dryRun });
      return isRefusal(result) ? result : result.found;
    }),
  };
}
