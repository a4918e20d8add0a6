import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

test('a slip of the finger finds the name that was meant', () => {
  const known = ['cart-summary', 'order-history', 'product-popularity']
  expect(nearest('cart-sumary', known)).toBe('cart-summary')
  expect(nearest('Order-Histroy', known)).toBe('order-history')
})

test('what resembles nothing is not guessed', () => {
  expect(nearest('meters', ['cart-summary', 'order-history'])).toBeUndefined()
  expect(nearest('', ['a'])).toBe('a')
  expect(nearest('x', [])).toBeUndefined()
})
