/** Runs something once per animation frame, however often it is asked for; by a timer where frames don't come. */

export interface OncePerFrame {
  request(): void
  cancel(): void
}

/** Hidden tabs, and windows that others cover, get no animation frames: after this long a timer steps in. */
const withoutFramesMs = 100

export function oncePerFrame(run: () => void): OncePerFrame {
  let pending: { frame: number; timer: ReturnType<typeof setTimeout> } | undefined
  const cancel = () => {
    if (!pending) return
    cancelAnimationFrame(pending.frame)
    clearTimeout(pending.timer)
    pending = undefined
  }
  const fire = () => {
    cancel()
    run()
  }
  return {
    request() {
      pending ??= { frame: requestAnimationFrame(fire), timer: setTimeout(fire, withoutFramesMs) }
    },
    cancel,
  }
}
