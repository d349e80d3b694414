/** Ids of shapes, as records and as items have them. */

export const shapeIdOf = (itemId: string): string => `shape:${itemId}`
export const itemIdOf = (shapeId: string): string => shapeId.replace(/^shape:/, '')
export const isShapeId = (id: unknown): id is string => typeof id === 'string' && id.startsWith('shape:')
