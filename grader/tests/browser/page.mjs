/* page.mjs - opens the page of `make page` from its folder in chromium, without a network, and grades files in it:
 * prints one JSON object.
 *
 *     node page.mjs CHROMIUM NODE_FOLDER PAGE_FOLDER < {"cases": [{"name", "text"}], "query": ""}
 *
 * {"shown", "ready": ms, "requests", "faults", "cases": [{"took": ms, "state", "verdict", "runs", "marks"}],
 *  "kept_text": what stands in the editor after the page was opened again, "axe": what axe-core finds serious,
 *  "wide": whether something sticks out at 390 pixels, "blocked", "no_wasm": what it says where storage is blocked, or
 *  where there is no WebAssembly}
 */
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

const [chromium, folder, page] = process.argv.slice(2)
const { cases, query = '' } = JSON.parse(fs.readFileSync(0))
const require = createRequire(path.join(path.resolve(folder), 'package.json')), puppeteer = require('puppeteer-core')
const MINUTE = 60000
const browser = await puppeteer.launch({ executablePath: chromium, headless: true, protocolTimeout: 5 * MINUTE,
  args: ['--no-sandbox', '--disable-dev-shm-usage'] })

/* What stands in an element of a page that was opened after `spoil` had run there, and a line typed in it. */
async function without(spoil, element) {
  const tab = await browser.newPage()
  await tab.evaluateOnNewDocument(spoil)
  await tab.goto(`file://${path.resolve(page)}/index.html${query}`, { timeout: MINUTE })
  await tab.evaluate(() => looplab.editor.write('/* mine */'))
  const said = await tab.$eval(element, one => one.textContent)
  await tab.close()
  return said
}

try {
  const tab = await browser.newPage(), told = { requests: [], faults: [], cases: [] }
  await tab.setOfflineMode(true)
  await tab.setViewport({ width: 1280, height: 900 })
  tab.on('request', one => { if (!/^(file|data|blob):/.test(one.url())) told.requests.push(one.url()) })
  tab.on('pageerror', error => told.faults.push(error.message))
  const open = async () => {
    await tab.goto(`file://${path.resolve(page)}/index.html${query}`, { timeout: MINUTE })
    await tab.waitForFunction(() => document.documentElement.dataset.ready
      || /could not|no WebAssembly/.test(document.getElementById('state').textContent), { timeout: 3 * MINUTE })
    return tab.evaluate(() => ({ ...document.documentElement.dataset }))
  }
  Object.assign(told, await open())
  for (const { name, text } of cases) {
    const began = performance.now()
    await tab.evaluate(async (name, text) => {
      const which = document.getElementById('which')
      which.selectedIndex = looplab.plan.warmups.findIndex(one => one.name === name)
      which.onchange()
      looplab.editor.write(text)
      looplab.last = null
      document.getElementById('verdict').hidden = true
      delete document.getElementById('verdict').dataset.verdict
      document.getElementById('grade').click()
    }, name, text)
    await tab.waitForFunction(() => document.getElementById('stop').hidden, { timeout: MINUTE })
    told.cases.push({ took: performance.now() - began, ...await tab.evaluate(() => ({
      state: document.getElementById('state').textContent, kept: document.getElementById('kept').textContent,
      verdict: JSON.parse(document.getElementById('verdict').dataset.verdict ?? 'null'), runs: looplab.last?.runs,
      marks: looplab.last?.marks, report: !document.getElementById('report').hidden })) })
  }
  await tab.addScriptTag({ path: require.resolve('axe-core/axe.min.js') })
  told.axe = await tab.evaluate(async () => (await axe.run(document, { iframes: false })).violations
    .filter(one => ['serious', 'critical'].includes(one.impact)).map(one => `${one.id}: ${one.nodes[0].html}`))
  await tab.setViewport({ width: 390, height: 844 })
  told.wide = await tab.evaluate(() => document.documentElement.scrollWidth > innerWidth)
  await tab.goto('about:blank')
  await tab.goto(`file://${path.resolve(page)}/index.html${query}`, { timeout: MINUTE })
  told.kept_text = await tab.evaluate(() => looplab.editor.text)
  told.blocked = await without(() => Object.defineProperty(globalThis, 'localStorage',
    { get() { throw new DOMException('blocked', 'SecurityError') } }), '#kept')
  told.no_wasm = await without(() => { delete globalThis.WebAssembly }, '#state')
  console.log(JSON.stringify(told))
} finally {
  await browser.close()
}
