// JSON schemas (draft 7) of the files that people write, for editors. `schemas/` holds what this
// makes.

import type { ZodType } from "zod";
import { z } from "zod";
import { clusterFileSchema } from "../../config/cluster-file.ts";
import { policyFileSchema } from "../../config/policy-file.ts";
import { queuesFileSchema } from "../../config/queues-file.ts";
import { workloadFileSchema } from "../../config/workload-file.ts";
import { jobFileSchema } from "./schema.ts";

export interface EditorSchema {
  /** File name in `schemas/`. */
  readonly file: string;
  readonly title: string;
  readonly schema: ZodType;
}

export const EDITOR_SCHEMAS: readonly EditorSchema[] = [
  { file: "job.schema.json", title: "Trainyard job", schema: jobFileSchema },
  { file: "workload.schema.json", title: "Trainyard workload", schema: workloadFileSchema },
  { file: "cluster.schema.json", title: "Trainyard cluster", schema: clusterFileSchema },
  { file: "queues.schema.json", title: "Trainyard queues", schema: queuesFileSchema },
  { file: "policy.schema.json", title: "Trainyard scheduling policy", schema: policyFileSchema },
];

/** What a writer may put in: the side before words are read as numbers. */
export function renderJsonSchema({ title, schema }: EditorSchema): string {
  const { $schema, ...body } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
  return `${JSON.stringify({ $schema, title, ...body }, null, 2)}\n`;
}
