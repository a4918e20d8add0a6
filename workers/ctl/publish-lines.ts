const NEWLINE = 0x0a
const RETURN = 0x0d
const BOM = Buffer.from('\ufeff')

/**
 * The lines of a byte stream, given as they come: those of one chunk together, so that what a person types is handled at once
 * and what a file holds in large pieces. Nothing is read before the next piece is asked for.
 *
 * A line is cut after `limit` bytes plus one: its length says that it was too long, and no line can fill the memory. A carriage
 * return at its end and a byte order mark at the start of the stream are removed.
 */
export async function* lines(chunks: AsyncIterable<Buffer>, limit: number): AsyncGenerator<readonly Buffer[]> {
  let begun: Buffer[] = []
  let length = 0
  let first = true

  const add = (bytes: Buffer) => {
    const room = limit + 1 - length
    if (room <= 0 || bytes.length === 0) return
    const part = bytes.subarray(0, room)
    begun.push(part)
    length += part.length
  }
  const end = () => {
    let line = begun.length === 1 && begun[0] ? begun[0] : Buffer.concat(begun)
    begun = []
    length = 0
    if (first && line.subarray(0, BOM.length).equals(BOM)) line = line.subarray(BOM.length)
    first = false
    return line.at(-1) === RETURN ? line.subarray(0, -1) : line
  }

  for await (const chunk of chunks) {
    const complete: Buffer[] = []
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, at))
      complete.push(end())
      from = at + 1
    }
    add(chunk.subarray(from))
    if (complete.length > 0) yield complete
  }
  if (length > 0) yield [end()]
}
