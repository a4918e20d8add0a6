/** Where a command prints; `process.stdout` is one. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const
export type Colour = keyof typeof CODES

/** Colours text where there is a terminal to show it and nobody has asked for none (NO_COLOR). */
export type Paint = (colour: Colour, text: string) => string

export function paintFor(output: Output, env: Readonly<Record<string, string | undefined>> = process.env): Paint {
  const coloured = output.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  return coloured ? (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m` : (_, text) => text
}

/** How wide a line may be: the terminal's width, or 100 where there is none. */
export function widthOf({ columns }: Output): number {
  return Math.max(40, columns ?? 100)
}

/** `12,345`. */
export function count(number: number): string {
  return number.toLocaleString('en-US')
}

/** `2 rows`, `1 row`. */
export function counted(number: number, one: string, several = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : several}`
}

/** `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

export interface Cell {
  readonly text: string
  readonly colour?: Colour
}

/**
 * Lines of a table whose columns are as wide as they must be. Headings that end in `>` are aligned right. The last column takes
 * what is left of the width and goes on in further lines.
 */
export function tableLines(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  width: number,
  paint: Paint,
): string[] {
  const titles = headings.map((heading) => heading.replace(/>$/, ''))
  const right = headings.map((heading) => heading.endsWith('>'))
  const widths = titles.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.text.length ?? 0)),
  )
  const last = titles.length - 1
  const before = widths.slice(0, last).reduce((sum, one) => sum + one + 2, 0)
  const room = Math.max(20, width - before)
  const padded = (text: string, index: number) => {
    if (index === last) return text
    return right[index] ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0)
  }
  const line = (cells: readonly Cell[]) => {
    const [first = '', ...further] = wrapped(cells[last]?.text ?? '', room)
    const painted = cells
      .slice(0, last)
      .map(({ text, colour }, index) => (colour ? paint(colour, padded(text, index)) : padded(text, index)))
    return [[...painted, first].join('  ').trimEnd(), ...further.map((rest) => `${' '.repeat(before)}${rest}`)]
  }
  return [paint('bold', titles.map(padded).join('  ').trimEnd()), ...rows.flatMap(line)]
}

/** Text in one line, cut with `…` where it is longer than `width`. */
export function cut(text: string, width: number): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`
}

/** Text in lines no longer than `width`, broken between words where it can be. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const at = space > width / 3 ? space : width
    lines.push(rest.slice(0, at))
    rest = rest.slice(at).trimStart()
  }
  lines.push(rest)
  return lines
}
