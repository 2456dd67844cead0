/** (c) whether the commit rate stays flat while the database grows. */

import { Grown } from "./grown.ts";
import { median, spread, thousands } from "./numbers.ts";

const ROUNDS = 15;
/** Transactions a turn: enough that each turn has checkpoints in it. */
const TURN_TRANSACTIONS = 20;

/**
 * Markdown lines: databases of these sizes, in millions of rows, take turns at being written to, so
 * that a change of the machine's speed meets them all. Writes through the store's own code.
 */
export function growth(millions: readonly number[]): string[] {
  const folder = Deno.makeTempDirSync({ prefix: "firehouse-growth-" });
  const grown = millions.map((size) => new Grown(`${folder}/${size}.db`, size));
  const rates = grown.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, one] of grown.entries()) rates[i]?.push(one.write(TURN_TRANSACTIONS));
  }
  for (const one of grown) one.close();
  Deno.removeSync(folder, { recursive: true });
  return [
    "| rows | rows/s | against the first, turn by turn |",
    "| --- | --- | --- |",
    ...rates.map((rate, i) => {
      const ratios = rate.map((perSecond, turn) => perSecond / (rates[0]?.[turn] ?? NaN));
      return `| ${millions[i]} M | ${thousands(median(rate))} | ${spread(ratios)} |`;
    }),
  ];
}
