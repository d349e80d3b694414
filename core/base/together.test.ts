import { expect, test } from 'vitest'
import { until } from '../../test/kit/until.ts'
import { Together } from './together.ts'

/** Questions are answered by hand; each key's answer is itself in capitals. */
function asking() {
  const questions: { keys: readonly string[]; answer(): void; fail(error: Error): void }[] = []
  const together = new Together<string, string>(
    keys =>
      new Promise((resolve, reject) => {
        const answer = () => resolve(new Map(keys.filter(key => key !== 'nobody').map(key => [key, key.toUpperCase()])))
        questions.push({ keys, answer, fail: reject })
      }),
  )
  return { together, questions }
}

test('who comes while two questions are open asks with all the others who wait, each for its own answer', async () => {
  const { together, questions } = asking()
  const answers = Promise.all(['a', 'b', 'c', 'd', 'd', 'nobody'].map(key => together.ask(key)))
  expect(questions.map(({ keys }) => keys)).toEqual([['a'], ['b']])
  questions[1]?.answer()
  await until(() => questions.length === 3)
  expect(questions[2]?.keys).toEqual(['c', 'd', 'nobody'])
  questions[2]?.answer()
  questions[0]?.answer()
  expect(await answers).toEqual(['A', 'B', 'C', 'D', 'D', undefined])
})

test('a question that fails fails for who asked in it, and for nobody who comes later', async () => {
  const { together, questions } = asking()
  const failed = [together.ask('a'), together.ask('b')]
  const later = together.ask('c')
  questions[0]?.fail(new Error('no'))
  questions[1]?.fail(new Error('no'))
  for (const ask of failed) await expect(ask).rejects.toThrow('no')
  await until(() => questions.length === 3)
  questions[2]?.answer()
  expect(await later).toBe('C')
})
