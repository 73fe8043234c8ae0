// `trainyard policy apply FILE`: sets the whole policy, or leaves the old one.

import { resolve } from "node:path";
import { flag } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import type { Column } from "../terminal/table.ts";
import { changedFields, type FieldChange } from "../views/field-change.ts";
import { outlookText, outlookView } from "../views/outlook-view.ts";

export const policyApply = defineCommand({
  name: "apply",
  summary: "Set the policy to what a file says",
  details: `What the file does not name gets its default. All of it is set, or the old policy holds.
A scheduler that was started with --policy-file sets that file again when it starts.`,
  operands: [{ name: "file", help: "YAML file.", isRequired: true, completion: "file" }],
  flags: {
    dryRun: option(flag(), {
      name: "dry-run",
      short: "n",
      help: "Show what would change, who would be preempted and who could never start.",
      fallback: false,
    }),
  },
  examples: [
    { command: "trainyard policy apply policy.yaml --dry-run", says: "only show what would be" },
    { command: "trainyard policy apply policy.yaml", says: "set it" },
  ],
  run: async ({ cluster, flags, io, operands, print }) => {
    const { readPolicyFile } = await import("../../config/policy-file.ts");
    const { flatFields, policyFields, wirePolicy } = await import("../views/policy-view.ts");
    const policy = wirePolicy(await readPolicyFile(resolve(io.host.cwd, operands[0] ?? "")));
    const connected = await cluster();
    const { policy: before } = await connected.getPolicy({});
    const { dryRun: isDryRun } = flags;
    if (!isDryRun) await connected.applyPolicy({ requestId: io.newId(), policy });
    const preview = isDryRun ? await connected.previewPolicy({ policy }) : null;
    const after = (preview ?? (await connected.getPolicy({}))).policy;
    const outlook = preview === null ? null : outlookView(preview.outlook);
    print.list({
      kind: "PolicyChangeList",
      items: changedFields(
        before === null ? {} : flatFields(policyFields(before)),
        after === null ? {} : flatFields(policyFields(after)),
      ),
      columns: () => COLUMNS,
      nameOf: ({ field }) => field,
      whenEmpty: "The policy is so already.",
      extra: { isDryRun, ...outlook },
    });
    if (outlook !== null && print.format === "table") print.text(outlookText(outlook));
    return EXIT.ok;
  },
});

const COLUMNS: readonly Column<FieldChange>[] = [
  { title: "FIELD", cell: ({ field }) => field, shrinkTo: 20 },
  { title: "FROM", cell: ({ from }) => `${from ?? "-"}`, shrinkTo: 10 },
  { title: "TO", cell: ({ to }) => `${to ?? "-"}`, shrinkTo: 10 },
];
