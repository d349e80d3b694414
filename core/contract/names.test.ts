import { describe, expect, test } from 'vitest'
import { parseBoardId } from './board-id.ts'
import { acksChannel, boardOfChannel, everyAcksChannel, everyUpdatesChannel, updatesChannel } from './channels.ts'
import { closeCodes } from './close-codes.ts'

describe('a board id', () => {
  test.each(['a', 'A_z-9', '-', '_', 'x'.repeat(128), 'WS', 'constructor', '__proto__'])('may be %s', text => {
    expect(parseBoardId(text)).toBe(text)
  })

  test.each(['', 'x'.repeat(129), 'a b', 'a/b', 'a:b', '..', 'ä', 'a\n', 'a\0', '%41', '*'])('may not be %j', text => {
    expect(() => parseBoardId(text)).toThrow(expect.objectContaining({ code: 'board-id-invalid' }))
  })

  test.each('ws canvas api v1 b boards admin mcp health ready metrics assets'.split(' '))(
    'may not be %s, which is a path of ours',
    text => {
      expect(() => parseBoardId(text)).toThrow(expect.objectContaining({ code: 'board-id-invalid' }))
    },
  )
})

describe('a channel', () => {
  test('is named as other programs rely on', () => {
    expect(updatesChannel(parseBoardId('b1'))).toBe('board:b1:updates')
    expect([everyUpdatesChannel, everyAcksChannel]).toEqual(['board:*:updates', 'board:*:acks'])
  })

  test('tells its board', () => {
    const board = parseBoardId('A_z-9')
    expect([updatesChannel(board), acksChannel(board)].map(boardOfChannel)).toEqual([board, board])
  })

  test.each(['board:b1', 'boards:b1:updates', 'board::updates', 'board:a:b:updates', 'x board:a:updates'])(
    'that is none of ours tells none: %s',
    channel => {
      expect(boardOfChannel(channel)).toBeUndefined()
    },
  )
})

test('a close code keeps stock clients from trying again just where that cannot help', () => {
  const forGood = Object.entries(closeCodes).filter(([, code]) => code >= 4400 && code <= 4499)
  expect(forGood.map(([reason]) => reason).sort()).toEqual([
    'board-deleted',
    'board-forbidden',
    'board-id-invalid',
    'board-too-large',
    'credential-expired',
    'credential-invalid',
    'credential-missing',
    'credential-revoked',
    'frame-malformed',
    'update-too-large',
  ])
  expect(closeCodes).toMatchObject({
    'frame-malformed': 4400,
    'board-id-invalid': 4400,
    'credential-missing': 4401,
    'credential-expired': 4401,
    'credential-revoked': 4403,
    'credential-invalid': 4401,
    'board-forbidden': 4403,
    'board-deleted': 4404,
    'update-too-large': 4413,
    'board-too-large': 4413,
    'storage-unavailable': 1013,
    draining: 1012,
    'store-went-back': 1012,
  })
})
