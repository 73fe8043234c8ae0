// CheckpointService: what jobs have saved.

import type { CheckpointServiceHandlers } from "../rpc/gen/trainyard/v1/CheckpointService.ts";
import { unary } from "../rpc/handlers.ts";
import { isRefusal } from "../rpc/status.ts";
import type { JobIndex } from "./service-job-index.ts";
import { checkpointView } from "./views-job.ts";

export function createCheckpointService(index: JobIndex): CheckpointServiceHandlers {
  return {
    ListCheckpoints: unary(async ({ job: reference }, { caller }) => {
      const job = index.resolve(reference, caller);
      if (isRefusal(job)) return job;
      return { checkpoints: job.checkpoints.map(checkpointView).reverse() };
    }),
  };
}
