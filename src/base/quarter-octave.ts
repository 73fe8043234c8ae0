// Numbers in buckets that grow with them: four to each doubling. All in whole numbers, so that every
// machine agrees.

/** Larger numbers are in the bucket of this one. */
export const WHOLE_MAX = 0x3fff_ffff;

/** Bucket of a whole number from 0: those below 4 have one each. Powers of two begin a bucket. */
export function quarterOctave(value: number): number {
  const bounded = Math.min(WHOLE_MAX, value);
  if (bounded < 4) return bounded;
  const octave = 31 - Math.clz32(bounded);
  return 4 * (octave - 1) + ((bounded >>> (octave - 2)) & 3);
}

/** The first whole number beyond a bucket. */
export function endOfQuarterOctave(bucket: number): number {
  if (bucket < 4) return bucket + 1;
  const octave = (bucket >> 2) + 1;
  return (5 + (bucket & 3)) * 2 ** (octave - 2);
}
