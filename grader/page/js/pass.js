/* pass.js - Binaryen's pass that lets a library put its stack aside, together with the kit's (flows.js). */

/* binaryen: the package. Returns a function from a module's bytes to those of the rewritten one. */
export const passOf = binaryen => async bytes => {
  const module = binaryen.readBinary(bytes)
  binaryen.setPassArgument('asyncify-import-globals', '1')
  module.runPasses(['asyncify'])
  const done = module.emitBinary()
  module.dispose()
  return done
}
