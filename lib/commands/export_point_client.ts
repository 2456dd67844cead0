/** An export point of a running collector, as an export begins after it and moves it. */

import type { Reader } from "../reader.ts";
import { type CollectorClient, failure } from "./collector_client.ts";

/** See the head of this file. */
export class ExportPointClient {
  readonly #server: CollectorClient;
  readonly #path: string;
  /** Id after which the export begins. */
  readonly id: number;

  private constructor(server: CollectorClient, path: string, id: number) {
    this.#server = server;
    this.#path = path;
    this.id = id;
  }

  /**
   * Asks where it is. It is set there again at once, and made if there is none: what would refuse to
   * move it later refuses now, before anything is exported.
   *
   * @throws {CollectorError} if no collector is there, it refuses, or it has another database.
   */
  static async begin(
    name: string,
    { server, reader, path }: {
      readonly server: CollectorClient;
      readonly reader: Pick<Reader, "event">;
      /** The database that is read. */
      readonly path: string;
    },
  ): Promise<ExportPointClient> {
    await refuseOther(server, { reader, path });
    const { export_points: points } = await server.ask("GET", "/export-points") as {
      readonly export_points: readonly { readonly name: string; readonly id: number }[];
    };
    const id = points.find((point) => point.name === name)?.id ?? 0;
    const point = new ExportPointClient(server, `/export-points/${name}`, id);
    await point.move(id);
    return point;
  }

  /** Moves it. @throws {CollectorError} if the collector is gone, or refuses */
  async move(id: number): Promise<void> {
    const body = new TextEncoder().encode(JSON.stringify({ id }));
    await this.#server.ask("PUT", this.#path, body);
  }
}

/** @throws {CollectorError} if the newest event of the collector is not in the database that is read. */
async function refuseOther(
  server: CollectorClient,
  { reader, path }: { readonly reader: Pick<Reader, "event">; readonly path: string },
): Promise<void> {
  const response = await server.request("/events?limit=1&format=ndjson");
  const newest = (await response.text()).trim();
  const id = Number(/^\{"id":(\d+),/.exec(newest)?.[1] ?? 0);
  if (id === 0) return; // it has no events: setting the point will tell
  const found = await reader.event(id);
  if (typeof found === "object" && found.json === newest) return;
  throw failure(
    `The collector uses another database than ${path}: its event ${id} is not there`,
    "Name the same with --db and --url.",
  );
}
