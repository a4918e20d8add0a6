import type { Progress } from './progress.ts'
import type { Settings, StackNode } from './settings.ts'

/** How a stack's servers are run: as processes of this machine or as containers. */
export type Runner = {
  isRunning(settings: Settings, node: StackNode): Promise<boolean>
  /** Starts these nodes and returns when each answers. What was started before a failure keeps running. */
  start(settings: Settings, nodes: StackNode[], progress: Progress, cancel: AbortSignal): Promise<void>
  /** Ends these servers, or everything this stack runs, and keeps the data. Gives the names of what it ended. */
  stop(settings: Settings, only?: StackNode[]): Promise<string[]>
  /** As kill -9; returns when the server is gone. */
  kill(settings: Settings, node: StackNode): Promise<void>
  pause(settings: Settings, node: StackNode): Promise<void>
  resume(settings: Settings, node: StackNode): Promise<void>
  /** Removes data that does not lie in the stack's folder. */
  wipe(settings: Settings): Promise<void>
}
