// Limits of the wire that both ends hold to.

/** Largest message either way, unpacked. */
export const MESSAGE_BYTES_MAX = 16 * 1_048_576;
