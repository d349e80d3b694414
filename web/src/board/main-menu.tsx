/** tldraw's main menu, which begins with the ways out of the board: to all boards, and into a file. */
import { DefaultMainMenu, DefaultMainMenuContent, TldrawUiMenuGroup, TldrawUiMenuItem } from 'tldraw'
import { useBoard } from './board-context.ts'
import { downloadFromServer } from './download-board.ts'

export function MainMenu() {
  const { boardId } = useBoard()
  return (
    <DefaultMainMenu>
      <TldrawUiMenuGroup id="board">
        <TldrawUiMenuItem id="all-boards" label="All boards" readonlyOk onSelect={() => location.assign('/')} />
        <TldrawUiMenuItem
          id="download-board"
          label="Download board"
          readonlyOk
          onSelect={() => downloadFromServer(boardId)}
        />
      </TldrawUiMenuGroup>
      <DefaultMainMenuContent />
    </DefaultMainMenu>
  )
}
