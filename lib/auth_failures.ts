/** Counts wrong tokens by the address they come from, in memory that does not grow without end. */

/** Most wrong tokens of an address in the window that are answered as such. */
export const FAILURES_MAX = 10;
const WINDOW_MS = 60_000;
/** Most addresses; the one whose last failure is the longest ago is forgotten first. */
const ADDRESSES_MAX = 10_000;
const ADDRESS_LENGTH_MAX = 64;

/** See the head of this file. */
export class AuthFailures {
  readonly #nowMs: () => number;
  /** When each address failed, at most {@linkcode FAILURES_MAX} times; the latest address last. */
  readonly #byAddress = new Map<string, readonly number[]>();

  /** Knows of none yet; the clock does not go back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** How many addresses it remembers. */
  get addresses(): number {
    return this.#byAddress.size;
  }

  /**
   * An address sent a wrong token: 0, or, when it did so too often, the whole seconds after which
   * the next one counts again. Those in between do not count: what is told stays true.
   */
  record(address: string): number {
    const key = addressGroup(address), nowMs = this.#nowMs();
    const recent = (this.#byAddress.get(key) ?? []).filter((atMs) => nowMs - atMs < WINDOW_MS);
    const [oldestMs] = recent;
    const isTooMany = oldestMs !== undefined && recent.length >= FAILURES_MAX;
    if (!isTooMany) recent.push(nowMs);
    this.#byAddress.delete(key);
    this.#byAddress.set(key, recent);
    if (this.#byAddress.size > ADDRESSES_MAX) this.#forgetOldest();
    return isTooMany ? Math.max(1, Math.ceil((oldestMs + WINDOW_MS - nowMs) / 1000)) : 0;
  }

  #forgetOldest(): void {
    for (const key of this.#byAddress.keys()) return void this.#byAddress.delete(key);
  }
}

/**
 * What counts as one address: an IPv4 address, also where it is written as an IPv6 one; of IPv6 the
 * /64, of which one host has all addresses.
 */
export function addressGroup(address: string): string {
  const text = address.slice(0, ADDRESS_LENGTH_MAX).replace(/%.*/s, ""); // a zone is no part of it
  if (!text.includes(":")) return text;
  const [head = "", tail] = text.split("::");
  const left = groups(head), right = tail === undefined ? [] : groups(tail);
  const zeros = Math.max(0, 8 - left.length - right.length);
  const all = [...left, ...Array<number>(zeros).fill(0), ...right];
  const [high = 0, low = 0] = all.slice(6);
  const isMapped = all[5] === 0xffff && all.slice(0, 5).every((group) => group === 0);
  if (isMapped) return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  return `${all.slice(0, 4).map((group) => group.toString(16)).join(":")}::/64`;
}

/** The 16-bit groups of a part of an IPv6 address; an IPv4 address at its end is two. */
function groups(part: string): number[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => {
    if (!group.includes(".")) return [parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a << 8 | b, c << 8 | d];
  });
}
