/** Where a command says what. */

/** The two places. */
export interface CommandOutput {
  /** Takes what was asked for, to be written to stdout as it is. */
  readonly print: (text: string) => void;
  /** Takes a line for whoever reads along, without its end. */
  readonly tell: (line: string) => void;
}
