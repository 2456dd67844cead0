/** The real reader Worker behind a module that takes its time to load. */

await new Promise((resolve) => setTimeout(resolve, 300));
await import("../../lib/reader/worker.ts");
