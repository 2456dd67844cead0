/** Counting requests where they are answered. */

import type { RequestCounts } from "../request_counts.ts";
import { methodName } from "./route_name.ts";

/** Counts a response and gives it. */
export type Counted = (response: Response) => Response;

/** What counts the responses to requests by one method and route: see `route_name.ts`. */
export function counting(requests: RequestCounts, method: string, route: string): Counted {
  const counts = requests.route(methodName(method), route);
  return (response) => {
    requests.end(counts, response.status);
    return response;
  };
}
