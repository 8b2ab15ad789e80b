/* look.mjs - opens a report as a reader would, offline, and says what it saw: one JSON object on standard output.
 *
 *     node look.mjs REPORT.html CHROMIUM WIDTH light|dark [SCREENSHOT.png]
 *
 * NODE_FOLDER names the folder whose node_modules has puppeteer-core and axe-core.
 */
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

const modules = createRequire(path.join(process.env.NODE_FOLDER, 'package.json'))
const puppeteer = modules('puppeteer-core')
const [file, chromium, width, scheme, picture] = process.argv.slice(2)

const browser = await puppeteer.launch({ executablePath: chromium, headless: true,
  args: ['--no-sandbox', '--disable-dev-shm-usage'] })
const saw = { console: [], requests: [] }
try {
  const page = await browser.newPage()
  await page.setOfflineMode(true)
  await page.setViewport({ width: Number(width), height: 900 })
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
  page.on('console', message => saw.console.push(message.text()))
  page.on('pageerror', error => saw.console.push(error.message))
  page.on('request', request => saw.requests.push(request.url()))

  const began = Date.now()
  await page.goto('file://' + path.resolve(file))
  await page.waitForSelector('html[data-ready]')
  await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))
  saw.ready_ms = Date.now() - began

  const state = () => page.evaluate(() => ({
    step: Number(document.querySelector('#scrub').value), now: document.querySelector('#now').textContent,
    lit: document.querySelector('#source .lit')?.id ?? '',
  }))
  saw.title = await page.title()
  saw.diagnosis = await page.$eval('#diagnosis', element => element.textContent)
  saw.parting = await page.$eval('#parting', element => element.textContent)
  saw.lanes = await page.$$eval('.lanes canvas', all => all.map(one => one.getAttribute('aria-label')))
  saw.wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  saw.start = await state()
  saw.shown_first = await page.$eval('#span', element => element.textContent)
  await page.keyboard.press('Home')
  saw.home = await state()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  saw.two_on = await state()
  await page.keyboard.press('ArrowLeft')
  saw.one_back = await state()
  await page.keyboard.press('End')
  saw.end = await state()
  await page.focus('#scrub')
  await page.keyboard.press('ArrowLeft')
  saw.by_slider = await state()

  /* Zooming by keys, by a span drawn with the mouse and with a finger; and whether labels of the axis ever touch. */
  const shown = () => page.$eval('#span', element => element.textContent)
  const after = async act => {
    await act()
    await page.evaluate(() => new Promise(requestAnimationFrame))
    return shown()
  }
  saw.zoom = { opens: saw.shown_first }
  await page.evaluate(() => document.activeElement.blur())
  for (const [name, key] of [['whole', '0'], ['closer', '+'], ['further', '-'], ['parts', 'p']])
    saw.zoom[name] = await after(() => page.keyboard.press(key))
  await page.keyboard.press('0')
  await page.$eval('.lanes', element => element.scrollIntoView({ block: 'center' }))
  const box = await (await page.$('.lanes canvas')).boundingBox(), y = box.y + 30
  const { left, right } = await page.evaluate(() => layout(runs[0].box.clientWidth))
  const at = part => box.x + left + part * (right - left)
  saw.zoom.drawn = await after(async () => {
    await page.mouse.move(at(0.25), y)
    await page.mouse.down()
    await page.mouse.move(at(0.75), y)
    await page.mouse.up()
  })
  await page.keyboard.press('0')
  const pointer = (type, part) => page.$eval('.lanes canvas', (canvas, type, px) => {
    const event = new PointerEvent(type, { pointerId: 1, pointerType: 'touch', bubbles: true })
    Object.defineProperty(event, 'offsetX', { value: px })
    canvas.setPointerCapture = () => {}
    canvas.dispatchEvent(event)
  }, type, left + part * (right - left))
  saw.zoom.touched = await after(async () => {
    await pointer('pointerdown', 0.75)
    await pointer('pointermove', 0.5)
    await pointer('pointerup', 0.5)
  })
  saw.zoom.touching = await page.evaluate(() => {
    const pen = document.querySelector('.curve').getContext('2d'), found = []
    const place = layout(runs[0].box.clientWidth)
    for (const [from, of] of [[0, 1], [0, 3], [end / 7, 2], [end - end / 9, 9], [end / 3, end / 1000]]) {
      const length = end / of
      zoom(from, from + length)
      const labels = axis(pen, place)
      labels.forEach(([said, px], i) => {
        const to = px + pen.measureText(said).width
        if (i + 1 < labels.length && to >= labels[i + 1][1] || to > place.right + 1) found.push(labels)
      })
    }
    whole()
    return found
  })

  /* Every line that lights up on the way back to the start, and how long a step takes, drawing included. */
  saw.walk = await page.evaluate(async () => {
    const scrub = document.querySelector('#scrub'), lit = new Set(), times = []
    const last = Number(scrub.max), most = 200
    for (let i = 0; i <= Math.min(last, most); i++) {
      const began = performance.now()
      scrub.value = Math.round(last - i * last / Math.max(Math.min(last, most), 1))
      scrub.dispatchEvent(new Event('input'))
      await new Promise(done => requestAnimationFrame(done))
      times.push(performance.now() - began)
      lit.add(document.querySelector('#source .lit')?.id ?? '')
    }
    times.sort((a, b) => a - b)
    return { lit: [...lit], median_ms: times[times.length >> 1], worst_ms: times[times.length - 1], steps: last + 1 }
  })

  await page.click('#table summary')
  await page.waitForSelector('#rows tbody tr')
  saw.rows = await page.$$eval('#rows tbody tr', rows => rows.length)
  saw.first_rows = await page.$$eval('#rows tbody tr', rows => rows.slice(0, 3).map(row => row.textContent))
  if (picture)
    await page.screenshot({ path: picture, fullPage: true })
  await page.addScriptTag({ content: fs.readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8') })
  const found = await page.evaluate(() => axe.run())
  saw.axe = found.violations.map(one => ({ impact: one.impact, id: one.id, where: one.nodes[0].html.slice(0, 200) }))
} finally {
  await browser.close()
}
console.log(JSON.stringify(saw))
