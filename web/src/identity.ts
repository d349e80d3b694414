/** Who the user is to the others on a board: a friendly random name and a colour, the same on every visit. */
import { colorOf, isHexColor } from '../../core/contract/colors.ts'
import { remember, remembered } from './local-storage.ts'
import { randomId } from './random-id.ts'
import type { SyncUser } from './sync/index.ts'

/** The id is this browser's: it stays the same over visits, tabs and boards. */
export type User = SyncUser

export function currentUser(): User {
  const known = remembered('user')
  if (isUser(known)) return known
  const id = randomId()
  const user = { id, name: `${pick(adjectives)} ${pick(animals)}`, color: colorOf(id) }
  remember('user', user)
  return user
}

/** From now on, on all boards. */
export function rememberUser(user: User): void {
  remember('user', user)
}

function isUser(value: unknown): value is User {
  const { id, name, color } = (value ?? {}) as Partial<Record<keyof User, unknown>>
  return typeof id === 'string' && typeof name === 'string' && name !== '' && isHexColor(color)
}

const pick = (words: readonly string[]): string => words[Math.floor(Math.random() * words.length)] ?? ''

const adjectives =
  'Amber Bold Brave Bright Calm Clever Copper Coral Cosy Curious Eager Early Gentle Golden Happy Hidden Honest Ivory Jolly Kind Lively Lucky Mellow Merry Misty Nimble Noble Olive Patient Plucky Proud Quick Quiet Rosy Rustic Silver Sunny Swift Tidy Velvet Warm Wise'.split(
    ' ',
  )
const animals =
  'Badger Bear Beaver Bison Cat Crane Deer Dolphin Eagle Falcon Ferret Finch Fox Gecko Hare Hawk Hedgehog Heron Ibex Jay Koala Lark Lemur Lynx Magpie Marmot Marten Mole Moose Newt Otter Owl Panda Penguin Puffin Quail Raven Robin Seal Sparrow Stork Swan Tapir Toad Walrus Weasel Wolf Wombat Wren'.split(
    ' ',
  )
