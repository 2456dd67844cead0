/** The real store Worker behind a module that takes its time to load, as a driver from JSR does. */

await new Promise((resolve) => setTimeout(resolve, 300));
await import("../../lib/store/worker.ts");
