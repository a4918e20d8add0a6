import { KEYLESS } from '../engine/index.ts'
import type { HeldCall } from '../engine/memory/store.ts'
import { TidemarkError } from '../errors.ts'
import { type Source, sourceText } from '../events/position.ts'
import { versionName } from '../projection/projection.ts'
import { arena, type Dislikes, operations, type Worker } from './arena.ts'
import { dice } from './dice.ts'
import { CommitCheck, compare, Violation } from './simulation-oracle.ts'
import type { Setting, Step } from './simulation-steps.ts'
import { VirtualClock } from './virtual-clock.ts'

/** A row that Cassandra refuses in some histories. */
const REFUSED = 'r1'

/** Turns of the world after which something that should have ended counts as hanging. */
const PATIENCE = 20_000

/** A call that is on its way, to Cassandra or to Kafka. */
type Call = Pick<HeldCall, 'release' | 'fail'> & { readonly operation: string }

/**
 * The engine in a world where nothing happens by itself: each call waits until it is let through, in any order, and time passes only
 * when it is told to. A history is therefore the same however often it is run, and what fails can be shrunk.
 */
class Simulation {
  readonly #dislikes: Dislikes = { note: 'poison' }
  readonly #clock = new VirtualClock()
  readonly #commits = new Set<Call>()
  readonly #frozen = new Set<Call>()
  readonly #gone = new Set<Worker>()
  readonly #world: ReturnType<typeof arena>
  readonly #gates
  readonly #setting: Setting
  readonly #next: (below: number) => number
  #violation: Error | undefined
  #asked = 0
  readonly #decisions = new Map<string, 'retry' | 'skip'>()
  turns = 0

  constructor(setting: Setting) {
    this.#setting = setting
    this.#next = dice(setting.seed)
    const { batch, flushRows, small, partitions, seed, refusing } = setting
    this.#world = arena({
      seed,
      batch,
      partitions,
      dislikes: this.#dislikes,
      clock: () => this.#clock,
      drainDeadline: 2_000,
      beforeCommit: (source, next) => this.#committing(source, next),
      settings: {
        flushRows,
        sampleReads: { first: 0, oneIn: 1_000 },
        backoffMs: { first: 50, last: 400 },
        requestPollMs: 1_000,
        flushIntervalMs: 500,
        progressIntervalMs: 1_000,
        ...(small ? { workingSetBytes: 1 } : {}),
      },
    })
    if (refusing) this.#world.stores.view.refuse(REFUSED)
    const check = new CommitCheck(this.#world)
    this.#check = (source, next) => check.committing(source, next)
    this.#gates = [this.#world.stores.faults.hold('before'), this.#world.stores.faults.hold('after')]
  }

  readonly #check: (source: Source, next: number) => Promise<void>

  /** Throws a Violation where something is not as it must be. */
  async run(history: readonly Step[]): Promise<void> {
    const chance = Math.random
    // The engine's jitter is the one thing that would differ between two runs.
    Math.random = () => this.#next(1_000) / 1_000
    try {
      this.#world.start()
      for (const step of history) {
        await this.#take(step)
        await this.#settle()
      }
      await this.#finish()
    } finally {
      Math.random = chance
    }
    await compare(this.#world, {
      dislike: this.#dislikes.note,
      refused: this.#setting.refusing ? REFUSED : undefined,
    })
  }

  async #take({ do: what, pick, value }: Step): Promise<void> {
    const { kafka, stores, workers } = this.#world
    const partition = { topic: operations.name, partition: pick % this.#setting.partitions }
    const living = workers.filter((worker) => !this.#gone.has(worker))
    const worker = living[pick % Math.max(1, living.length)]
    if (what === 'publish') await this.#publish(pick, value)
    else if (what === 'garbage')
      await kafka.publish(operations.name, [{ key: `r${pick % 5}`, value: '{', headers: {} }])
    else if (what === 'keyless') kafka.append(partition, [{ value: Buffer.from('{') }])
    else if (what === 'gap') kafka.skip(partition, 2)
    else if (what === 'work') for (let turn = 0; turn <= value * 3; turn++) await this.#turn()
    else if (what === 'fail') this.#fail(pick, value)
    else if (what === 'freeze') for (const call of this.#calls().slice(0, value)) this.#frozen.add(call)
    else if (what === 'thaw') this.#frozen.clear()
    else if (what === 'start' && living.length < 4) this.#world.start()
    else if (what === 'evict') worker?.member.evict()
    else if (what === 'suspend') worker?.member.suspend()
    else if (what === 'rejoin') worker?.member.rejoin()
    else if (what === 'crash' || what === 'stop') {
      if (!worker) return
      this.#gone.add(worker)
      if (what === 'crash') worker.member.crash()
      else void worker.projector.stop('the history says so')
    } else if (what === 'repair') await this.#repair()
    else if (what === 'stall') this.#clock.leap(value * 1_000)
    else if (what === 'forget') this.#startOver(living)
    else if (what === 'retry' || what === 'skip') {
      const letters = stores.deadLetters.letters.filter(({ state, scope }) => state === 'parked' && scope !== KEYLESS)
      const letter = letters[pick % Math.max(1, letters.length)]
      if (!letter) return
      const { source, scope, record } = letter
      // Applied since by a repaired handler: leaving it out has no meaning any more (see `isVoid`).
      if ((stores.view.rows.get(scope.slice('row:'.length))?.[0]?.position ?? -1) >= record.offset) return
      const name = `${scope} ${sourceText(source)} ${record.offset}`
      // Two people who decide differently about one letter at the same time get one or the other: that has no right answer.
      const before = this.#decisions.get(name) ?? what
      if (before !== what) return
      this.#decisions.set(name, what)
      await stores.deadLetters.ask({ id: `q${this.#asked++}`, action: what, source, scope, offset: record.offset })
    }
  }

  /** Everybody is killed, and the offsets are reset: a group is to fold everything again into the table that is there. */
  #startOver(living: readonly Worker[]): void {
    for (const worker of living) {
      this.#gone.add(worker)
      worker.member.crash()
    }
    this.#world.kafka.forget(versionName(this.#world.projection))
    this.#world.start()
  }

  #publish(pick: number, value: number) {
    const types = [
      'Added',
      'Added',
      'Added',
      'Noted',
      'Noted',
      'NoteCleared',
      'NoteCleared',
      'Removed',
      'Copied',
    ] as const
    const note = ['fine', 'well', 'good', 'poison'][pick % 4]
    const type = types[value % types.length]!
    return this.#world.publish(type, { id: `r${pick % 5}`, by: value, note, to: 'x' })
  }

  #fail(pick: number, value: number): void {
    const calls = this.#calls()
    const call = calls[pick % Math.max(1, calls.length)]
    if (!call) return
    // Part of a call that fails before it was answered has happened all the same.
    if (value % 3 === 0) call.fail()
    else {
      const held = this.#gates[0]!.calls.find((other) => other === call)
      if (held) this.#world.stores.faults.failNext(1, { applied: value % 3 === 1 ? 'some' : 'all', on: held.operation })
      call.release()
    }
  }

  /** The handler is mended, and runs in fresh workers: nothing of the old ones is on its way any more. */
  async #repair(): Promise<void> {
    this.#frozen.clear()
    for (const worker of this.#world.workers) {
      this.#gone.add(worker)
      void worker.projector.stop('a repaired handler is rolled out')
    }
    await this.#until('the end of the old workers', async () => this.#calls().length === 0 && this.#clock.idle)
    this.#dislikes.note = undefined
    this.#world.start()
  }

  /** One thing happens: a call goes through, or time passes (in a `hurry` only when no call is under way). */
  async #turn(hurry = false): Promise<boolean> {
    this.turns++
    const calls = this.#calls()
    const call = calls[this.#next(calls.length + (hurry && calls.length > 0 ? 0 : 1))]
    const ticked = !call && this.#clock.tick()
    call?.release()
    await this.#settle()
    return ticked || calls.length > 0
  }

  /** Everything that can go on without the world has done so. */
  async #settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#violation) throw this.#violation
  }

  #calls(): readonly Call[] {
    return [...this.#gates.flatMap(({ calls }) => calls), ...this.#commits].filter((call) => !this.#frozen.has(call))
  }

  async #committing(source: Source, next: number): Promise<void> {
    await this.#check(source, next).catch((error) => {
      this.#violation ??= error
    })
    await new Promise<void>((resolve, reject) => {
      const call: Call = {
        operation: 'commit',
        release: () => {
          this.#commits.delete(call)
          resolve()
        },
        fail: () => {
          this.#commits.delete(call)
          reject(new TidemarkError('KAFKA_UNAVAILABLE', 'the history says so'))
        },
      }
      this.#commits.add(call)
    })
  }

  /** The faults are over: a fresh worker catches up, requests are answered, and all stop in good order. */
  async #finish(): Promise<void> {
    const { kafka, stores, projection, workers } = this.#world
    this.#frozen.clear()
    const last = this.#world.start()
    await this.#until('catching up', async () => {
      if (stores.deadLetters.unanswered.length > 0) return false
      const committed = await kafka.log.committed(versionName(projection), operations.name)
      return [...(await kafka.log.bounds(operations.name))].every(
        ([partition, { start, end }]) => end === start || committed.get(partition) === end,
      )
    })
    // What a zombie has parked behind a letter that is out of the way is freed by whoever takes the partition over next.
    for (let turns = 0; stores.deadLetters.unsettled && turns < 10; turns++) {
      last.member.rejoin()
      let ticks = 0
      await this.#until('freeing what is decided', async () => !stores.deadLetters.unsettled || ticks++ > 1_000)
    }
    if (stores.deadLetters.unsettled) throw new Violation('what waits behind a resolved dead letter is never freed')
    await this.#stop(workers)
    // A refusal that is only found while stopping leaves the partition to be folded again: then there is nothing more to come.
    if (!this.#setting.refusing) await this.#burst()
    for (const gate of this.#gates) gate.open()
  }

  /** A worker that is stopped in the midst of its work. */
  async #burst(): Promise<void> {
    this.#world.folded.clear()
    const worker = this.#world.start()
    for (let value = 0; value < 6; value++) await this.#publish(value, value)
    for (let turn = this.#next(100); turn > 0; turn--) await this.#turn(true)
    await this.#stop([worker])
    await this.#drained()
  }

  async #stop(workers: readonly Worker[]): Promise<void> {
    let ending = workers.length
    for (const worker of workers) {
      const alive = !this.#gone.has(worker)
      const stopped = worker.projector.stop('the history is over').then(() => (alive ? worker.ended : undefined))
      void stopped.then((error) => {
        ending--
        this.#violation ??= error
      })
    }
    await this.#until('stopping', async () => ending === 0, true)
  }

  /** What a worker that stops in good order has folded needs not be done again. */
  async #drained(): Promise<void> {
    const { kafka, projection, folded } = this.#world
    const committed = await kafka.log.committed(versionName(projection), operations.name)
    for (const [source, position] of folded) {
      const next = committed.get(Number(source.split('/')[1])) ?? 0
      if (next <= position)
        throw new Violation(`stopped in good order, but only ${next} of ${source} is committed, not ${position}`)
    }
  }

  async #until(what: string, condition: () => Promise<boolean>, hurry = false): Promise<void> {
    for (let turns = 0; !(await condition()); turns++) {
      const moved = await this.#turn(hurry)
      const still = !moved && this.#calls().length === 0 && this.#clock.idle
      if (still && !(await condition())) throw new Violation(`${what}: nothing is under way and nobody waits`)
      if (turns > PATIENCE) throw new Violation(`${what}: no end after ${turns} turns`)
    }
  }
}

/** Runs a history to its end and gives how many turns the world took. Throws a Violation, or what ended a worker. */
export async function simulate(setting: Setting, history: readonly Step[]): Promise<number> {
  const simulation = new Simulation(setting)
  await simulation.run(history)
  return simulation.turns
}
