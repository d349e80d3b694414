/** The Yjs update (V1) without structs and without deletes: what is sent, or stands in a damaged row's place, where there is nothing. */
export const emptyUpdate: Uint8Array = Uint8Array.of(0, 0)

export const isEmptyUpdate = (update: Uint8Array): boolean =>
  update.byteLength === emptyUpdate.byteLength && emptyUpdate.every((byte, at) => update[at] === byte)
