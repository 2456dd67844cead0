/** A file of the dashboard. */

/** What is served under one name. */
export interface Asset {
  /** Its media type, with the charset. */
  readonly type: string;
  /** What is in it. */
  readonly text: string;
}
