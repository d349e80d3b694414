/** What lies where in the store, what an arrow ties to what, and where it all was before in this visit. */
import type { TLBinding, TLPage, TLParentId, TLShape, TLShapeId, TLStore } from '@tldraw/tlschema'
import { isShapeId } from '@tldraw/tlschema'
import { Groups } from '../../../core/doc/groups.ts'
import { outOf } from '../../../core/doc/plane.ts'

export type Place = Pick<TLShape, 'typeName' | 'x' | 'y' | 'rotation' | 'parentId'>

export class Whereabouts {
  readonly #store: TLStore
  /** The store's shapes by what they lie in, its bindings by what they tie. tldraw's own index is made anew too often. */
  readonly children = new Groups()
  readonly #ties = new Groups()
  /** Pages and shapes that were deleted in this visit, as they were last. */
  readonly #removed = new Map<string, TLPage | Place>()
  /** Of shapes that were put into something else in this visit: where they were before. */
  readonly #former = new Map<string, Place>()
  readonly #stopNoting: (() => void)[]

  constructor(store: TLStore) {
    this.#store = store
    this.#stopNoting = this.#note()
  }

  hangingOn(id: string): string[] {
    return [...this.children.of(id), ...this.#ties.of(id)]
  }

  childrenOf(id: TLParentId): TLShape[] {
    const children = [...this.children.of(id)].map(child => this.#store.get(child as TLShapeId))
    return children.filter(child => child !== undefined)
  }

  /** As it is, or was when it went. */
  lastOf(id: TLParentId): Place | TLPage | undefined {
    return this.#store.get(id) ?? this.#removed.get(id)
  }

  /**
   * Where on its page this shape, which by now lies in itself, was before: each that it lies in as that is in the store,
   * or was before it was put into one of those on the way. Undefined where nobody here knows.
   */
  onPage(shape: TLShape): Omit<Place, 'typeName'> | undefined {
    let { x, y, rotation, parentId } = shape
    const passed = new Set<TLParentId>([shape.id])
    while (isShapeId(parentId)) {
      if (passed.has(parentId)) return undefined
      passed.add(parentId)
      const known = [this.lastOf(parentId), this.#former.get(parentId)]
      const place = known.find(place => place?.typeName === 'shape' && !passed.has(place.parentId))
      if (place?.typeName !== 'shape') return undefined
      ;({ x, y } = outOf(place, { x, y }))
      rotation += place.rotation
      parentId = place.parentId
    }
    return { x, y, rotation, parentId }
  }

  stop(): void {
    for (const stop of this.#stopNoting) stop()
  }

  #note(): (() => void)[] {
    const { children } = this
    const { sideEffects } = this.#store
    const placeOf = ({ typeName, x, y, rotation, parentId }: TLShape): Place => ({ typeName, x, y, rotation, parentId })
    const tied = ({ id, fromId, toId }: TLBinding, become: 'add' | 'remove') => {
      for (const end of [fromId, toId]) this.#ties[become](id, end)
    }
    return [
      sideEffects.registerAfterCreateHandler('shape', ({ id, parentId }) => children.add(id, parentId)),
      sideEffects.registerAfterChangeHandler('shape', (before, { id, parentId }) => {
        if (before.parentId === parentId) return
        children.remove(id, before.parentId)
        children.add(id, parentId)
        this.#former.set(id, placeOf(before))
      }),
      sideEffects.registerAfterDeleteHandler('shape', shape => {
        children.remove(shape.id, shape.parentId)
        this.#former.delete(shape.id)
        this.#removed.set(shape.id, placeOf(shape))
      }),
      sideEffects.registerAfterCreateHandler('binding', binding => tied(binding, 'add')),
      sideEffects.registerAfterChangeHandler('binding', (before, after) => {
        tied(before, 'remove')
        tied(after, 'add')
      }),
      sideEffects.registerAfterDeleteHandler('binding', binding => tied(binding, 'remove')),
      sideEffects.registerAfterDeleteHandler('page', page => void this.#removed.set(page.id, page)),
    ]
  }
}
