import { test } from 'vitest'
import { inventory } from '../../shared/events/index.ts'
import { event, specify } from '../../shared/projection/spec.ts'
import { stock } from './stock.ts'

const noon = new Date('2026-01-01T12:00:00Z')
const later = new Date('2026-01-01T12:05:00Z')
const received = (quantity: number) =>
  event(inventory, 'StockReceived', 'shoes', { productId: 'shoes', quantity, warehouse: 'north' }, noon)
const adjusted = (delta: number) =>
  event(inventory, 'StockAdjusted', 'shoes', { productId: 'shoes', delta, reason: 'counted' }, later)
const priced = (unitPriceCents: number) =>
  event(inventory, 'PriceChanged', 'shoes', { productId: 'shoes', unitPriceCents }, later)

test('a product has no price until it is given one', () =>
  specify(stock).when(received(5)).then({ productId: 'shoes', quantity: 5n, unitPriceCents: null, updatedAt: noon }))

test('the last price counts, and stays when goods move', () =>
  specify(stock)
    .given(priced(5000), priced(4500))
    .when(received(5))
    .then({ productId: 'shoes', quantity: 5n, unitPriceCents: 4500n, updatedAt: noon }))

test('adjustments go both ways, below zero too', () =>
  specify(stock)
    .given(received(5), adjusted(2))
    .when(adjusted(-10))
    .then({ productId: 'shoes', quantity: -3n, updatedAt: later }))
