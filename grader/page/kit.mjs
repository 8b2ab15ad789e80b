/* kit.mjs - compiles the kit to WebAssembly, with the compiler that is in the page: the runtime, the virtual world, the
 * program that loads a warm-up.
 *
 *     node kit.mjs ROOT JANSSON OUT         in a folder with the packages of package.json
 *
 * OUT gets kit.wasm and kit-asyncify.wasm (the same, able to put its stack aside: js/flows.js), and the two of the
 * benchmark, bench.wasm and bench-asyncify.wasm. JANSSON: the folder with Jansson's source. What is compiled already
 * is not compiled again.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { at, load, llvm, tell, tree, words } from './llvm.mjs'

const [root, jansson, out] = process.argv.slice(2).map(one => path.resolve(one))
const binaryen = (await load('binaryen')).default

/* Not compiled: switches of other machines, and what asks an operating system for what page.c has in its stead. */
const LEFT_OUT = new RegExp('^sim/(runtime/switch/(modes|switch_(x86|aarch|ucontext))|runtime/watch/fault'
  + '|runtime/outside/(asleep|blocking_)|trace/source_line|kit/(forks|memory|test|mock))')
const FOLDERS = ['grader/page/c/include', 'grader/page/c', 'sim/include', 'sim', 'sim/world', 'sim/world/virtual',
  'sim/world/sql', 'sim/world/remote', 'sim/trace', 'sim/explore', 'sim/kit', 'labs/00-warmups', 'jansson']
const FLAGS = ['--target=wasm32-wasip1', '-std=gnu11', '-D_GNU_SOURCE=', '-D_WASI_EMULATED_SIGNAL',
  '-D_WASI_EMULATED_PROCESS_CLOCKS', '-DCLOCK_PROCESS_CPUTIME_ID=((clockid_t)1)',
  '-DCLOCK_THREAD_CPUTIME_ID=((clockid_t)2)', '-O2', '-Wall', '-Wextra', '-fno-optimize-sibling-calls',
  ...FOLDERS.map(one => `-I${one}`)]

const list = (under, end) => fs.readdirSync(path.join(root, under), { recursive: true })
  .filter(name => end.test(name)).map(name => path.join(under, name)).sort()
const read = name => fs.readFileSync(path.join(root, name))
const all = names => Object.fromEntries(names.map(name => [name, read(name)]))
const ofJansson = end => Object.fromEntries(fs.readdirSync(path.join(jansson, 'src')).filter(name => end.test(name))
  .sort().map(name => [`jansson/${name}`, fs.readFileSync(path.join(jansson, 'src', name))]))

/* The rooms of the kit, as the Makefile lists them; but nobody else holds the world here. */
const ROOMS = /^kit_folders := \$\(addprefix sim\/,([^)]+)\)/m.exec(read('Makefile'))[1].split(' ')
  .filter(room => room !== 'world/remote')

/* The kit's sources, {name in the compiler's own file system: bytes}. */
function sources() {
  const kit = ROOMS.flatMap(room => list(`sim/${room}`, /\.c$/))
    .filter(name => !LEFT_OUT.test(name) && !name.startsWith('sim/explore/search/'))
  return { ...all([...kit, ...list('grader/page/c', /\.c$/).filter(name => !name.includes('bench'))]),
    ...ofJansson(/\.c$/) }
}

/* The headers; Jansson's as its own configure script would write it for a machine like this. */
function headers() {
  const [mine, theirs] = [['jansson/jansson_private_config.h', ['HAVE_STDINT_H 1', 'INITIALIZE_HASHTABLE_SEED 0']],
    ['jansson/jansson_config.h', ['JSON_INLINE inline', 'JSON_INTEGER_IS_LONG_LONG 1', 'JSON_HAVE_LOCALECONV 0',
      'JSON_HAVE_ATOMIC_BUILTINS 1', 'JSON_HAVE_SYNC_BUILTINS 1', 'JSON_PARSER_MAX_DEPTH 2048']]]
    .map(([name, lines]) => ({ [name]: lines.map(line => `#define ${line}\n`).join('') }))
  return { ...all([...list('sim', /\.h$/), ...list('grader/page/c', /\.h$/), 'labs/00-warmups/warmup.h']),
    ...ofJansson(/\.h$/), ...mine, ...theirs }
}

const have = headers(), hashed = createHash('sha256')
for (const [name, bytes] of Object.entries(have)) hashed.update(name).update(bytes)
const base = hashed.digest('hex')

/* There is no --wrap here: what blocking.c catches has another name, under which a library finds it (js/part.js). */
const caught = text => [...text.matchAll(/\b__wrap_(\w+)\(/g)]
  .flatMap(([, name]) => [`-D__wrap_${name}=caught_${name}`, `-D__real_${name}=${name}`])

const OWN_FLAGS = [
  [/\/blocking\.c$/, text => caught(text)],
  [/^sim\/kit\/kit\.c$/, () => ['-include', 'grader/page/c/kit_lines.h']],
  [/^jansson\//, () => ['-DHAVE_CONFIG_H', '-w']],
]

/* The object of a source. */
async function compile(name, bytes) {
  const own = OWN_FLAGS.filter(([which]) => which.test(name)).flatMap(([, flags]) => flags(String(bytes)))
  const flags = [...FLAGS, ...own]
  const key = createHash('sha256').update(base + name + flags.join(' ')).update(bytes).digest('hex').slice(0, 24)
  const kept = path.join(out, 'objects', key)
  if (!fs.existsSync(kept)) {
    const files = tree({ ...have, [name]: bytes })
    const after = await llvm(await words(['clang', ...flags, '-c', name, '-o', 'it.o'], files), files)
    fs.writeFileSync(kept, after['it.o'])
  }
  return fs.readFileSync(kept)
}

async function objects(of) {
  const made = {}
  for (const [i, [name, bytes]] of Object.entries(of).entries())
    made[`${i}-${path.basename(name, '.c')}.o`] = await compile(name, bytes)
  return made
}

/* Links objects, {name: bytes}, into a program that gives these of its names to a library beside it. */
async function link(made, names) {
  const files = tree(made)
  const command = await words(['clang', '--target=wasm32-wasip1', ...Object.keys(made), '-o', 'kit.wasm'], files)
  const own = ['--export-table', '--growable-table', '--export=__stack_pointer', '-z', 'stack-size=1048576',
    '--stack-first', '--max-memory=1073741824', '-lwasi-emulated-signal', '-lwasi-emulated-process-clocks']
  return at(await llvm([...command, ...own, ...names.map(one => `--export=${one}`)], files), 'kit.wasm')
}

/* What a student's file may ask the C library for is in the kit, whether the kit asks for it or not. */
const OFFERED = `printf fprintf sprintf snprintf vprintf vfprintf vsnprintf puts putchar fputs fputc putc fwrite fflush
  perror scanf sscanf getchar fgets malloc calloc realloc free aligned_alloc abort exit _Exit atoi atol atoll strtol
  strtoul strtoll strtoull strtod qsort bsearch abs labs rand srand rand_r memcpy memmove memset memcmp memchr strlen
  strnlen strcpy strncpy stpcpy strcat strncat strcmp strncmp strcasecmp strncasecmp strchr strrchr strstr strspn
  strcspn strpbrk strtok strtok_r strdup strndup isalpha isdigit isalnum isspace isupper islower ispunct isxdigit
  isprint toupper tolower sqrt pow floor ceil fabs round fmod log log2 log10 exp sin cos tan open_memstream fopen fclose
  fread getenv stdin stdout stderr`.split(/\s+/)

/* The names that a file may use: the kit's own, and those. */
async function offered(made) {
  const defined = await tell(['nm', '-g', '--defined-only', '-j', ...Object.keys(made)], tree(made))
  const own = defined.split('\n')
    .filter(name => /^(co_|given$|now_ms$|caught_|co__(pc|fuel|stack_low|fault)$)/.test(name))
  return [...new Set([...own, ...OFFERED])]
}

function asyncify(bytes) {
  const module = binaryen.readBinary(bytes)
  binaryen.setPassArgument('asyncify-export-globals', '1')
  binaryen.setDebugInfo(true)
  binaryen.setOptimizeLevel(1)
  module.runPasses(['asyncify'])
  return module.emitBinary()
}

function write(name, bytes) {
  fs.writeFileSync(path.join(out, `${name}.wasm`), bytes)
  fs.writeFileSync(path.join(out, `${name}-asyncify.wasm`), asyncify(bytes))
}

fs.mkdirSync(path.join(out, 'objects'), { recursive: true })
const kit = await objects(sources())
const program = { ...kit, ...await objects(all(['labs/00-warmups/main.c'])) }
write('kit', await link(program, await offered(program)))
write('bench', await link({ ...kit, ...await objects(all(['grader/page/c/bench/bench.c'])) }, ['malloc']))
