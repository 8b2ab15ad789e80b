/* running.js - the runs that a grading looks at. */
import { instrument } from './instrument.js'
import { elfOf } from './lines.js'
import { needs } from './part.js'
import { run } from './machine.js'

const text = said => new TextEncoder().encode(said)

/* The program's words, and its files, as the grader has them (asking/call.py). */
async function once(kit, part, lines, { world, settings }, seed, way) {
  const set = settings.flatMap(one => ['--set', one])
  return run({ kit, part, way, files: { 'world.json': text(world), 'part.elf': lines },
    words: ['--world', 'world.json', '--seed', String(seed), '--trace', 'fd:4', ...set, 'run', 'part.so'] })
}

/* A library made ready: it says where it is, and can put its stack aside where the browser does not do that. */
export async function ready(bytes, known, way, pass) {
  const made = instrument(bytes, known), need = needs(bytes)
  const final = way === 'asyncify' ? await pass(made.bytes) : made.bytes
  return { module: new WebAssembly.Module(final), need, place: way === 'asyncify' ? () => 0 : made.place }
}

/* All runs that a grading looks at: the plain one twice, and the twist. */
export async function runs(bytes, plan, seed, way, setup) {
  const { kit, addresses, asyncify } = setup
  const part = await ready(bytes, addresses, way, asyncify), lines = elfOf(bytes), made = []
  for (const one of plan) {
    const all = [await once(kit, part, lines, one, seed, way)]
    if (!one.twist && !all[0].limit) all.push(await once(kit, part, lines, one, seed, way))
    made.push(all)
    if (all[0].limit) break
  }
  return made
}
