/* look.mjs - opens decks in chromium and says of each slide what sticks out of it: one JSON object a deck on
 * standard output.
 *
 *     node look.mjs CHROMIUM NODE_FOLDER DECK.html...
 *
 * A slide is too full when something in it reaches below its footer line, beyond its right edge, or is cut inside its
 * own box.
 */
import path from 'node:path'
import { createRequire } from 'node:module'

const [chromium, folder, ...decks] = process.argv.slice(2)
const puppeteer = createRequire(path.join(path.resolve(folder), 'package.json'))('puppeteer-core')
const browser = await puppeteer.launch({ executablePath: chromium, headless: true,
  args: ['--no-sandbox', '--disable-dev-shm-usage'] })
try {
  for (const deck of decks) {
    const page = await browser.newPage(), requests = [], faults = []
    await page.setOfflineMode(true)
    page.on('request', request => { if (!/^(file|data|blob):/.test(request.url())) requests.push(request.url()) })
    page.on('pageerror', error => faults.push(error.message))
    await page.setViewport({ width: 1280, height: 720 })
    await page.goto('file://' + path.resolve(deck))
    const slides = await page.evaluate(() => [...document.querySelectorAll('section[id]')].map(section => {
      const whole = section.getBoundingClientRect(), scale = whole.height / 720 || 1, out = []
      if (section.scrollHeight > section.clientHeight + 1 || section.scrollWidth > section.clientWidth + 1)
        out.push('more than the slide holds')
      for (const one of section.children) {
        if (one.tagName === 'FOOTER' || one.tagName === 'HEADER') continue
        if (one.offsetTop + one.offsetHeight > 672)
          out.push(one.tagName + ' reaches the footer: ' + one.textContent.trim().slice(0, 40))
        if (one.scrollWidth > one.clientWidth + 1)
          out.push(one.tagName + ' is cut off: ' + one.textContent.trim().slice(0, 40))
      }
      const sizes = [...section.querySelectorAll('p:not(.from), li, td, pre')]
        .map(one => parseFloat(getComputedStyle(one).fontSize))
      return { heading: section.querySelector('h1, h2')?.textContent ?? '', out,
        smallest: Math.min(99, ...sizes), kind: section.className }
    }))
    console.log(JSON.stringify({ deck: path.basename(deck), requests, faults, slides }))
    await page.close()
  }
} finally {
  await browser.close()
}
