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
 */
const connect = Connection.prototype.connect
const connecting = new WeakMap<Connection, Promise<true>>()

Connection.prototype.connect = function (this: Connection): Promise<true> {
  const underway = connecting.get(this)
  if (underway) return underway
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
