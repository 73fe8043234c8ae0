// What queues are due changes with every submission, so it is noted in the log at intervals
// (`shares.noted`), and accounts (share-account.ts) are charged with what was noted last. What nobody
// could use, GPUs in pieces, is held against nobody: dues are noted in proportion to what was given out.

import type { QueuePath } from "../../base/ids.ts";
import type { ClusterEvent } from "./events.ts";
import { fairDues } from "./fair-share.ts";
import { QueueTree } from "./queue-tree.ts";
import { scaleDown } from "./ratio.ts";
import { noteIntervalMs } from "./share-account.ts";
import type { ClusterState, Queue } from "./state.ts";

const MILLI = 1_000;

/** What is due now, if that is to be noted: nothing while what was noted is new enough. */
export function sharesToNote(state: ClusterState, nowMs: number): readonly ClusterEvent[] {
  const { policy } = state;
  if (policy.shareWindowMs === 0 || !policy.isShareReclaimed) return [];
  const queues = [...state.queues.values()];
  const isNew = ({ noted }: Queue): boolean =>
    noted !== null && nowMs - noted.atMs < noteIntervalMs(policy);
  if (queues.some(isNew)) return [];
  const tree = new QueueTree(state, nowMs);
  if (!tree.isShared(state.pending)) {
    const isNoted = queues.some(({ noted }) => noted !== null);
    return isNoted ? [{ kind: "shares.noted", dues: [] }] : [];
  }
  const dues = [...fairDues(state, tree)];
  const ofTops = dues.filter(([queue]) => queue.parent === null);
  const due = ofTops.reduce((sum, [, milliGpus]) => sum + milliGpus, 0);
  const held = ofTops.reduce((sum, [queue]) => sum + queue.allocated.gpus * MILLI, 0);
  const noted = dues.map(([{ spec }, milliGpus]): [QueuePath, number] => {
    return [spec.path, held < due ? scaleDown(milliGpus, held, due) : milliGpus];
  });
  return [{ kind: "shares.noted", dues: noted }];
}
