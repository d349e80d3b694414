/** Why a board does not go on, in words, and what there is to do. */
import { isBoardId } from '../../../core/contract/board-id.ts'
import type { Ending } from '../sync/index.ts'

export interface Explanation {
  title: string
  text: string
  action: 'home' | 'reload' | 'sign-in' | 'restore'
  /** Of edits that this browser keeps: when they will be saved. Without it they never will. */
  savedOnce?: string
  /** That may never be: they can be given up. */
  orNever?: true
}

/** The close codes on which a client stops trying; the server's table is `core/contract/close-codes.ts`. */
const closeCodes: Record<number, Explanation> = {
  1009: {
    title: 'That is too much at once',
    text: 'Your last edits are larger than what the server takes in one piece, so they were not stored.',
    action: 'reload',
  },
  4400: {
    title: 'This is no board',
    text: 'A board’s address ends in letters, digits, _ or -, at most 128 of them. If this one does, the page and the server did not understand each other.',
    action: 'home',
  },
  4401: {
    title: 'You need to sign in',
    text: 'The credential for this board is missing, wrong or has expired.',
    action: 'sign-in',
    savedOnce: 'you have signed in',
  },
  4403: {
    title: 'This board is not open to you',
    text: 'It does not exist, or you have no right to it. Ask whoever sent you here, or sign in with another credential.',
    action: 'sign-in',
    savedOnce: 'you have signed in as somebody who may edit it',
    orNever: true,
  },
  4404: {
    title: 'This board was deleted',
    text: 'For 30 days, whoever manages it can restore it.',
    action: 'restore',
    savedOnce: 'the board is restored',
    orNever: true,
  },
  4413: {
    title: 'The board is full',
    text: 'Your last edits would have made it larger than the server allows, so they were not stored.',
    action: 'reload',
  },
}

const reservedWord: Explanation = {
  title: 'This is no board',
  text: 'The last part of this address is a word that the server keeps for itself. Any other name will do.',
  action: 'home',
}

const unknownCode: Explanation = {
  title: 'The server closed this board',
  text: 'It gave no reason that this page knows.',
  action: 'reload',
}

export function explain(ending: Ending, boardId: string): Explanation {
  switch (ending.kind) {
    case 'closed':
      if (ending.code === 4400 && isReserved(boardId)) return reservedWord
      return closeCodes[ending.code] ?? unknownCode
    case 'begun-anew':
      return {
        title: 'This board has begun anew',
        text: 'The server’s board is not the one that this browser had kept.',
        action: 'reload',
      }
    case 'outdated':
      return {
        title: 'There is a newer version of this page',
        text: 'Somebody with a newer version has edited the board. Reload to go on with it.',
        action: 'reload',
        savedOnce: 'you have reloaded',
      }
    default:
      return ending satisfies never
  }
}

/** It has all that an id has: only a word of ours is no id then, and is one when it has a letter more. */
const isReserved = (boardId: string): boolean => boardId !== '' && !isBoardId(boardId) && isBoardId(`${boardId}-`)
