/**
 * Links on a board: cards that say where they lead, and nothing more. tldraw would ask each link's site for its title and
 * show some of them in frames. Browsers let this page do neither, and those sites are not to learn who reads the board.
 */
import {
  AssetRecordType,
  type Editor,
  EmbedShapeUtil,
  getHashForString,
  type TLBookmarkAsset,
  type TLBookmarkShape,
  type TLEmbedShape,
  type TLUiOverrides,
} from 'tldraw'

/** What is embedded on a board already (a file from elsewhere) is shown as a link too. */
class LinkedEmbedShapeUtil extends EmbedShapeUtil {
  override component({ props: { url, w, h }, ...shape }: TLEmbedShape) {
    const cards = this.editor.getShapeUtil<TLBookmarkShape>('bookmark')
    return cards.component({ ...shape, type: 'bookmark', props: { url, w, h, assetId: null } })
  }
}

/** With no site that could be embedded, a pasted link becomes a card. */
export const linkShapes = [LinkedEmbedShapeUtil.configure({ embedDefinitions: [] })]

/** Takes out of tldraw's menus what would embed. */
export const linkOverrides: TLUiOverrides = {
  actions: (_, { 'insert-embed': _insert, 'convert-to-embed': _convert, ...actions }) => actions,
  tools: (_, { embed: _embed, ...tools }) => tools,
}

export function keepLinksPlain(editor: Editor): void {
  editor.registerExternalAssetHandler('url', async ({ url }) => cardOf(url))
  // What a site gives out to be pasted into other pages: `<iframe src="…">`.
  editor.registerExternalContentHandler('embed', ({ url, ...place }) =>
    editor.putExternalContent({ ...place, type: 'url', url }),
  )
}

/** One for each address, under the id by which tldraw finds it again. */
function cardOf(url: string): TLBookmarkAsset {
  return {
    id: AssetRecordType.createId(getHashForString(url)),
    typeName: 'asset',
    type: 'bookmark',
    props: { src: url, title: url.replace(/^https?:\/\//, ''), description: '', image: '', favicon: '' },
    meta: {},
  }
}
