import { createRequire } from 'node:module'

/** The one version whose inside is known here. With another one nothing is patched: look first whether it still needs to be. */
const PATCHED = '4.10.0'

/** What of the driver's control connection is touched. */
export interface ControlConnection {
  _refresh(hosts?: unknown): Promise<unknown>
}

const require = createRequire(import.meta.url)

/**
 * The driver looks for a new control connection whenever it has lost one, also while it is looking for one already. The second search
 * takes the connection away from under the first, which stumbles over a null; nobody catches that, and the process ends. Here a
 * search that is under way serves all who ask for one. `hosts` is passed by a search that goes on with its own list.
 */
export function searchOnce(prototype: ControlConnection): void {
  const refresh = prototype._refresh
  const searches = new WeakMap<ControlConnection, Promise<unknown>>()
  prototype._refresh = function (this: ControlConnection, hosts?: unknown) {
    if (hosts !== undefined) return refresh.call(this, hosts)
    const search = searches.get(this) ?? refresh.call(this).finally(() => searches.delete(this))
    searches.set(this, search)
    return search
  }
}

let patched = false

/** Patches the driver, once. */
export function patchDriver(): void {
  if (patched || require('cassandra-driver/package.json').version !== PATCHED) return
  patched = true
  searchOnce(require('cassandra-driver/lib/control-connection').prototype)
}
