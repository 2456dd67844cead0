/** A handler whose requests are told to the log. */

import type { Protocol } from "../protocol.ts";
import type { RequestLog } from "../request_log.ts";
import { declaredLength } from "./body.ts";
import { addressOf, type ConnectionInfo, type Handler } from "./handler.ts";
import { REQUEST_ID_HEADER } from "./request_id.ts";

/** What it is made of. */
export interface LoggedOptions {
  /** Gets the lines. */
  readonly log: RequestLog;
  /** Whose paths are told apart. */
  readonly protocols: readonly Protocol[];
}

/** Makes it. While no lines are wanted it costs a call. */
export function logged(handler: Handler, { log, protocols }: LoggedOptions): Handler {
  const protocolOf = new Map(
    protocols.flatMap(({ name, routes, services }) =>
      [...routes.keys(), ...services?.keys() ?? []].map((path) => [path, name])
    ),
  );

  return (request, info) => log.isOn ? answer(request, info) : handler(request, info);

  async function answer(request: Request, info: ConnectionInfo): Promise<Response> {
    const startMs = performance.now();
    const response = await handler(request, info);
    const path = URL.parse(request.url)?.pathname ?? null;
    const length = request.headers.get("content-length");
    log.answered({
      method: request.method,
      path,
      status: response.status,
      ms: performance.now() - startMs,
      bytes: length === null ? null : declaredLength(length),
      remote: addressOf(info),
      protocol: path === null ? null : protocolOf.get(path) ?? null,
      request_id: response.headers.get(REQUEST_ID_HEADER),
    });
    return response;
  }
}
