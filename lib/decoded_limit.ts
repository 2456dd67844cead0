/** How long a compressed body may become. */

/** Most bytes a byte of a compressed body may become, beyond what any body may. */
const RATIO_MAX = 100;
/** What any body may become, in bytes: so little does no harm. */
const ALWAYS_ALLOWED_BYTES = 1024 * 1024;

/**
 * Most bytes that so many compressed bytes may become, at most `bytesMax`. Text that says something
 * is not a hundred times longer than its compressed form; what is was made to be.
 */
export function decodedBytesMax(compressedBytes: number, bytesMax: number): number {
  return Math.min(bytesMax, Math.max(ALWAYS_ALLOWED_BYTES, RATIO_MAX * compressedBytes));
}
