/* compiling.js - the worker that compiles. {begin: {files, headers}}, then {name, text} -> {exit, stderr, bytes}. */
import { put } from './served.js'
import { runLLVM } from '@yowasp/clang'
import { answer } from './answer.js'
import { compile } from './compile.js'

let headers

answer(async ({ begin, name, text }) => {
  if (!begin) return compile(runLLVM, name, text, headers)
  put(begin.files)
  headers = begin.headers
  return compile(runLLVM, 'first.c', '#include "warmup.h"\nint warmup(void) { return 0; }\n', headers)
})
