/* bench.mjs - what a yield, a spawn and a sleep cost in chromium, by JSPI and by Asyncify: one JSON object, ns each,
 * the least of several runs.
 *
 *     node bench.mjs CHROMIUM NODE_FOLDER          in build/page-node, after make page
 */
import { build } from 'esbuild'
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

const [chromium, folder] = process.argv.slice(2), RUNS = 5
const puppeteer = createRequire(path.join(path.resolve(folder), 'package.json'))('puppeteer-core')
const script = await build({ stdin: { contents: `import { run } from './js/machine.js'
globalThis.bench = async (text, way) => {
  const kit = await WebAssembly.compile(Uint8Array.from(atob(text), letter => letter.charCodeAt(0)))
  const { stdout, stderr, exit } = await run({ kit, words: [], way })
  if (exit !== 0) throw new Error(stderr || 'it ended with ' + exit)
  return JSON.parse(stdout)
}`, resolveDir: '.' }, bundle: true, write: false, format: 'iife', platform: 'browser' })
const browser = await puppeteer.launch({ executablePath: chromium, headless: true, protocolTimeout: 300000,
  args: ['--no-sandbox', '--disable-dev-shm-usage'] })
try {
  const tab = await browser.newPage(), least = {}
  await tab.evaluate(script.outputFiles[0].text)
  for (let i = 0; i < RUNS; i++)
    for (const [way, file] of [['jspi', 'bench.wasm'], ['asyncify', 'bench-asyncify.wasm']]) {
      const took = await tab.evaluate((text, how) => bench(text, how), fs.readFileSync(file).toString('base64'), way)
      const best = least[way] ??= {}
      for (const [what, ns] of Object.entries(took)) best[what] = Math.min(best[what] ?? Infinity, ns)
    }
  console.log(JSON.stringify(least))
} finally {
  await browser.close()
}
