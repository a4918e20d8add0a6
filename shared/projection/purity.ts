import nodeCrypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'
import timers from 'node:timers'
import { TidemarkError } from '../errors.ts'

/** Sees what an author's function does besides computing. */
export interface Witness {
  /** Runs the function; whatever impure it does meanwhile throws HANDLER_IMPURE, naming `who` and the deed. */
  during<T>(who: string, run: () => T): T
  /** Records a deed that was found by looking at values. Throws it. */
  accuse(who: string, deed: string): never
  /** The first deed so far: it counts even if the author's function swallowed the error. */
  readonly found: TidemarkError | undefined
}

/**
 * Runs something while the ways out of a fold are watched: clock, chance, environment, timers, network, local time zone.
 * They work as always except inside `during`. Everything is put back afterwards; `run` must be synchronous.
 */
export function witnessed<T>(run: (witness: Witness) => T): T {
  let running: string | undefined
  let found: TidemarkError | undefined

  function accuse(who: string, deed: string): never {
    const error = new TidemarkError('HANDLER_IMPURE', `${who} ${deed}`)
    found ??= error
    throw error
  }

  const restore = watchWaysOut((deed) => {
    if (running !== undefined) accuse(running, deed)
  })
  try {
    return run({
      accuse,
      get found() {
        return found
      },
      during(who, author) {
        running = who
        try {
          return author()
        } finally {
          running = undefined
        }
      },
    })
  } finally {
    restore()
  }
}

/** Functions that no fold may call, with what calling them means. */
const WAYS_OUT: readonly (readonly [
  owner: object | undefined,
  names: readonly string[],
  deed: (name: string) => string,
])[] = [
  [Date, ['now'], (name) => `read the clock (Date.${name}())`],
  [performance, ['now'], (name) => `read the clock (performance.${name}())`],
  [process, ['uptime', 'hrtime'], (name) => `read the clock (process.${name}())`],
  [process.hrtime, ['bigint'], (name) => `read the clock (process.hrtime.${name}())`],
  [
    temporalNow(),
    ['instant', 'plainDateISO', 'plainDateTimeISO', 'plainTimeISO', 'zonedDateTimeISO', 'timeZoneId'],
    (name) => `read the clock (Temporal.Now.${name}())`,
  ],
  [Math, ['random'], (name) => `drew lots (Math.${name}())`],
  [crypto, ['randomUUID', 'getRandomValues'], (name) => `drew lots (crypto.${name}())`],
  [nodeCrypto, ['randomUUID', 'randomBytes', 'randomInt', 'randomFillSync'], (name) => `drew lots (crypto.${name}())`],
  [
    globalThis,
    ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
    (name) => `left work for later (${name}())`,
  ],
  [timers, ['setTimeout', 'setInterval', 'setImmediate'], (name) => `left work for later (${name}())`],
  [process, ['nextTick'], (name) => `left work for later (process.${name}())`],
  [globalThis, ['fetch'], (name) => `used the network (${name}())`],
  [
    Date.prototype,
    [
      'getFullYear',
      'getMonth',
      'getDate',
      'getDay',
      'getHours',
      'getMinutes',
      'getTimezoneOffset',
      'toString',
      'toDateString',
      'toTimeString',
      'toLocaleString',
      'toLocaleDateString',
      'toLocaleTimeString',
    ],
    (name) => `used the machine's time zone or language (Date ${name}(); use the UTC methods or toISOString())`,
  ],
]

function temporalNow(): object | undefined {
  const temporal: unknown = Reflect.get(globalThis, 'Temporal')
  const now: unknown = typeof temporal === 'object' && temporal !== null ? Reflect.get(temporal, 'Now') : undefined
  return typeof now === 'object' && now !== null ? now : undefined
}

/** Puts a watch on every way out; returns what takes them off again. */
function watchWaysOut(deed: (what: string) => void): () => void {
  const restores: (() => void)[] = []

  function replace(owner: object, name: string, substitute: (real: object) => object): void {
    const holder = holderOf(owner, name)
    const property = holder && Object.getOwnPropertyDescriptor(holder, name)
    if (!holder || !property?.configurable) return
    const real: unknown = Reflect.get(owner, name)
    if ((typeof real !== 'object' && typeof real !== 'function') || real === null) return
    Object.defineProperty(holder, name, {
      value: substitute(real),
      configurable: true,
      writable: true,
      enumerable: property.enumerable ?? false,
    })
    restores.push(() => Object.defineProperty(holder, name, property))
  }

  for (const [owner, names, says] of WAYS_OUT) {
    for (const name of owner ? names : []) replace(owner!, name, (real) => calling(real, () => deed(says(name))))
  }
  replace(globalThis, 'Date', (real) => watchedDate(real, deed))
  replace(process, 'env', (real) => watchedEnvironment(real, deed))
  syncBuiltinESMExports() // So that `import { randomUUID } from 'node:crypto'` is watched as well.
  return () => {
    for (const restore of restores.reverse()) restore()
    syncBuiltinESMExports()
  }
}

function holderOf(owner: object, name: string): object | undefined {
  for (let holder: object | null = owner; holder !== null; holder = Object.getPrototypeOf(holder)) {
    if (Object.hasOwn(holder, name)) return holder
  }
  return undefined
}

function calling(real: object, before: () => void): object {
  return new Proxy(real, {
    apply(target, self, args) {
      before()
      return Reflect.apply(target as () => unknown, self, args)
    },
  })
}

/** Dates made from a given time are fine; `new Date()` and `Date()` are the clock, `new Date(2026, 0, 1)` is the local time zone. */
function watchedDate(real: object, deed: (what: string) => void): object {
  const watched: object = new Proxy(real, {
    apply(target, self, args) {
      deed('read the clock (Date())')
      return Reflect.apply(target as () => unknown, self, args)
    },
    construct(target, args, newTarget) {
      if (args.length === 0) deed('read the clock (new Date())')
      if (args.length > 1) deed("used the machine's time zone (new Date(year, month, …); use Date.UTC())")
      return Reflect.construct(
        target as new () => object,
        args,
        newTarget === watched ? (target as new () => object) : newTarget,
      )
    },
  })
  return watched
}

function watchedEnvironment(real: object, deed: (what: string) => void): object {
  const named = (name: string | symbol) => deed(`read the environment (process.env.${String(name)})`)
  return new Proxy(real, {
    get(target, name) {
      named(name)
      return Reflect.get(target, name)
    },
    has(target, name) {
      named(name)
      return Reflect.has(target, name)
    },
    ownKeys(target) {
      deed('read the environment (process.env)')
      return Reflect.ownKeys(target)
    },
    set(target, name, value) {
      deed(`changed the environment (process.env.${String(name)})`)
      return Reflect.set(target, name, value)
    },
  })
}
