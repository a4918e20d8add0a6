import './version.ts'
import Connection from 'kafkajs/src/network/connection.js'
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

/**
 * kafkajs looks for pending requests after every answer with a timer of `throttledUntil - now` milliseconds, which is far below
 * zero when nothing throttles: Node fires it at once and the timer sets the next one, thousands of times a second and with a
 * TimeoutNegativeWarning. There is something to look for only while requests wait or the broker throttles; a request that can
 * go at once never waits, and one that waits for others is looked at when one of those is answered.
 */
const schedule = RequestQueue.prototype.scheduleCheckPendingRequests

RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
}

/**
 * Requests that find a connection closed each open a socket of their own, and the last one's takes the place of the others: those
 * leak, and what is written goes to a socket that is not connected yet. So whoever comes while one is being opened waits for it.
 *
 * A connection that was cut in the midst of an answer keeps the first half of it and takes what comes over the next socket for the
 * rest: from then on no answer is understood any more, each request times out, and the partitions read there stand still for as long
 * as the process lives. So a new socket begins with nothing, and the old one, which may still have something to say, is not heard.
 */
const connect = Connection.prototype.connect
const connecting = new WeakMap<Connection, Promise<true>>()
/** What kafkajs counts as connected: the socket is still used. */
const CONNECTED = ['connected', 'disconnecting']

function forget(connection: Connection): void {
  connection.chunks = []
  connection.bytesBuffered = 0
  connection.bytesNeeded = 4
  const { socket } = connection
  if (!socket) return
  for (const event of ['data', 'end', 'error', 'timeout', 'connect', 'secureConnect']) socket.removeAllListeners(event)
  // Somebody must listen, or its last error ends the process.
  socket.on('error', () => {})
  socket.destroy()
}

Connection.prototype.connect = function (this: Connection): Promise<true> {
  const underway = connecting.get(this)
  if (underway) return underway
  if (!CONNECTED.includes(this.connectionStatus)) forget(this)
  const opened = connect.call(this).finally(() => connecting.delete(this))
  connecting.set(this, opened)
  return opened
}

/** Closing what is closed adds a listener to the dead socket each time, which in a long outage is many. */
const disconnect = Connection.prototype.disconnect

Connection.prototype.disconnect = async function (this: Connection): Promise<true> {
  const closed = this.connectionStatus === 'disconnected' && (this.socket === undefined || this.socket.destroyed)
  return closed || disconnect.call(this)
}

/** What is no Kafka, or speaks of it in pieces, made kafkajs throw where nobody catches, which ended the process. */
const processData = Connection.prototype.processData

Connection.prototype.processData = function (this: Connection, bytes: Buffer): void {
  try {
    processData.call(this, bytes)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    this.socket?.destroy(new Error(`its answer is not understood, does it speak Kafka? ${why}`))
  }
}
