import { policies, type types } from 'cassandra-driver'

type Decision = policies.retry.DecisionInfo
type Operation = policies.retry.OperationInfo

/** Once more on the next node, then the engine's own back-off takes over. All our statements may be repeated. */
export class RetryOnceElsewhere extends policies.retry.RetryPolicy {
  override onReadTimeout(info: Operation, consistency: types.consistencies): Decision {
    return this.#once(info, consistency)
  }

  override onWriteTimeout(info: Operation, consistency: types.consistencies): Decision {
    return this.#once(info, consistency)
  }

  override onUnavailable(info: Operation, consistency: types.consistencies): Decision {
    return this.#once(info, consistency)
  }

  /** Client-side timeouts, broken connections, overloaded or starting nodes. */
  override onRequestError(info: Operation, consistency: types.consistencies): Decision {
    return this.#once(info, consistency)
  }

  #once({ nbRetry }: Operation, consistency: types.consistencies): Decision {
    return nbRetry > 0 ? this.rethrowResult() : this.retryResult(consistency, false)
  }
}

/**
 * A write stamped by a clock would win over every later event, silently. So a request that brings no timestamp is an error;
 * the driver's own queries (topology, schema, preparing) never ask for one.
 */
export class NoClock extends policies.timestampGeneration.MonotonicTimestampGenerator {
  constructor() {
    super(0, 0)
  }

  override next(): never {
    throw new Error(
      'A request was about to be stamped by the clock. Send it through Session, whose writes carry the stamp of a position.',
    )
  }
}
