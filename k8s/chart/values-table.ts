/** A value of the chart: its path, what it is unless one says otherwise, and what it is for. */
export interface ChartValue {
  readonly path: string
  readonly fallback: string
  readonly meaning: string
}

/**
 * The documented values of a values.yaml: each `# --` comment tells of the key below it. A key's value is shown as it is written, and
 * what is below a documented key without a comment of its own belongs to it. Reads the plain YAML that our file is: two spaces a level,
 * no lists of maps over several lines, no anchors. Throws with the line of what it can't read, and of a leaf that nobody documented.
 */
export function documentedValues(text: string): readonly ChartValue[] {
  const values: ChartValue[] = []
  const path: { readonly name: string; readonly documented: boolean }[] = []
  let comment: string | undefined
  let open = false
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const said = /^ *# ?(.*)$/.exec(line)
    if (said) {
      const [, words = ''] = said
      if (words.startsWith('-- ')) [comment, open] = [words.slice(3), true]
      else if (open) comment = `${comment} ${words}`
      continue
    }
    open = false
    const key = /^((?: {2})*)([\w-]+):(?: (.*))?$/.exec(line)
    if (!key) throw new Error(`values.yaml:${index + 1} can't be read: ${line}`)
    const [, indent = '', name = '', value = ''] = key
    path.length = indent.length / 2
    const inherited = path.some(({ documented }) => documented)
    if (comment === undefined && value !== '' && !inherited)
      throw new Error(
        `values.yaml:${index + 1}: ${[...path.map((part) => part.name), name].join('.')} has no \`# --\` comment`,
      )
    path.push({ name, documented: comment !== undefined })
    if (comment !== undefined)
      values.push({ path: path.map((part) => part.name).join('.'), fallback: value, meaning: comment })
    comment = undefined
  }
  return values
}

/** As a table in Markdown. */
export function valuesTable(values: readonly ChartValue[]): string {
  const cell = (words: string) => words.replaceAll('|', '\\|')
  return [
    '| value | default | what it is |',
    '|---|---|---|',
    ...values.map(
      ({ path, fallback, meaning }) =>
        `| \`${path}\` | ${fallback === '' ? '' : `\`${cell(fallback)}\``} | ${cell(meaning)} |`,
    ),
  ].join('\n')
}
