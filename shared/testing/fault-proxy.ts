import { createServer, type Server, type Socket, connect as tcp } from 'node:net'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** What happens to bytes on their way; both directions alike. */
export interface Weather {
  /** Milliseconds each piece is late. 0: none. */
  readonly delayMs: number
  /** Bytes per second of each connection and direction. Infinity: no limit. */
  readonly bytesPerSecond: number
  /**
   * What is lost. `nothing`; `replies` requests arrive, answers do not (half open: who waits can't know what became of a write);
   * `everything` connections stay and nothing moves (black hole).
   */
  readonly lost: 'nothing' | 'replies' | 'everything'
}

const FAIR: Weather = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, lost: 'nothing' }

/** A TCP proxy in front of one server, with a network as bad as a test wants it. */
export interface FaultProxy {
  readonly address: Endpoint
  /** Connections open now. */
  readonly connections: number
  /** Changes the weather for all connections, those that exist included; what is left out is fair. Lost bytes stay lost: `cut` follows. */
  weather(weather: Partial<Weather>): void
  /** Resets all connections; new ones are taken. */
  cut(): void
  /** Resets the next connection that brings a reply after so many more of its bytes: in the midst of an answer. Infinity: none. */
  cutAfter(bytes: number): void
  /** Resets all, and refuses new ones until `accept`. */
  refuse(): Promise<void>
  accept(): Promise<void>
  close(): Promise<void>
}

/** Starts a proxy at `listen` (port 0: any) before `upstream`. Rejects if it can't listen there. */
export async function faultProxy(listen: Endpoint, upstream: Endpoint): Promise<FaultProxy> {
  const pairs = new Set<Pair>()
  let weather = FAIR
  let replyBudget = Number.POSITIVE_INFINITY
  let server = await listening(listen)
  const bound = server.address()
  const address = { host: listen.host, port: typeof bound === 'object' && bound ? bound.port : listen.port }
  serve()

  function serve(): void {
    server.on('connection', (client) => {
      const pair = new Pair(client, tcp(upstream), {
        weather: () => weather,
        ended: () => pairs.delete(pair),
        replied(bytes) {
          replyBudget -= bytes
          if (replyBudget > 0) return true
          replyBudget = Number.POSITIVE_INFINITY
          return false
        },
      })
      pairs.add(pair)
    })
  }
  const cut = () => {
    for (const pair of pairs) pair.reset()
  }
  const refuse = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    cut()
    await closed
  }

  return {
    address,
    get connections() {
      return pairs.size
    },
    weather(wanted) {
      weather = { ...FAIR, ...wanted }
      for (const pair of pairs) pair.stir()
    },
    cut,
    cutAfter(bytes) {
      replyBudget = bytes
    },
    refuse,
    async accept() {
      if (server.listening) return
      server = await listening(address)
      serve()
    },
    close: () => (server.listening ? refuse() : Promise.resolve()),
  }
}

function listening({ host, port }: Endpoint): Promise<Server> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

interface PairParts {
  weather(): Weather
  ended(): void
  /** False: the connection is to be reset instead of passing these bytes on. */
  replied(bytes: number): boolean
}

/** One connection and its other half. */
class Pair {
  readonly #sockets: readonly [Socket, Socket]
  readonly #parts: PairParts
  readonly #lanes: readonly [Lane, Lane]

  constructor(client: Socket, server: Socket, parts: PairParts) {
    this.#sockets = [client, server]
    this.#parts = parts
    this.#lanes = [
      new Lane(client, server, () => parts.weather(), 'requests'),
      new Lane(server, client, () => parts.weather(), 'replies'),
    ]
    server.on('data', (piece) => {
      if (!parts.replied(piece.length)) this.reset()
    })
    for (const socket of this.#sockets) {
      socket.setNoDelay(true)
      socket.on('error', () => this.reset())
      socket.on('close', () => this.reset())
    }
  }

  /** RST, not FIN: nobody says goodbye. */
  reset(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy()
    for (const lane of this.#lanes) lane.stop()
    this.#parts.ended()
  }

  stir(): void {
    for (const lane of this.#lanes) lane.stir()
  }
}

/** One direction of a connection. Pieces keep their order whatever the weather; a slow receiver slows the sender down. */
class Lane {
  readonly #from: Socket
  readonly #to: Socket
  readonly #weather: () => Weather
  readonly #kind: 'requests' | 'replies'
  readonly #waiting: { readonly piece: Buffer; readonly at: number }[] = []
  #free = 0
  #timer: NodeJS.Timeout | undefined

  constructor(from: Socket, to: Socket, weather: () => Weather, kind: 'requests' | 'replies') {
    this.#from = from
    this.#to = to
    this.#weather = weather
    this.#kind = kind
    from.on('data', (piece: Buffer) => {
      this.#waiting.push({ piece, at: Date.now() })
      this.stir()
    })
    from.on('end', () => to.end())
    to.on('drain', () => this.stir())
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
  }

  /** Sends what is due. */
  stir(): void {
    clearTimeout(this.#timer)
    const { delayMs, bytesPerSecond, lost } = this.#weather()
    if (lost === 'everything' || (lost === 'replies' && this.#kind === 'replies')) {
      this.#from.resume()
      this.#waiting.length = 0
      return
    }
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const early = Math.max(next.at + delayMs, this.#free) - Date.now()
      if (early > 0) {
        this.#timer = setTimeout(() => this.stir(), early)
        break
      }
      this.#waiting.shift()
      this.#free = Date.now() + (next.piece.length / bytesPerSecond) * 1_000
      if (!this.#to.destroyed && !this.#to.write(next.piece)) break
    }
    if (this.#waiting.length > 16) this.#from.pause()
    else this.#from.resume()
  }
}
