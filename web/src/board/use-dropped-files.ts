/** Takes `.tldr` files that are dropped or pasted; tldraw itself takes pictures. Who may only look is told so. */
import { useEffect } from 'react'
import { type Editor, useEditor } from 'tldraw'
import type { Said } from '../sharing/share-actions.ts'
import { importFile, isBoardFile } from './import-file.ts'

/** @param say what came of it, for people */
export function useDroppedFiles(boardId: string, say: (said: Said) => void): void {
  const editor = useEditor()
  useEffect(() => {
    // Heard before tldraw, which lets nothing be dropped on a board that is read only, and takes no file of its own kind.
    const take = (event: DragEvent | ClipboardEvent) => {
      const files = [...(filesOf(event) ?? [])]
      const boards = files.filter(isBoardFile)
      const isRefused = files.length > 0 && editor.getIsReadonly()
      if (!isRefused && boards.length === 0) return
      event.preventDefault()
      event.stopPropagation()
      if (isRefused) return say({ text: 'You may only look at this board: nothing was put on it.', isFailure: true })
      for (const board of boards) void importFile(boardId, board).then(say)
      const others = files.filter(file => !isBoardFile(file))
      if (others.length > 0)
        void editor.putExternalContent({ type: 'files', files: others, point: pointOf(editor, event) })
    }
    const takePasted = (event: ClipboardEvent) => {
      if (editor.getInstanceState().isFocused && !editor.getEditingShapeId()) take(event)
    }
    const container = editor.getContainer()
    container.addEventListener('drop', take, true)
    document.addEventListener('paste', takePasted, true)
    return () => {
      container.removeEventListener('drop', take, true)
      document.removeEventListener('paste', takePasted, true)
    }
  }, [editor, boardId, say])
}

const filesOf = (event: DragEvent | ClipboardEvent) =>
  event instanceof ClipboardEvent ? event.clipboardData?.files : event.dataTransfer?.files

const pointOf = (editor: Editor, event: DragEvent | ClipboardEvent) =>
  event instanceof ClipboardEvent
    ? editor.getViewportPageBounds().center
    : editor.screenToPage({ x: event.clientX, y: event.clientY })
