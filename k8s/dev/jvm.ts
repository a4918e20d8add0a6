/** The collector with the smallest footprint, unless STACK_JVM names one (`-XX:+UseParallelGC` for load). */
export function jvmFlags(extra: string[]): string[] {
  const collector = extra.some((flag) => /^-XX:\+Use\w+GC$/.test(flag)) ? [] : ['-XX:+UseSerialGC']
  return [...collector, ...extra]
}
