// The training step that a file's or folder's name tells, and which names are not meant to be seen
// yet.

/** Twelve digits is what a checkpoint's id has room for. */
const STEP_MAX = 999_999_999_999;

/** Strongest first: in `epoch=3-step=30` the step counts. */
const STEP_WORDS: readonly RegExp[] = [
  /(?:^|[^a-z])(?:global[-_]?step|steps?)[-_=]?(\d+)/i,
  /(?:^|[^a-z])(?:iteration|iter)[-_=]?(\d+)/i,
  /(?:^|[^a-z])(?:batch|ba)[-_=]?(\d+)/i,
  /(?:^|[^a-z])(?:checkpoint|ckpt)[-_=]?(\d+)/i,
  /(?:^|[^a-z])(?:epoch|ep)[-_=]?(\d+)/i,
  // A number at the end, unless it is a fraction: `model_30`, but not `loss_0.25`.
  /(?<![\d.])(\d+)$/,
];

/** `_rank1`, `-00001-of-00003`: which piece it is, not which step. */
const PIECE =
  /[-_.=]?(?:\d+[-_]of[-_]\d+|(?:rank|shard|part|proc|node|worker|gpu|mp|tp|pp|dp|v)[-_=]?\d+)$/i;

const EXTENSION = /\.(?:pt|pth|ckpt|bin|safetensors)$/i;

/** Null when the name does not tell. */
export function stepOfName(name: string): number | null {
  let stem = name.replace(EXTENSION, "");
  while (PIECE.test(stem)) stem = stem.replace(PIECE, "");
  for (const pattern of STEP_WORDS) {
    const digits = pattern.exec(stem)?.[1];
    if (digits === undefined) continue;
    const step = Number(digits);
    return step <= STEP_MAX ? step : null;
  }
  return null;
}

/** Names under which trainers write before they rename, or that say "not yet". */
export function isTemporaryName(name: string): boolean {
  return (
    /(?:^\.?te?mp[-_.])|(?:[-_.](?:te?mp|part|partial|incomplete|writing)$)|~$/i.test(name) ||
    name === "checkpoint-is-incomplete.txt"
  );
}

/** `*` = any characters but a slash, `?` = one of them. */
export function matchesPattern(path: string, pattern: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const subject = pattern.includes("/") ? path : name;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  return new RegExp(`^${source}$`).test(subject);
}
