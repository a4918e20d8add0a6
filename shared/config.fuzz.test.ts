import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readConfig, settingNames } from './config.ts'
import { TidemarkError } from './errors.ts'
import { anyText, fuzz } from './testing/fuzz.ts'

const value = fc.oneof(
  anyText,
  fc.constantFrom(
    'true',
    '0',
    '1',
    '-1',
    '65536',
    'localhost:1',
    '[::1]:9',
    'a,b:2',
    ',',
    'scram-sha-512',
    'park',
    '/',
  ),
  fc.integer().map(String),
)
const env = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...settingNames),
    anyText.map((text) => `TIDEMARK_${text}`),
  ),
  value,
)

test('any settings are taken, or refused with every wrong one in one CONFIG_INVALID that shows no secret', () => {
  fc.assert(
    fc.property(env, (env) => {
      const together = refused(env)
      for (const [name, value] of Object.entries(env)) {
        const alone = refused({ [name]: value })
        // What is wrong by itself is wrong, and listed, among others; but for what has no effect without others.
        if (wrong(alone, name) && !alone?.includes('has no effect'))
          expect(wrong(together, name), `${name} in ${together}`).toBe(true)
        const secret = /PASSWORD|SECRET/.test(name) && name in settings && value.length > 'scram-sha-512'.length
        const { [name]: _, ...others } = env
        // Unless the same words stand in another setting.
        if (secret && !JSON.stringify(others).includes(value)) expect(together ?? '').not.toContain(value)
      }
    }),
    fuzz,
  )
}, 900_000)

const settings = Object.fromEntries(settingNames.map((name) => [name, true]))

function wrong(message: string | undefined, name: string): boolean {
  return message?.includes(`  - ${name}=`) ?? false
}

function refused(env: Record<string, string>): string | undefined {
  try {
    readConfig(env)
    return undefined
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'CONFIG_INVALID') throw error
    return error.message
  }
}
