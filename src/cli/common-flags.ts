// Flags that every command has beside its own.

import { flag } from "../config/kinds.ts";
import { option } from "../config/option.ts";

export const COMMON_FLAGS = {
  json: option(flag(), { name: "json", help: "The same as --output json.", fallback: false }),
  quiet: option(flag(), {
    name: "quiet",
    short: "q",
    help: "No remarks on stderr, only errors.",
    fallback: false,
  }),
  noColor: option(flag(), {
    name: "no-color",
    help: "No colours; NO_COLOR and FORCE_COLOR are heeded too.",
    fallback: false,
  }),
} as const;
