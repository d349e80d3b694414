/** Changes that agents ask for, where a busy machine may decide them only after the answer has been sent. */

/**
 * Asks again while the answer is that the change waits (202), as an agent does who has sent an `Idempotency-Key`.
 *
 * @param ask has to send one, the same each time
 */
export async function decided<Answer extends { status: number } | { statusCode: number }>(
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (;;) {
    const answer = await ask()
    if (('status' in answer ? answer.status : answer.statusCode) !== 202) return answer
  }
}
