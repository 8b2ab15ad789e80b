/* axe.mjs - opens pages as a reader would, offline, and says what axe-core finds wrong with each: one JSON object a
 * page, width and colour scheme on standard output.
 *
 *     node axe.mjs CHROMIUM FOLDER few|all PAGE.html...
 *
 * few: two of the four widths and schemes. FOLDER gets a screenshot of each. NODE_FOLDER names the folder whose
 * node_modules has puppeteer-core and axe-core.
 */
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

const modules = createRequire(path.join(process.env.NODE_FOLDER, 'package.json'))
const puppeteer = modules('puppeteer-core')
const axe = fs.readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8')
const [chromium, folder, many, ...files] = process.argv.slice(2)
const ways = [[1280, 'light'], [390, 'dark'], [1280, 'dark'], [390, 'light']].slice(0, many === 'all' ? 4 : 2)

const browser = await puppeteer.launch({ executablePath: chromium, headless: true,
  args: ['--no-sandbox', '--disable-dev-shm-usage'] })
try {
  for (const file of files)
    for (const [width, scheme] of ways) {
      const page = await browser.newPage(), requests = [], faults = []
      await page.setOfflineMode(true)
      page.on('request', request => { if (!/^(file|data|blob):/.test(request.url())) requests.push(request.url()) })
      page.on('pageerror', error => faults.push(error.message))
      page.on('console', message => faults.push(message.text()))
      await page.setViewport({ width, height: 900 })
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      await page.goto('file://' + path.resolve(file))
      const wide = await page.$eval('html', html => html.scrollWidth - html.clientWidth)
      const broken = await page.$$eval('img', all => all.filter(one => !one.naturalWidth).length)
      const pictures = await page.$$eval('img', all => all.length)
      const name = `${path.basename(path.dirname(file))}-${path.basename(file, '.html')}-${width}-${scheme}.png`
      await page.screenshot({ path: path.join(folder, name), fullPage: true })
      await page.addScriptTag({ content: axe })
      const found = await page.evaluate(() => axe.run())
      console.log(JSON.stringify({ file: path.basename(file), width, scheme, requests, faults, wide, broken, pictures,
        axe: found.violations.map(one => `${one.impact} ${one.id} ${one.nodes[0].html.slice(0, 200)}`) }))
      await page.close()
    }
} finally {
  await browser.close()
}
