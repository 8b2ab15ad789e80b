/* batch.mjs - what the page does with files, without the page: compiles and runs each, with Asyncify. For tests.
 *
 *     node batch.mjs KIT HEADERS < [{"name", "text", "seed", "runs": [{"world", "settings", "twist"}]}, …]
 *
 * KIT: kit-asyncify.wasm; HEADERS: house.json (build.mjs). Prints [{"compiler": {"exit", "stderr"}, "runs": …}, …].
 */
import fs from 'node:fs'
import { compile } from './js/compile.js'
import { runs } from './js/running.js'
import { addresses } from './js/machine.js'
import { passOf } from './js/pass.js'
import { load, runLLVM } from './llvm.mjs'

const [kitFile, headersFile] = process.argv.slice(2)
const kit = new WebAssembly.Module(fs.readFileSync(kitFile)), headers = JSON.parse(fs.readFileSync(headersFile))
const setup = { kit, addresses: addresses(kit), asyncify: passOf((await load('binaryen')).default) }
const told = []
for (const { name, text, seed, runs: plan } of JSON.parse(fs.readFileSync(0))) {
  const { bytes, ...compiler } = await compile(runLLVM, `${name}.c`, text, headers)
  told.push({ compiler, runs: bytes ? await runs(bytes, plan, seed, 'asyncify', setup) : [] })
}
console.log(JSON.stringify(told))
