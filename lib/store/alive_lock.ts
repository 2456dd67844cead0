/**
 * Tells when a Worker is gone. One that ends by itself sends no event; a Web Lock it holds is let
 * go whichever way it ends. (Deno has Web Locks, its type library does not.)
 */

interface LockManager {
  request(name: string, callback: () => void | Promise<void>): Promise<void>;
}

/** Resolves once the lock is held by this thread, which then holds it until it ends. */
export function holdWhileAlive(name: string): Promise<void> {
  return new Promise((held) => {
    locks().request(name, () => {
      held();
      return new Promise<void>(() => {});
    });
  });
}

/** Resolves when no thread holds the lock. */
export function whenLetGo(name: string): Promise<void> {
  return locks().request(name, () => {});
}

function locks(): LockManager {
  return (navigator as unknown as { locks: LockManager }).locks;
}
