/* worker.js - the worker that runs students' programs. {begin: {kit, way}}, then {bytes, plan, seed} -> {runs}. */
import { answer } from './answer.js'
import { addresses } from './machine.js'
import { runs } from './running.js'

let setup, way

/* asyncify: the pass that makes a library ready for it, where it is needed (worker-asyncify.js). */
export const serve = asyncify => answer(async ({ begin, bytes, plan, seed }) => {
  if (!begin) return { runs: await runs(bytes, plan, seed, way, setup) }
  const kit = await WebAssembly.compile(begin.kit)
  way = begin.way
  setup = { kit, addresses: addresses(kit), asyncify: await asyncify }
  return {}
})
