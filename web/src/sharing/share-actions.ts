/** The ways to bring somebody to a board, as actions of a menu. */
import { giveAgentAccess } from './agent-access.ts'
import { copyText } from './clipboard.ts'
import type { Action } from './menu-button.tsx'
import { type AgentAccess, agentBriefing, boardLink, curlCommand } from './snippets.ts'

export interface Said {
  text: string
  isFailure: boolean
}

/** @param say what came of it, for people */
export function shareActions(boardId: string, say: (said: Said) => void): Action[] {
  const copy = async (what: string, text: () => Promise<{ text: string; note?: string | undefined }>) => {
    try {
      const given = text()
      const [{ note }] = await Promise.all([given, copyText(given.then(({ text }) => text))])
      say({ text: [`${what} copied.`, note].filter(Boolean).join(' '), isFailure: false })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      say({ text: `${what} could not be copied: ${reason}`, isFailure: true })
    }
  }
  const forAgent = async (write: (access: AgentAccess) => string) => {
    const access = await giveAgentAccess(boardId)
    return { text: write(access), note: access.note }
  }
  return [
    { label: 'Copy link', act: () => void copy('Link', async () => ({ text: boardLink(location.origin, boardId) })) },
    { label: 'Copy curl command', act: () => void copy('Command', () => forAgent(curlCommand)) },
    { label: 'Copy agent briefing', act: () => void copy('Briefing', () => forAgent(agentBriefing)) },
  ]
}
