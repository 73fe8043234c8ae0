// `trainyard version`.

import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { packageVersion } from "../version.ts";

export const version = defineCommand({
  name: "version",
  summary: "Print the version",
  operands: [],
  flags: {},
  examples: [{ command: "trainyard version --json", says: "with those of Node and the platform" }],
  run: async ({ print }) => {
    const value = {
      version: packageVersion(),
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
    };
    print.one({
      kind: "Version",
      name: value.version,
      value,
      text: () => `trainyard ${value.version} (Node ${value.node}, ${value.platform})\n`,
    });
    return EXIT.ok;
  },
});
