/** In a batch every item gets an id before anything is stored, so that a retry means the same items. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { nameItems, operationsSchema } from './batch.ts'
import { fieldErrors } from './field-error.ts'

function named(operations: unknown[]) {
  const result = nameItems(operationsSchema.parse(operations))
  if ('errors' in result) throw new Error(JSON.stringify(result.errors))
  return result.operations
}
const create = (item: object) => ({ action: 'create', item: { type: 'sticky', ...item } })

describe('a temporary id', () => {
  it('stands for the id that the item gets, wherever a later operation names it', () => {
    const [plan, note, line, moved, gone] = named([
      { action: 'create', item: { type: 'frame', id: '$plan' } },
      create({ id: '$note', parent: '$plan' }),
      {
        action: 'create',
        item: { type: 'connector', id: 'line', content: { from: '$plan', to: '$note', text: '$note' } },
      },
      {
        action: 'update',
        item: { id: '$note', parent: null, content: { from: null, to: '$plan' } },
        if_match: '"$note"',
      },
      { action: 'delete', item: { id: '$plan' } },
    ])
    expect(plan?.item.id).toMatch(/^[A-Za-z0-9_-]{16}$/)
    expect(note?.item).toMatchObject({ parent: plan?.item.id })
    const content = { from: plan?.item.id, to: note?.item.id }
    expect(line?.item).toEqual({ type: 'connector', id: 'line', content: { ...content, text: '$note' } })
    const update = { id: note?.item.id, parent: null, content: { from: null, to: plan?.item.id } }
    expect(moved).toEqual({ action: 'update', item: update, if_match: '"$note"' })
    expect(gone).toEqual({ action: 'delete', item: { id: plan?.item.id } })
  })

  it('says nothing before the operation that gives it', () => {
    const [first] = named([create({ parent: '$plan' }), { action: 'create', item: { type: 'frame', id: '$plan' } }])
    expect(first?.item).toMatchObject({ parent: '$plan' })
  })

  it('that is given twice is refused with a pointer', () => {
    const operations = operationsSchema.parse([create({ id: '$a' }), create({}), create({ id: '$a' })])
    expect(nameItems(operations)).toEqual({
      errors: [{ pointer: '/operations/2/item/id', detail: expect.any(String) }],
    })
  })
})

describe('operations', () => {
  it('without ids get one each, given ones stay', () => {
    const ids = named([create({}), create({}), create({ id: 'mine' })]).map(({ item }) => item.id)
    expect(new Set(ids).size).toBe(3)
    expect(ids[2]).toBe('mine')
  })

  const body = z.strictObject({ operations: operationsSchema })
  it.each([
    ['none at all', [], ''],
    ['more than 500', Array.from({ length: 501 }, () => create({})), ''],
    ['a fault in a field', [create({}), create({ x: 'a' })], '/1/item/x'],
    ['an unknown field', [create({ colour: 'red' })], '/0/item/colour'],
    ['an unknown action', [{ action: 'upsert', item: {} }], '/0/action'],
    ['no item', [{ action: 'create' }], '/0/item'],
    ['an update of nothing', [{ action: 'update', item: { x: 1 } }], '/0/item/id'],
    ['an id with other characters', [create({ id: '$' })], '/0/item/id'],
    ['a condition on a create', [{ ...create({}), if_match: '*' }], '/0/if_match'],
  ])('with %s are refused with a pointer', (_what, operations, pointer) => {
    const result = body.safeParse({ operations })
    expect(result.success ? [] : fieldErrors(result.error).map(fault => fault.pointer)).toEqual([
      `/operations${pointer}`,
    ])
  })
})
