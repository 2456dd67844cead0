/** The event that all benchmarks send: about 150 bytes, as a web shop or a sensor would. */

/** One event in the native protocol, on one line. */
export function sampleEvent(number: number): string {
  return `{"user_id":${100_000 + number % 900_000},"timestamp":"2026-11-24T11:03:40.123Z",` +
    `"metadata":{"path":"/checkout","ms":12.5,"ua":"Mozilla/5.0","tags":["a","b"],"n":${number}}}`;
}

/** A number of them as NDJSON. */
export function sampleLines(count: number): string {
  return Array.from({ length: count }, (_, number) => sampleEvent(number)).join("\n") + "\n";
}
