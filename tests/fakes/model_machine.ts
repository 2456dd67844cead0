/** A machine that can fail at any of its disk operations, or end there. */

import { ModelFiles, systemError } from "./model_files.ts";

/** What ends: the store Worker, the process, or everything, with what was not flushed. */
export type Ending = "worker" | "kill" | "power";
/** What happens at an operation: an error of the system, or an end. */
export type Incident = "EIO" | "ENOSPC" | Ending;

/** See the head of this file. */
export class ModelMachine {
  readonly files = new ModelFiles();
  /** What has ended and was not started again. */
  down: Ending | null = null;
  #incident: Incident | null = null;
  #operations = 0;

  constructor() {
    this.files.onChange = () => this.operation();
  }

  /** Has this happen at the operation of this number, counted from now; null: nothing. */
  plan(incident: Incident | null, operations = 1): void {
    this.#incident = incident;
    this.#operations = operations;
  }

  /** To be called before each change on the disk. @throws what happens instead of it. */
  operation(): void {
    if (this.down === null && this.#incident !== null && --this.#operations === 0) {
      const incident = this.#incident;
      this.#incident = null;
      if (incident === "EIO" || incident === "ENOSPC") throw systemError(incident);
      this.down = incident;
    }
    if (this.down !== null) throw new Error(`the machine is down: ${this.down}`);
  }
}
