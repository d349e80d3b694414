/** How often other work had its turn while this was done. */
export async function turnsIn(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
  }, 0)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return turns
}
