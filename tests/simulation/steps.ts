/** What can happen in a simulation, and how often. */

import fc from "fast-check";
import type { Fault } from "../fakes/model_database.ts";
import type { Incident } from "../fakes/model_machine.ts";

/** An event of a request: a new one without an id, with one, one that no database takes, or again. */
export type EventSpec = "plain" | "named" | "poison" | number;

/** See the head of this file. */
export type Step =
  /** A new request; with an Idempotency-Key of its own, or that of an earlier request. */
  | {
    readonly kind: "submit";
    readonly events: readonly EventSpec[];
    readonly key: "none" | "new" | number;
  }
  /** An earlier request once more, as a client does that got no answer. */
  | { readonly kind: "resend"; readonly which: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "database"; readonly fault: Fault | null }
  | { readonly kind: "move-away" }
  | { readonly kind: "disk"; readonly room: number }
  /** Something happens at one of the next disk operations. */
  | { readonly kind: "incident"; readonly incident: Incident; readonly operations: number }
  /** All ends now; 0, or the operation of the next start at which it ends again, or something else happens. */
  | {
    readonly kind: "crash";
    readonly ending: "kill" | "power";
    readonly again: number;
    readonly incident?: Incident;
  }
  | { readonly kind: "restart" }
  | { readonly kind: "clock"; readonly ms: number };

const eventSpec: fc.Arbitrary<EventSpec> = fc.oneof(
  { weight: 4, arbitrary: fc.constant("plain" as const) },
  { weight: 4, arbitrary: fc.constant("named" as const) },
  { weight: 1, arbitrary: fc.constant("poison" as const) },
  { weight: 3, arbitrary: fc.nat(9) },
);
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constant("none" as const) },
  { weight: 3, arbitrary: fc.constant("new" as const) },
  { weight: 1, arbitrary: fc.nat(9) },
);
const submit = fc.record({
  kind: fc.constant("submit" as const),
  events: fc.array(eventSpec, { minLength: 1, maxLength: 4 }),
  key,
});
const ms = fc.constantFrom(0, 1, 2, 3, 5, 8, 40, 300, 3000);
const fault = fc.constantFrom<Fault | null>(
  "locked",
  "locked",
  "full",
  "failing",
  null,
  null,
  null,
);
const incident = fc.record({
  kind: fc.constant("incident" as const),
  incident: fc.constantFrom<Incident>("EIO", "EIO", "ENOSPC", "worker", "kill", "kill", "power"),
  operations: fc.integer({ min: 1, max: 12 }),
});
const crash = fc.record({
  kind: fc.constant("crash" as const),
  ending: fc.constantFrom("kill" as const, "power" as const),
  again: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 8 })),
  incident: fc.constantFrom<Incident>("kill", "power", "EIO"),
});

/** One step of a simulation. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: submit },
  { weight: 4, arbitrary: fc.nat(9).map((which) => ({ kind: "resend" as const, which })) },
  { weight: 14, arbitrary: ms.map((ms) => ({ kind: "pass" as const, ms })) },
  { weight: 5, arbitrary: fault.map((fault) => ({ kind: "database" as const, fault })) },
  { weight: 1, arbitrary: fc.constant({ kind: "move-away" as const }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(0, 150, 400, Infinity, Infinity)
      .map((room) => ({ kind: "disk" as const, room })),
  },
  { weight: 5, arbitrary: incident },
  { weight: 3, arbitrary: crash },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(-600_000, -5000, 5000, 600_000)
      .map((ms) => ({ kind: "clock" as const, ms })),
  },
);
