/* kit.mjs - compiles the kit to WebAssembly, with the compiler that is in the page: the runtime, the virtual world, the
 * program that loads a warm-up.
 *
 *     node kit.mjs ROOT JANSSON OUT         in a folder with the packages of package.json
 *
 * OUT gets kit.wasm, kit-asyncify.wasm (the same, able to put its stack aside: js/flows.js), bench.wasm and
 * bench-asyncify.wasm. JANSSON: the folder with Jansson's source. What is compiled already is not compiled again.
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
const FLAGS = ['--target=wasm32-wasip1', '-std=gnu11', '-D_GNU_SOURCE=', '-D_WASI_EMULATED_SIGNAL',
  '-D_WASI_EMULATED_PROCESS_CLOCKS',
  '-DCLOCK_PROCESS_CPUTIME_ID=((clockid_t)1)', '-DCLOCK_THREAD_CPUTIME_ID=((clockid_t)2)', '-O2', '-Wall', '-Wextra', '-fno-optimize-sibling-calls', '-Isim/page/include',
  '-Isim/page', '-Isim/include', '-Isim', '-Isim/world', '-Isim/world/virtual', '-Isim/world/sql', '-Isim/world/remote',
  '-Isim/trace', '-Isim/explore', '-Isim/kit', '-Ilabs/00-warmups', '-Ijansson']
const JANSSON = ['dump', 'error', 'hashtable', 'hashtable_seed', 'load', 'memory', 'pack_unpack', 'strbuffer',
  'strconv', 'utf', 'value', 'version', 'dtoa']

const list = (under, end) => fs.readdirSync(path.join(root, under), { recursive: true })
  .filter(name => end.test(name)).map(name => path.join(under, name)).sort()
const read = name => fs.readFileSync(path.join(root, name))

/* The sources, {name in the compiler's own file system: bytes}. */
function sources() {
  const rooms = ['runtime', 'world/virtual', 'trace', 'explore', 'kit', 'page']
  const kit = rooms.flatMap(room => list(`sim/${room}`, /\.c$/))
    .filter(name => !LEFT_OUT.test(name) && !name.startsWith('sim/explore/search/'))
  const all = Object.fromEntries([...kit, 'sim/world/sql/flat.c', 'sim/world/sql/sqlite.c', 'labs/00-warmups/main.c'].map(name => [name, read(name)]))
  for (const name of JANSSON) {
    const file = path.join(jansson, 'src', `${name}.c`)
    if (fs.existsSync(file)) all[`jansson/${name}.c`] = fs.readFileSync(file)
  }
  return all
}

/* The headers; Jansson's as its own configure script would write it for a machine like this. */
function headers() {
  const all = Object.fromEntries([...list('sim', /\.h$/), 'labs/00-warmups/warmup.h'].map(name => [name, read(name)]))
  for (const name of fs.readdirSync(path.join(jansson, 'src')).filter(one => one.endsWith('.h')))
    all[`jansson/${name}`] = fs.readFileSync(path.join(jansson, 'src', name))
  all['jansson/jansson_private_config.h'] = '#define HAVE_STDINT_H 1\n#define INITIALIZE_HASHTABLE_SEED 0\n'
  all['jansson/jansson_config.h'] = '#define JSON_INLINE inline\n#define JSON_INTEGER_IS_LONG_LONG 1\n'
    + '#define JSON_HAVE_LOCALECONV 0\n#define JSON_HAVE_ATOMIC_BUILTINS 1\n#define JSON_HAVE_SYNC_BUILTINS 1\n'
    + '#define JSON_PARSER_MAX_DEPTH 2048\n#define DTOA_ENABLED 0\n'
  return all
}

const have = headers()
const known = createHash('sha256').update(FLAGS.join(' '))
for (const [name, bytes] of Object.entries(have)) known.update(name).update(bytes)
const base = known.digest('hex')

/* There is no --wrap here: what blocking.c catches has another name, under which a library finds it (js/part.js). */
const caught = text => [...text.matchAll(/\b__wrap_(\w+)\(/g)]
  .flatMap(([, name]) => [`-D__wrap_${name}=caught_${name}`, `-D__real_${name}=${name}`])

async function compile(name, bytes, more = []) {
  const flags = [...FLAGS, ...more, ...(name.endsWith('/blocking.c') ? caught(String(bytes)) : []), ...(name === 'sim/kit/kit.c' ? ['-include', 'sim/page/kit_lines.h'] : []),
    ...(name.startsWith('jansson') ? ['-DHAVE_CONFIG_H', '-w'] : [])]
  const key = createHash('sha256').update(base + name + flags.join(' ')).update(bytes).digest('hex').slice(0, 24)
  const kept = path.join(out, 'objects', key)
  if (fs.existsSync(kept)) return fs.readFileSync(kept)
  const files = tree({ ...have, [name]: bytes })
  const after = await llvm(await words(['clang', ...flags, '-c', name, '-o', 'it.o'], files), files)
  fs.writeFileSync(kept, after['it.o'])
  return after['it.o']
}

/* Links objects, {name: bytes}, into a program that gives its names to a library beside it. */
async function link(objects, more = []) {
  const files = tree(objects)
  const command = await words(['clang', '--target=wasm32-wasip1', ...Object.keys(objects), '-o', 'it.wasm'], files)
  const own = ['--error-limit=0', '--export-table', '--export=__stack_pointer', '--growable-table', '-z', 'stack-size=1048576', '--stack-first',
    '-lwasi-emulated-signal', '-lwasi-emulated-process-clocks', ...more]
  return at(await llvm([...command, ...own], files), 'it.wasm')
}

/* What a student's file may ask the C library for is in the kit, whether the kit asks for it or not. */
const OFFERED = `printf fprintf sprintf snprintf vprintf vfprintf vsnprintf puts putchar fputs fputc putc fwrite fflush
  perror scanf sscanf getchar fgets malloc calloc realloc free aligned_alloc abort exit _Exit atoi atol atoll strtol
  strtoul strtoll strtoull strtod qsort bsearch abs labs rand srand rand_r memcpy memmove memset memcmp memchr strlen strnlen
  strcpy strncpy stpcpy strcat strncat strcmp strncmp strcasecmp strncasecmp strchr strrchr strstr strspn strcspn strpbrk strtok
  strtok_r strdup strndup isalpha isdigit isalnum isspace isupper islower ispunct isxdigit isprint toupper tolower 
  sqrt pow floor ceil fabs round fmod log log2 log10 exp sin cos tan
  open_memstream fopen fclose fread getenv stdin stdout stderr`.split(/\s+/)

function asyncify(bytes) {
  const module = binaryen.readBinary(bytes)
  binaryen.setPassArgument?.('asyncify-export-globals', '1')
  binaryen.setDebugInfo(true)
  binaryen.setOptimizeLevel(1)
  module.runPasses(['asyncify'])
  binaryen.setPassArgument?.('asyncify-export-globals', null)
  return module.emitBinary()
}

fs.mkdirSync(path.join(out, 'objects'), { recursive: true })
const objects = {}, all = sources()
let n = 0
for (const [name, bytes] of Object.entries(all))
  try { objects[`${n++}-${path.basename(name, '.c')}.o`] = await compile(name, bytes) } catch (e) { console.log(String(e.message).slice(0, 1500)) }
const own = (await tell(['nm', '-g', '--defined-only', '-j', ...Object.keys(objects)], tree(objects))).split('\n')
  .filter(name => /^(co_|given$|now_ms$|caught_|co__(pc|fuel|stack_low|fault)$)/.test(name))
const kit = await link(objects, [...new Set([...own, ...OFFERED])].map(one => `--export=${one}`))
fs.writeFileSync(path.join(out, 'kit.wasm'), kit)
console.log(`kit.wasm: ${kit.length} bytes`)
const again = asyncify(kit)
fs.writeFileSync(path.join(out, 'kit-asyncify.wasm'), again)
console.log(`kit-asyncify.wasm: ${again.length} bytes`)
