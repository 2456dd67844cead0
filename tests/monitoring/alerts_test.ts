/** Each alert fires when it should, alone, and does not when it should not: judged by promtool. */

import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { type Case, CASES, HEALTHY } from "./alert_cases.ts";
import { ignore, MISSING, promtool } from "./prometheus.ts";

const FOLDER = new URL("../../docs/monitoring/", import.meta.url).pathname;
const ALERTS = `${FOLDER}alerts.yml`;
const EVERY = "15s";

/** Has promtool judge which alerts fire at each time. */
async function judge(
  series: Case["series"],
  expected: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const named = Object.entries({ ...HEALTHY, ...series }).map(([name, values]) => ({
    series: withTarget(name),
    values,
  }));
  const firing = 'count by (alertname) (ALERTS{alertstate="firing"})';
  const promql_expr_test = Object.entries(expected).map(([eval_time, alerts]) => ({
    expr: firing,
    eval_time,
    exp_samples: alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
  }));
  const tests = [{ interval: EVERY, input_series: named, promql_expr_test }];
  const file = Deno.makeTempFileSync({ suffix: ".yml" }); // JSON is YAML
  try {
    const rules = { rule_files: [ALERTS], evaluation_interval: EVERY, tests };
    Deno.writeTextFileSync(file, JSON.stringify(rules));
    await promtool(["test", "rules", file]);
  } finally {
    Deno.removeSync(file);
  }
}

function withTarget(name: string): string {
  const [, metric = "", labels = ""] = /^(\w+)(?:\{(.*)\})?$/.exec(name) ?? [];
  const target = ['job="firehouse"', 'instance="a"'].filter((each) => !labels.includes(each));
  return `${metric}{${[...labels === "" ? [] : [labels], ...target].join()}}`;
}

Deno.test({
  name: `rules and configuration are valid${MISSING}`,
  ignore,
  fn: async () => {
    await promtool(["check", "rules", "--lint=all", "--lint-fatal", ALERTS]);
    await promtool(["check", "config", "--lint=all", "--lint-fatal", `${FOLDER}prometheus.yml`]);
  },
});

Deno.test({
  name: `a healthy collector raises no alert${MISSING}`,
  ignore,
  fn: () => judge({}, Object.fromEntries(["1m", "5m", "10m", "19m"].map((at) => [at, []]))),
});

for (const { alert, when, series, quietAt, firesAt } of CASES) {
  const verb = firesAt === null ? "does not fire" : "fires, and nothing else does";
  Deno.test({
    name: `${alert} ${verb}: ${when}${MISSING}`,
    ignore,
    fn: () =>
      judge(series, {
        ...quietAt === undefined ? {} : { [quietAt]: [] },
        ...firesAt === null ? {} : { [firesAt]: [alert] },
      }),
  });
}

Deno.test("each alert has a case in which it fires, and says what is wrong and what to do", () => {
  const text = Deno.readTextFileSync(ALERTS);
  const alerts = text.split("- alert: ").slice(1);
  const names = alerts.map((each) => each.slice(0, each.indexOf("\n")));
  const fired = new Set(CASES.filter(({ firesAt }) => firesAt !== null).map(({ alert }) => alert));
  deepEqual(names.sort(), [...fired].sort());
  const without = alerts.filter((each) =>
    !/ summary: "/.test(each) || !/ description: >-/.test(each)
  );
  deepEqual(without, []);
});
