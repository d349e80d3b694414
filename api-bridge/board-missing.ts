/** The one refusal for a board that is not there, was deleted, or is none of the caller's: nobody is told which. */
import { Problem } from './problems.ts'

export const boardMissing = () =>
  new Problem('board-missing', 'there is no such board, or this credential has no right to it')

/** @throws Problem `board-missing` where there is no board, or it was deleted */
export function livingHead<Head extends { deleted: boolean }>(head: Head | undefined): Head {
  if (!head || head.deleted) throw boardMissing()
  return head
}
