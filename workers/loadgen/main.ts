import type { Config } from '../../shared/config.ts'
import { persist, systemClock } from '../../shared/engine/index.ts'
import { describe, isKind, TidemarkError } from '../../shared/errors.ts'
import { KafkaPublisher } from '../../shared/kafka/index.ts'
import { kafkaSettings } from '../connections.ts'
import { type Delivery, gatewayDelivery, kafkaDelivery, type Mode, type Persist } from './delivery.ts'
import { keepPace, type Pace } from './pace.ts'
import { type ShopSettings, shop } from './shop.ts'

/** What the command line asks for; what it leaves out has a default. */
export interface LoadOptions {
  /** Events per second; 200. */
  readonly rate?: number
  /** Seconds; unset: until `events` are sent or the process is told to stop. */
  readonly durationSeconds?: number
  readonly events?: number
  readonly via?: 'kafka' | 'gateway'
  /** The gateway's address; http://127.0.0.1:8080. */
  readonly gateway?: string
  /** Into Kafka; the gateway has its own way. `mixed`. */
  readonly mode?: Mode
  /** `seed` unset: another shop each time, so that it has no event that was published before. */
  readonly shop?: Partial<ShopSettings>
  /** Where lines go; standard output. */
  readonly say?: (line: string) => void
}

/** Enough for a hundred thousand events a second, small enough for one request to Kafka. */
const BATCH = 2_000
const TELL_EVERY_MS = 2_000
const BACKOFF_MS = { first: 100, last: 2_000 }

/**
 * `tidemark loadgen`: a shop's events at a steady rate (open loop), until the plan is fulfilled or SIGINT or SIGTERM ends it. Outages
 * are waited out and what became late is sent as fast as it goes; but at the start the world must be there. Gives the exit code, 0.
 *
 * Throws USAGE for options that make no sense, and what Kafka or the gateway refuse.
 */
export async function runLoadgen(config: Pick<Config, 'kafka'>, options: LoadOptions = {}): Promise<number> {
  const {
    rate = 200,
    durationSeconds,
    events,
    via = 'kafka',
    gateway = 'http://127.0.0.1:8080',
    mode = 'mixed',
  } = options
  const say = options.say ?? ((line: string) => console.log(line))
  const seed = options.shop?.seed ?? Math.floor(Math.random() * 2 ** 32)
  checkOptions({ ...options, rate, gateway })

  const stop = new AbortController()
  const ended = (name: string) => stop.abort(name)
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, ended)

  let delivered = false
  const held = (error: Error | undefined, seconds: number) => {
    if (error) say(`held, next try in ${seconds.toFixed(1)} s: ${describe(error)}`)
  }
  const holding = { clock: systemClock, backoffMs: BACKOFF_MS, signal: stop.signal, held }
  // The first try is made even when the process was told to stop: what was begun is finished where the world lets it.
  const enduring: Persist = (work) =>
    work().catch((error) => {
      if (!delivered || !isKind(error, 'transient')) throw error
      return persist(work, holding)
    })
  const publisher = via === 'kafka' ? new KafkaPublisher(kafkaSettings(config, 'tidemark-loadgen')) : undefined
  const deliver: Delivery = publisher ? kafkaDelivery(publisher, mode, enduring) : gatewayDelivery(gateway, enduring)

  say(`a shop (seed ${seed}) at ${rate} events/s via ${via === 'kafka' ? 'kafka' : gateway}`)
  const source = shop({ ...options.shop, seed })
  const opened = Date.now()
  let pace: Pace = { sent: 0, behind: 0, elapsedMs: 0 }
  let told = pace
  const timer = setInterval(() => {
    say(rateLine(pace, told, rate))
    told = pace
  }, TELL_EVERY_MS)
  try {
    const durationMs = durationSeconds === undefined ? undefined : durationSeconds * 1_000
    const plan = { rate, events, durationMs, batch: BATCH }
    const send = async (count: number, dueMs: (index: number) => number) => {
      await deliver(Array.from({ length: count }, (_, index) => source.next(new Date(opened + dueMs(index)))))
      delivered = true
    }
    pace = await keepPace(plan, systemClock, stop.signal, send, (now) => {
      pace = now
    })
  } catch (error) {
    // Told to stop while the world was away: what it was about to send was not sent, and that is no fault.
    if (!stop.signal.aborted) throw error
  } finally {
    clearInterval(timer)
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, ended)
    await publisher?.close()
  }
  say(summary(pace, stop.signal.aborted ? String(stop.signal.reason) : undefined))
  return 0
}

function checkOptions({ rate, gateway, durationSeconds, events, shop = {} }: LoadOptions): void {
  const faults: string[] = []
  const above = (name: string, value: number | undefined, least: number, whole: boolean) => {
    if (value === undefined || (value >= least && value < 2 ** 53 && (!whole || Number.isInteger(value)))) return
    faults.push(`${name} must be a ${whole ? 'whole ' : ''}number, at least ${least}, not ${value}`)
  }
  above('--rate', rate, 0.1, false)
  above('--duration', durationSeconds, 0.1, false)
  above('--events', events, 1, true)
  above('--seed', shop.seed, 0, true)
  above('--products', shop.products, 1, true)
  above('--customers', shop.customers, 1, true)
  above('--carts', shop.openCarts, 1, true)
  above('--skew', shop.skew, 0, false)
  if (!URL.canParse(gateway ?? '')) faults.push(`--gateway must be a URL like http://127.0.0.1:8080, not ${gateway}`)
  if (faults.length > 0) throw new TidemarkError('USAGE', faults.join('; '))
}

function rateLine({ sent, behind, elapsedMs }: Pace, before: Pace, rate: number): string {
  const rateNow = ((sent - before.sent) * 1_000) / Math.max(1, elapsedMs - before.elapsedMs)
  const late =
    behind > rate / 2 ? `, behind by ${behind} (${(behind / rate).toFixed(1)} s): the receiver can't keep up` : ''
  return `${(elapsedMs / 1_000).toFixed(0).padStart(4)} s  ${rateNow.toFixed(0).padStart(6)} events/s  ${sent} sent${late}`
}

function summary({ sent, behind, elapsedMs }: Pace, ended: string | undefined): string {
  const seconds = elapsedMs / 1_000
  const end = ended ? `, ended by ${ended}` : ''
  const late = behind > 0 && !ended ? `; ${behind} that were due were not sent: the receiver could not keep up` : ''
  return `sent ${sent} events in ${seconds.toFixed(1)} s (${(sent / Math.max(0.001, seconds)).toFixed(0)}/s)${end}${late}`
}
