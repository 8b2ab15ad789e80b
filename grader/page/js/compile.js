/* compile.js - a student's file becomes a library, by clang and wasm-ld themselves. */

const WHERE = ['-Ihouse/page/include', '-Ihouse/include', '-Ihouse/lab', '-include', 'house/page/part.h']

/* Two commands, in the words of the compiler proper and of the linker: clang itself would only say these. */
export const commands = name => [
  ['clang', '-cc1', '-triple', 'wasm32-unknown-wasip1', '-emit-obj', '-disable-free', '-main-file-name', name,
    '-mrelocation-model', 'pic', '-pic-level', '2', '-mframe-pointer=none', '-ffp-contract=on', '-target-feature',
    '+mutable-globals', '-target-cpu', 'generic', '-debug-info-kind=line-tables-only', '-dwarf-version=4',
    '-debugger-tuning=gdb', '-fdebug-compilation-dir=/', '-resource-dir', '/usr', '-isysroot', '/usr',
    ...WHERE, '-internal-isystem', '/usr/include', '-internal-isystem', '/usr/include/wasm32-wasip1',
    '-D_GNU_SOURCE=', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror=implicit-function-declaration',
    '-Werror=int-conversion', '-Werror=incompatible-pointer-types', '-Werror=return-type', '-std=gnu11',
    '-ferror-limit', '20', '-fgnuc-version=4.2.1', '-O0', '-o', 'part.o', '-x', 'c', name],
  ['wasm-ld', '-m', 'wasm32', '-shared', '--experimental-pic', '--unresolved-symbols=import-dynamic',
    '--no-gc-sections', '--export-if-defined=warmup', 'part.o', '-o', 'part.wasm'],
]

/* Compiles text as name.c. headers: {path: text} below house/. Resolves to {exit, stderr, bytes}: no bytes where it
 * failed. */
export async function compile(runLLVM, name, text, headers) {
  let stderr = ''
  const hear = bytes => { if (bytes) stderr += new TextDecoder().decode(bytes) }
  let files = { [name]: text, house: headers }
  try {
    for (const command of commands(name))
      files = await runLLVM(command, files, { stdout: hear, stderr: hear, fetchProgress: () => {} })
    return { exit: 0, stderr, bytes: files['part.wasm'] }
  } catch (error) {
    if (error.code === undefined) throw error
    return { exit: error.code, stderr }
  }
}
