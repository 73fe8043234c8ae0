// All option tables by section: what files may contain and what the reference documents.

import { AGENT_OPTIONS } from "./agent-options.ts";
import { CLIENT_OPTIONS } from "./client-options.ts";
import type { OptionTable, Section } from "./option.ts";
import { SCHEDULER_OPTIONS } from "./scheduler-options.ts";
import { UP_OPTIONS } from "./up-options.ts";

export const OPTION_TABLES: Readonly<Record<Section, OptionTable>> = {
  client: CLIENT_OPTIONS,
  scheduler: SCHEDULER_OPTIONS,
  agent: AGENT_OPTIONS,
  up: UP_OPTIONS,
};
