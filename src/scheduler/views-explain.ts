// Explanations and previews as the API shows them. Pure.

import { encodeDuration, encodeTimestamp } from "../rpc/decode.ts";
import type { ExplainJobResponse } from "../rpc/gen/trainyard/v1/ExplainJobResponse.ts";
import type { PreviewJobResponse } from "../rpc/gen/trainyard/v1/PreviewJobResponse.ts";
import type { StartEstimate } from "../rpc/gen/trainyard/v1/StartEstimate.ts";
import type { Explanation } from "./core/explain.ts";
import type { SubmissionPreview } from "./core/explain-submission.ts";
import type { StartForecast } from "./core/start-forecast.ts";
import type { ClusterState } from "./core/state.ts";
import { holdView, placementView } from "./views-job.ts";
import { preemptionView } from "./views-outlook.ts";

export function explanationView(
  state: ClusterState,
  { lines, position, ahead, remedy, prospect }: Explanation,
): ExplainJobResponse {
  const preemption = prospect?.preemption ?? null;
  return {
    lines: [...lines],
    position,
    ahead: [...ahead],
    remedy,
    estimate: prospect === null ? null : estimateView(prospect.forecast),
    preemptions: (preemption?.evictions ?? []).map((one) => preemptionView(state, one)),
    preemptsFrom: encodeTimestamp(preemption?.fromMs ?? null),
  };
}

export function previewView(
  state: ClusterState,
  { preview, explanation }: SubmissionPreview,
): PreviewJobResponse {
  const { lines, position, ahead, remedy, prospect } = explanation;
  const evictions = preview.kind === "reserves" ? preview.evictions : [];
  return {
    verdict: preview.kind,
    placement: preview.kind === "waits" ? [] : preview.placement.map(placementView),
    preemptions: evictions.map((one) => preemptionView(state, one)),
    hold: preview.kind === "waits" ? holdView(preview.hold) : null,
    lines: [...lines],
    position,
    ahead: [...ahead],
    remedy,
    estimate: prospect === null ? null : estimateView(prospect.forecast),
  };
}

function estimateView({ p50Ms, p90Ms, gap, basis }: StartForecast): StartEstimate {
  return {
    p50: p50Ms === null ? null : encodeDuration(p50Ms),
    p90: p90Ms === null ? null : encodeDuration(p90Ms),
    gap: gap ?? "",
    basis,
  };
}
