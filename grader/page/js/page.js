/* page.js - the page: which warm-up is open, what is typed, what is said of it. */
import { Editor } from './editor.js'
import { Keep } from './keep.js'
import { House } from './house.js'

const $ = id => document.getElementById(id)
const LARGEST = 1 << 20         /* bytes of a file that is graded: as running/build.py has it */
const { warmups: plan, seed } = globalThis.looplab.plan
const keep = new Keep()
const editor = new Editor($('editor'), typed, () => grade())
const house = new House(told)
let open, busy = false

const textOf = one => keep.get(one.name) ?? one.text

/* A warm-up is right while its file is the one that was right. */
const isRight = one => keep.get(one.name + '/right') === textOf(one)

function far() {
  const done = plan.filter(isRight).length
  $('far').textContent = `${done} of ${plan.length} are right.`
  for (const [i, one] of plan.entries())
    $('which').options[i].textContent = `${isRight(one) ? '✓' : '·'} ${one.name.slice(0, 2)} ${one.title}`
}

function show(index) {
  open = plan[index]
  $('which').selectedIndex = index
  $('title').textContent = `${open.name.slice(0, 2)} ${open.title}`
  editor.open(textOf(open))
  $('verdict').hidden = true
  $('hinted').textContent = ''
  $('before').disabled = index === 0
  $('after').disabled = index === plan.length - 1
  keep.set('open', open.name)
  location.hash = open.name
}

function typed(text) {
  if (!keep.set(open.name, text)) {
    $('kept').hidden = false
    $('kept').textContent = 'This browser keeps nothing for this page (its storage is blocked or full): what you type '
      + 'is gone when you close it. Save the file before you leave.'
  }
  far()
}

/* ---- Loading ------------------------------------------------------------------------------------ */

/* What the workers tell: {loaded, of, what}, {ready}, {fault}. */
function told(news) {
  if (news.fault) $('state').textContent = news.fault
  else if (news.ready) {
    $('load').hidden = true
    $('grade').disabled = false
    $('state').textContent = 'Ready.'
    document.documentElement.dataset.ready = String(Math.round(performance.now()))
  } else {
    $('load').value = news.loaded / news.of
    $('state').textContent = `Loading ${news.what}: ${news.loaded} of ${news.of} MB. You can write meanwhile.`
  }
}

/* ---- Grading ------------------------------------------------------------------------------------ */

/* What stops a grading before it begins; "": nothing. */
function refused(text) {
  if (new TextEncoder().encode(text).length > LARGEST)
    return `${open.name}.c is larger than 1 MiB: that is no warm-up. Nothing was compiled; the text stays as it is.`
  const other = plan.find(one => one !== open && text.startsWith(one.text.split('\n')[0]))
  return other ? `This is the file of warm-up ${other.name.slice(0, 2)}, ${other.title}. Open that one to grade it; `
    + `here ${open.name}.c is asked for.` : ''
}

async function grade() {
  if (busy || $('grade').disabled) return
  const one = open, text = editor.text, no = refused(text)
  if (no) return verdict({ status: 'refused', title: 'Not graded', message: no, runs: [] })
  busy = true
  $('grade').disabled = true
  $('stop').hidden = false
  $('state').textContent = 'Compiling and running …'
  const began = performance.now()
  try {
    const said = await house.grade(one, text, seed)
    if (said.status === 'passed') keep.set(one.name + '/right', text)
    far()
    globalThis.looplab.last = said
    if (one === open) verdict(said)
    const took = Math.round(performance.now() - began)
    $('state').textContent = `Graded in ${took} ms.`
    document.documentElement.dataset.graded = String(took)
  } catch (error) {
    $('state').textContent = error.stopped ? error.message : `That is the page's fault, not yours: ${error.message}`
  }
  busy = false
  $('grade').disabled = false
  $('stop').hidden = true
}

/* What the report says first stands above it already. */
const SAID_ABOVE = 'header, #diagnosis, dl { display: none; } section[aria-labelledby=figures-head] { display: none; }'

const WORDS = { passed: 'Right', failed: 'Not yet', refused: 'Not graded', error: 'A fault of the page' }

/* The message's labelled lines as a list; other lines as they are. */
function lines(message) {
  const list = []
  for (const line of message.split('\n').filter(Boolean)) {
    const label = /^(rule|where|expected|happened|cause): (.*)$/.exec(line)
    const [term, words] = label ? label.slice(1) : ['', line]
    list.push(Object.assign(document.createElement('dt'), { textContent: term }),
      Object.assign(document.createElement('dd'), { textContent: words }))
  }
  return list
}

function verdict(said) {
  $('verdict').hidden = false
  $('verdict').className = said.status === 'passed' ? 'right' : 'wrong'
  $('verdict').dataset.verdict = JSON.stringify({ status: said.status, message: said.message, src: said.src ?? null })
  $('judged').textContent = `${WORDS[said.status]}${said.score === undefined ? '' : `: ${said.score} of `
    + `${said.max_score} points`}`
  $('message').replaceChildren(...lines(said.message))
  $('said').textContent = said.printed ?? ''
  $('said').hidden = !said.printed
  $('report').hidden = !said.report
  if (said.report) $('report').srcdoc = said.report.replace('</style>', `${SAID_ABOVE}</style>`)
  editor.mark(said.marks ?? [])
  $('judged').focus({ preventScroll: innerWidth >= 1200 })
}

/* ---- Keys and buttons ----------------------------------------------------------------------------- */

/* For tests, which type whole files. */
globalThis.looplab.editor = editor

const index = () => plan.indexOf(open)
$('which').append(...plan.map(() => document.createElement('option')))
$('which').onchange = () => show($('which').selectedIndex)
$('before').onclick = () => show(index() - 1)
$('after').onclick = () => show(index() + 1)
$('grade').onclick = grade
$('stop').onclick = () => house.stop()
$('hint').onclick = () => { $('hinted').textContent = open.hint }
$('again').onclick = () => {
  if (textOf(open) !== open.text) keep.set(open.name + '/before', textOf(open))
  keep.remove(open.name)
  show(index())
  far()
}
$('export').onclick = () => {
  const url = URL.createObjectURL(new Blob([editor.text], { type: 'text/x-c' }))
  Object.assign(document.createElement('a'), { href: url, download: `${open.name}.c` }).click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

/* A link into the page, from a slide say: index.html#07-taking-turns. */
onhashchange = () => {
  const at = plan.findIndex(one => one.name === decodeURIComponent(location.hash.slice(1)))
  if (at >= 0 && plan[at] !== open) show(at)
}

const wanted = decodeURIComponent(location.hash.slice(1)) || keep.get('open')
show(Math.max(0, plan.findIndex(one => one.name === wanted)))
far()
document.documentElement.dataset.shown = String(Math.round(performance.now()))
if (typeof WebAssembly !== 'object')
  told({ fault: 'This browser has no WebAssembly, so it cannot compile or run C. You can read, write and save the '
    + 'file; make grade LAB=00 grades it on a machine with Looplab.' })
else house.open()
