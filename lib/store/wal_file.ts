/**
 * A look at a database's log before SQLite opens it. SQLite takes a log up to the first frame whose
 * checksum is wrong and drops all behind it without a word: after a crash, one flipped bit would undo
 * every later commit unnoticed. (Format: sqlite.org/fileformat.html §4.)
 */

const HEADER_BYTES = 32, FRAME_HEAD_BYTES = 24;
const SALTS_AT = 16, CHECKSUM_AT = 24;
/** Of a header; the last bit tells the byte order of the checksums. */
const MAGIC = 0x377f0682;

/** A checksum: two words. */
type Sum = readonly [number, number];

/**
 * How many transactions a log holds that SQLite will not read, since something before their end is
 * damaged; 0 if there is no log. The last of them may have been cut off by a power cut before it was
 * flushed, and then nobody was told that it is stored.
 */
export function unreadableTransactions(path: string): number {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch {
    return 0; // there is none, or SQLite will say what is wrong
  }
  using log = file;
  const frameSpace = log.statSync().size - HEADER_BYTES;
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  if (frameSpace <= 0 || !fill(log, header)) return 0;
  const isLittleEndian = (header.getUint32(0) & 1) === 0;
  const stored = sumAt(header, CHECKSUM_AT);
  let sum: Sum | null = added([0, 0], header, 0, CHECKSUM_AT, isLittleEndian);
  if ((header.getUint32(0) | 1) !== (MAGIC | 1) || !isSame(sum, stored)) sum = null;

  const frame = new DataView(new ArrayBuffer(FRAME_HEAD_BYTES + pageBytes(header)));
  let unreadable = 0;
  for (let left = frameSpace; left >= frame.byteLength; left -= frame.byteLength) {
    if (!fill(log, frame)) break;
    // A frame that is left over from before has two other salts; where one is right, one is damaged.
    const salts = sumAt(frame, 8), expected = sumAt(header, SALTS_AT);
    const isOfThisRound = salts[0] === expected[0] || salts[1] === expected[1];
    if (!isSame(salts, expected)) sum = null;
    sum &&= added(sum, frame, 0, 8, isLittleEndian);
    sum &&= added(sum, frame, FRAME_HEAD_BYTES, frame.byteLength, isLittleEndian);
    if (sum !== null && !isSame(sum, sumAt(frame, 16))) sum = null;
    const endsTransaction = frame.getUint32(4) !== 0;
    if (sum === null && isOfThisRound && endsTransaction) unreadable++;
  }
  return unreadable;
}

/** The length of a page, or a likely one if the header is damaged. */
function pageBytes(header: DataView): number {
  const bytes = header.getUint32(8);
  const isPossible = bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0;
  return isPossible ? bytes : 8192;
}

function fill(file: Deno.FsFile, view: DataView): boolean {
  const bytes = new Uint8Array(view.buffer);
  for (let done = 0; done < bytes.length;) {
    const count = file.readSync(bytes.subarray(done));
    if (count === null) return false;
    done += count;
  }
  return true;
}

/** The checksum after the words from `start` to `end`. */
function added(sum: Sum, view: DataView, start: number, end: number, littleEndian: boolean): Sum {
  let [a, b] = sum;
  for (let at = start; at < end; at += 8) {
    a = (a + view.getUint32(at, littleEndian) + b) | 0;
    b = (b + view.getUint32(at + 4, littleEndian) + a) | 0;
  }
  return [a >>> 0, b >>> 0];
}

function sumAt(view: DataView, at: number): Sum {
  return [view.getUint32(at), view.getUint32(at + 4)];
}

function isSame(one: Sum, other: Sum): boolean {
  return one[0] === other[0] && one[1] === other[1];
}
