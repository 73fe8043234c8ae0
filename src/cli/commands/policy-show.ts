// `trainyard policy show`: the policy that holds, as a file that `policy apply` takes.

import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";

export const policyShow = defineCommand({
  name: "show",
  summary: "Print the policy that holds, as a policy file",
  details: "Every field is there, also those that have their default.",
  operands: [],
  flags: {},
  examples: [
    { command: "trainyard policy show", says: "what holds" },
    { command: "trainyard policy show > policy.yaml", says: "a file to change and apply" },
  ],
  run: async ({ cluster, print }) => {
    const { renderYaml } = await import("../../config/yaml-file.ts");
    const { policyFields } = await import("../views/policy-view.ts");
    const { policy } = await (await cluster()).getPolicy({});
    const fields = policy === null ? {} : policyFields(policy);
    const yaml = await renderYaml(fields);
    print.one({ kind: "Policy", name: "policy", value: { policy: fields }, text: () => yaml });
    return EXIT.ok;
  },
});
