/** Files in memory that can be full, fail, and lose at a power cut what was not flushed. */

import { ok } from "node:assert/strict";
import type { JournalFiles, ReadableFile, WritableFile } from "../../lib/store/journal_files.ts";

/** A file in memory and how much of it was flushed. */
interface Node {
  bytes: Uint8Array;
  flushed: number;
  /** Whether a flush failed: the system takes its pages for written, and no later flush does it. */
  isLost?: boolean;
}

/** See the head of this file. */
export class ModelFiles implements JournalFiles {
  names = new Map<string, Node>();
  durableNames = new Map<string, Node>();
  /** Bytes that may still be written. */
  room = Infinity;
  /** Whether a flush does what it says. */
  flushes = true;
  /** Called before each change; what it throws is the error of that change. */
  onChange: (what: string) => void = () => {};

  list = () => [...this.names.keys()].map((path) => path.replace(/.*\//, ""));
  size = (path: string) => this.names.get(path)?.bytes.length ?? null;
  identity = (path: string) => this.names.has(path) ? idOf(this.names.get(path)) : null;

  create(path: string): WritableFile {
    this.onChange("create");
    if (this.names.has(path)) throw systemError("EEXIST");
    const node: Node = { bytes: new Uint8Array(), flushed: 0 };
    this.names.set(path, node);
    return {
      write: (bytes) => {
        this.onChange("write");
        if (this.room === 0) throw systemError("ENOSPC");
        const part = bytes.subarray(0, Math.min(this.room, Math.ceil(bytes.length / 2)));
        this.room -= part.length;
        node.bytes = concat(node.bytes, part);
        return part.length;
      },
      datasync: () => {
        try {
          this.onChange("datasync");
        } catch (error) {
          if ((error as { code?: unknown }).code === "EIO") node.isLost = true;
          throw error;
        }
        if (this.flushes && !node.isLost) node.flushed = node.bytes.length;
      },
      truncate: (length) => {
        this.onChange("truncate");
        node.bytes = node.bytes.slice(0, length);
        node.flushed = Math.min(node.flushed, length);
      },
      identity: () => idOf(node),
      [Symbol.dispose]: () => {},
    };
  }

  open(path: string): ReadableFile | null {
    const node = this.names.get(path);
    if (node === undefined) return null;
    return {
      read(bytes, offset) {
        const part = node.bytes.subarray(offset, offset + Math.ceil(bytes.length / 2));
        bytes.set(part);
        return part.length;
      },
      [Symbol.dispose]() {},
    };
  }

  unlink(path: string): void {
    this.onChange("unlink");
    this.names.delete(path);
  }

  rename(from: string, to: string): void {
    this.onChange("rename");
    ok(!this.names.has(to), `${to} is overwritten`);
    this.names.set(to, this.names.get(from) as Node);
    this.names.delete(from);
  }

  flush(path: string): void {
    this.onChange("flush");
    const node = this.names.get(path);
    if (node !== undefined && this.flushes && !node.isLost) node.flushed = node.bytes.length;
  }

  syncFolder(): void {
    this.onChange("syncFolder");
    this.durableNames = new Map(this.names);
  }

  /** A power cut: of each change that was not flushed, `chance` says how much of it is there. */
  cutPower(chance: () => number): void {
    for (const node of new Set([...this.names.values(), ...this.durableNames.values()])) {
      const rest = node.bytes.length - node.flushed;
      node.bytes = node.bytes.slice(0, node.flushed + Math.floor(chance() * (rest + 1)));
      if (chance() < 0.3) node.bytes.fill(0, node.flushed); // the length came through, the data not
      node.flushed = node.bytes.length;
      node.isLost = false;
    }
    const names = new Map(this.durableNames);
    for (const path of new Set([...this.names.keys(), ...this.durableNames.keys()])) {
      const node = this.names.get(path);
      if (node === this.durableNames.get(path) || chance() < 0.5) continue;
      if (node === undefined) names.delete(path);
      else names.set(path, node);
    }
    this.names = new Map(names);
    this.durableNames = names;
  }
}

const ids = new WeakMap<Node, string>();
let lastId = 0;

function idOf(node: Node | undefined): string {
  if (node === undefined) throw new TypeError("no file");
  if (!ids.has(node)) ids.set(node, `${++lastId}`);
  return ids.get(node) as string;
}

/** An error of the system, as Deno throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code} (os error)`), { code });
}

/** All bytes, one behind the other. */
export function concat(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
