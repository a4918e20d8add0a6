import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** Where a server listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

const port = z.coerce.number().int().min(0).max(65_535)

export const whole = (min: number, max: number, unit = '') =>
  z
    .string()
    .refine(
      (text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max,
      `must be a whole number from ${min} to ${max}${unit && ` ${unit}`}`,
    )
    .transform(Number)

export const choice = <const Options extends readonly [string, ...string[]]>(options: Options) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(options, `must be one of ${options.join(', ')}`))

export const flag = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0'], 'must be true or false'))
  .transform((text) => text === 'true' || text === '1')

export function addressList(defaultPort: number) {
  return z.string().transform((text, context): Address[] => {
    const addresses = text.split(',').map((part) => address(part.trim(), defaultPort))
    const good = addresses.filter((one) => one !== undefined)
    if (good.length < addresses.length)
      context.addIssue({ code: 'custom', message: 'must be a list of host:port, separated by commas' })
    return good
  })
}

function address(text: string, defaultPort: number): Address | undefined {
  const [, bracketed, plain, given] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const parsed = port.min(1).safeParse(given ?? defaultPort)
  return host === undefined || !parsed.success ? undefined : { host, port: parsed.data }
}

/** The text of a file; a setting that names one must be right at the start and not when a connection is first tried. */
export const file = z.string().transform((path, context): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    context.addIssue({
      code: 'custom',
      message: `must be a file that can be read (${cause instanceof Error ? cause.message : String(cause)})`,
    })
    return z.NEVER
  }
})
